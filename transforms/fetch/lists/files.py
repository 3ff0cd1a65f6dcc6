"""The files of a list: one file, or the parts in a folder or behind a pattern, in the order of their names."""

import os

from apache_beam.io.filesystem import FileMetadata
from apache_beam.io.filesystems import FileSystems

from transforms.tables.digest import digest, file_digest
from transforms.tables.shards import exists, is_local

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


def list_files(path: str) -> list[str]:
    """The files of the list at a path, a folder or a pattern with `*`, sorted; empty if there are none.

    Hidden files and those that begin with `_` (`_SUCCESS`) are no parts, nor are empty files beside others.
    """
    if _is_folder(path):
        found = _parts(f"{_literal(path.rstrip('/'))}/*")
    elif exists(path):
        return [path]
    elif any(character in path for character in "*?["):
        found = _parts(path)
    else:
        found = [] if is_local(path) else _parts(f"{path.rstrip('/')}/*")
    return [part.path for part in found if part.size_in_bytes] or [part.path for part in found[:1]]


def nothing_at(path: str) -> str:
    """What to say where there is no list."""
    if _is_folder(path):
        return "no list is directly in this folder; name those in folders below it by a pattern such as FOLDER/*/*.csv."
    return "there is no such file."


def _is_folder(path: str) -> bool:
    return is_local(path) and os.path.isdir(path)


def _parts(pattern: str) -> list[FileMetadata]:
    files = FileSystems.match([pattern])[0].metadata_list
    kept = (file for file in files if not os.path.basename(file.path.rstrip("/")).startswith((".", "_")))
    # a `*` of an object store and of Beam's own file system may reach into folders below
    depth = pattern.count("/")
    return sorted((file for file in kept if file.path.count("/") == depth), key=lambda file: file.path)


def _literal(path: str) -> str:
    """The pattern that matches this path only."""
    return "".join(f"[{character}]" if character in "*?[" else character for character in path)


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
    """A hash of the content of a list: of a single file its SHA-256."""
    files = list_files(path)
    if len(files) == 1:
        return file_digest(files[0])
    return digest([[os.path.basename(file), file_digest(file)] for file in files])
