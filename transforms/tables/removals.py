"""What was removed from a run on request: a record that does not repeat it, and the URLs that are never fetched again.

`removals.json` holds a random salt of the run, a salted hash of each URL, and an entry for each removal. While one is
under way its ids stand in `removal-under-way.json`, so that it can be finished; that file goes with its last step.
"""

import hashlib
import hmac
import json
import secrets
from collections.abc import Collection
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from apache_beam.io.filesystems import FileSystems

from transforms.tables.files import commit_file, delete_files, exists, open_binary

RECORD, UNDER_WAY = "removals.json", "removal-under-way.json"
_DIGITS = 32  # of a hash, hex: 128 bits


@dataclass(frozen=True, slots=True)
class Removals:
    """All removals from a run: `urls` are salted hashes, `entries` tell of each removal, oldest first."""

    salt: str = field(default_factory=lambda: secrets.token_hex(32))
    urls: frozenset[str] = frozenset()
    entries: tuple[dict[str, Any], ...] = ()

    def mark(self, text: str) -> str:
        """The hash of a text with the run's salt: HMAC-SHA256, cut to 128 bits, hex."""
        return hmac.new(bytes.fromhex(self.salt), text.encode(), hashlib.sha256).hexdigest()[:_DIGITS]

    def has(self, url: str) -> bool:
        """Whether the URL was removed."""
        return bool(self.urls) and self.mark(url) in self.urls

    def with_entry(self, entry: dict[str, Any], urls: Collection[str]) -> "Removals":
        """These and one more, with its URLs; an entry with the same `id` is replaced."""
        others = tuple(one for one in self.entries if one["id"] != entry["id"])
        return replace(self, urls=self.urls.union(map(self.mark, urls)), entries=(*others, entry))


def read_removals(run: str) -> Removals:
    """The removals from a run; none, with a new salt, if there was no removal. ValueError for a broken record."""
    found = _read(run, RECORD)
    if found is None:
        return Removals()
    try:
        entries = tuple({**entry} for entry in found["removals"])
        return Removals(str(found["salt"]), frozenset(map(str, found["urls"])), entries)
    except (KeyError, TypeError) as error:
        raise _broken(run, RECORD) from error


def write_removals(run: str, removals: Removals) -> None:
    """Replace the record, whole or not at all."""
    content = {"salt": removals.salt, "urls": sorted(removals.urls), "removals": list(removals.entries)}
    _write(run, RECORD, content)


@dataclass(frozen=True, slots=True)
class UnderWay:
    """A removal that has begun: what goes, and what its entry in the record will be.

    gone: ids, and URLs under `url`, by what they name; files and folders: names below the run that are deleted;
    remade: stages whose files are deleted, so that the next run makes them anew; kept_up: stages on whole tables that
    are up to date and stay so; asked: the salted hash of the command that began it.
    """

    asked: str
    entry: dict[str, Any]
    gone: dict[str, list[str]]
    files: list[str]
    remade: list[str]
    kept_up: list[str]


def read_under_way(run: str) -> UnderWay | None:
    """The removal that has begun and is not finished, if there is one. ValueError for a broken file."""
    found = _read(run, UNDER_WAY)
    if found is None:
        return None
    try:
        return UnderWay(**found)
    except TypeError as error:
        raise _broken(run, UNDER_WAY) from error


def is_under_way(run: str) -> bool:
    """Whether a removal has begun and is not finished."""
    return exists(_path(run, UNDER_WAY))


def begin(run: str, removal: UnderWay) -> None:
    """From now on the removal is under way."""
    _write(run, UNDER_WAY, asdict(removal))


def end(run: str) -> None:
    """The removal is finished: what it was about is nowhere in the run any more."""
    delete_files([_path(run, UNDER_WAY)])


def _path(run: str, name: str) -> str:
    return str(FileSystems.join(run, name))


def _read(run: str, name: str) -> dict[str, Any] | None:
    if not exists(_path(run, name)):
        return None
    with open_binary(_path(run, name)) as file:
        try:
            found = json.loads(file.read())
        except ValueError as error:
            raise _broken(run, name) from error
    if not isinstance(found, dict):
        raise _broken(run, name)
    return found


def _write(run: str, name: str, content: dict[str, Any]) -> None:
    with commit_file(_path(run, name)) as out:
        out.write((json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode())


def _broken(run: str, name: str) -> ValueError:
    return ValueError(f"{_path(run, name)}: this file is broken; restore it from a copy of the run.")
