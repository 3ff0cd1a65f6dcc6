"""What a user marks on the pages, as lines of the file that `identity.overrides` names."""

import io
from collections.abc import Sequence
from pathlib import Path
from threading import Lock

from beam_pipelines.browse.overrides_file import with_lines, without_line
from beam_pipelines.browse.stored import Stored
from transforms.identity.columns import as_text
from transforms.identity.overrides import Override, parse_overrides, resolve
from transforms.tables.files import commit_file, exists, is_local, open_binary
from transforms.tables.shards import read_column


def other_person(ticked: Sequence[str], centre: str) -> list[Override]:
    """The ticked faces are one person, and not that of `centre`. Faces without a tick go where they are most alike.

    So it is enough to tick a few faces of a person who was taken in whole.
    """
    first, *more = ticked
    apart = [Override(0, "cannot_link", (first, centre))]
    return apart + [Override(0, "must_link", (first, other)) for other in more]


def other_people(ticked: Sequence[str], centre: str) -> list[Override]:
    """None of the ticked faces is the person of `centre`; whether they are one person stays open."""
    return [Override(0, "cannot_link", (face, centre)) for face in ticked]


def same_person(one: str, other: str) -> list[Override]:
    """Two faces, and so their identities, are one person."""
    return [Override(0, "must_link", (one, other))]


def dropped(ticked: Sequence[str]) -> list[Override]:
    """Faces that are to go."""
    return [Override(0, "drop", (face,)) for face in ticked]


def identity_dropped(face: str) -> list[Override]:
    """The whole identity of a face is to go."""
    return [Override(0, "drop", (face,), whole=True)]


class Marks:
    """The file of overrides, which is read anew for every page and written whole, one change at a time."""

    def __init__(self, stored: Stored, path: str) -> None:
        self.path = path
        self._stored = stored
        self._lock = Lock()

    def lines(self) -> list[Override]:
        """What the file says; nothing if it is not there. ValueError if it cannot be read."""
        content = self._content()
        return parse_overrides(self.path, io.BytesIO(content)) if content else []

    def add(self, new: Sequence[Override]) -> int:
        """Write new lines; returns how many, since what the file says already is not written twice.

        ValueError, with the line, for what contradicts the rest of the file: then nothing is written.
        """
        with self._lock:
            content, count = with_lines(self.path, self._content(), new)
            if count:
                table = read_column(self._stored.run, "identities", ["face_id", "image_id"])
                found = parse_overrides(self.path, io.BytesIO(content))
                resolve(self.path, found, as_text(table["face_id"]), as_text(table["image_id"]))
                self._write(content)
        return count

    def take_out(self, line: int, said: Override) -> None:
        """Delete the row that ends at this line; ConfigError if the file no longer says that there."""
        with self._lock:
            self._write(without_line(self.path, self._content(), line, said))

    def _content(self) -> bytes:
        if not exists(self.path):
            return b""
        with open_binary(self.path) as file:
            return file.read()

    def _write(self, content: bytes) -> None:
        path = str(Path(self.path).resolve()) if is_local(self.path) else self.path  # a link stays one
        with commit_file(path) as out:
            out.write(content)
