"""The files of a list: one file, or the parts in a folder or behind a pattern, in the order of their names."""

import os
from typing import NamedTuple

from apache_beam.io.filesystems import FileSystems

from transforms.fetch.lists.media_folder import IMAGES, VIDEOS, has_media, media_names
from transforms.tables.digest import digest, file_digest
from transforms.tables.files import exists, is_local

_PACKED = (".gz", ".bz2", ".xz", ".zst")
_FORMATS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
    ".txt": "text",
}


class _Part(NamedTuple):
    path: str
    size: int


def list_files(path: str) -> list[str]:
    """The files of the list at a path, a folder or a pattern with `*`, sorted; empty if there are none.

    Hidden files and those that begin with `_` (`_SUCCESS`) are no parts, nor are empty files beside others.
    """
    if _is_folder(path):
        found = [_Part(entry.path, entry.stat().st_size) for entry in os.scandir(path) if entry.is_file()]
    elif exists(path):
        return [path]
    elif any(character in path for character in "*?["):
        found = _matches(path)
    else:
        found = [] if is_local(path) else _matches(f"{path.rstrip('/')}/*")
    parts = sorted(part for part in found if not os.path.basename(part.path.rstrip("/")).startswith((".", "_")))
    return [part.path for part in parts if part.size] or [part.path for part in parts[:1]]


def _matches(pattern: str) -> list[_Part]:
    depth = pattern.count("/")  # Beam's `*` reaches into folders below, a shell's does not
    found = FileSystems.match([pattern])[0].metadata_list
    return [_Part(file.path, file.size_in_bytes) for file in found if file.path.count("/") == depth]


def is_media_folder(path: str) -> bool:
    """Whether the list is a folder of images or videos: some are in it, or below it and no list beside them."""
    if not _is_folder(path):
        return False
    names = [entry.name for entry in os.scandir(path) if entry.is_file() and not entry.name.startswith((".", "_"))]
    if any(name.lower().endswith(IMAGES + VIDEOS) for name in names):
        return True
    return not any(_format(name) for name in names) and has_media(path)


def nothing_at(path: str) -> str:
    """What to say where there is no list."""
    if _is_folder(path):
        return "no list is directly in this folder; name those in folders below it by a pattern such as FOLDER/*/*.csv."
    return "there is no such file."


def _is_folder(path: str) -> bool:
    return is_local(path) and os.path.isdir(path)


def format_of(files: list[str]) -> str:
    """The format that the names of the files tell; ValueError if they tell none, or several."""
    found = {_format(file): file for file in reversed(files)}
    if None in found:
        raise ValueError(
            f"The name of the manifest {found[None]} does not tell its format; set manifest.format "
            "(csv, tsv, jsonl, parquet, text or list), or name the files by a pattern such as FOLDER/*.csv."
        )
    if len(found) > 1:
        first, second = sorted(found.values())[:2]
        raise ValueError(
            f"{first} and {second} are lists of different formats; name those of one by a pattern such as FOLDER/*.csv."
        )
    return next(kind for kind in found if kind)


def _format(file: str) -> str | None:
    name = file.lower()
    for suffix in _PACKED:
        name = name.removesuffix(suffix)
    return next((kind for extension, kind in _FORMATS.items() if name.endswith(extension)), None)


def list_digest(path: str) -> str:
    """A hash of the content of a list: of a single file its SHA-256, of a folder of media that of their names."""
    if is_media_folder(path):
        return digest([sorted(media_names(path))])
    files = list_files(path)
    if len(files) == 1:
        return file_digest(files[0])
    return digest([[os.path.basename(file), file_digest(file)] for file in files])
