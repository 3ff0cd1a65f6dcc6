"""What a removal is asked to take out of a run: values of the command line, or files with one a line."""

import csv
import os
from collections.abc import Sequence
from dataclasses import dataclass, field

from beam_pipelines.errors import ConfigError

_HEADERS = {
    "urls": ("url",),
    "images": ("image_id", "video_id", "id"),
    "identities": ("identity",),
}  # columns of a CSV file, by what is asked for


@dataclass(frozen=True, slots=True)
class Asked:
    """URLs and ids of items of the list, and numbers of identities.

    pictures: whether the images, or videos, in which the identities are seen go too; None where none is asked for.
    reference: the user's own name for the request, which the record of the removal has.
    """

    urls: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    identities: tuple[int, ...] = field(default=())
    pictures: bool | None = None
    reference: str | None = None

    @property
    def anything(self) -> bool:
        """Whether anything is asked for."""
        return bool(self.urls or self.images or self.identities)


def read_asked(
    urls: Sequence[str],
    images: Sequence[str],
    identities: Sequence[str],
    pictures: bool | None = None,
    reference: str | None = None,
) -> Asked:
    """What is asked for by these words, each a file of this machine or an item itself; ConfigError if it is unclear."""
    numbers = [_number(text) for text in _items(identities, "identities")]
    if numbers and pictures is None:
        raise ConfigError(
            "--identities: say what becomes of the images or videos that they are seen in: --with-images removes them "
            "too; --keep-images takes only their faces, bodies and vectors out, and whoever looks for faces in the "
            "images again finds them again."
        )
    return Asked(tuple(_items(urls, "urls")), tuple(_items(images, "images")), tuple(numbers), pictures, reference)


def _items(words: Sequence[str], kind: str) -> list[str]:
    """All items that the words name, each once, in order."""
    found = [item for word in words for item in (_lines(word, kind) if os.path.isfile(word) else [word.strip()])]
    return list(dict.fromkeys(filter(None, found)))


def _lines(path: str, kind: str) -> list[str]:
    """The items of a file: lines of text; of a CSV file the column of that name, or else the first one."""
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            if not path.lower().endswith(".csv"):
                return [line.strip() for line in file]
            rows = [row for row in csv.reader(file) if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"--{kind} {path}: this is no text with one a line ({error}).") from error
    names = [cell.strip().lower() for cell in rows[0]] if rows else []
    column = next((names.index(name) for name in _HEADERS[kind] if name in names), None)
    if column is None:
        return [row[0].strip() for row in rows]
    return [row[column].strip() for row in rows[1:] if column < len(row)]


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise ConfigError(f"--identities {text[:200]}: this is neither a file nor the number of an identity.")
    return int(text)
