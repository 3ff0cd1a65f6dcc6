"""Folders of picture files: a class folder for each identity, or numbered folders with a list in JSON beside them."""

import json
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from apache_beam.io.filesystems import FileSystems

from beam_pipelines.errors import ConfigError
from beam_pipelines.exporting.chosen import IDENTITY
from beam_pipelines.exporting.source import Source, suffix
from transforms.tables.files import commit_file
from transforms.tables.item_ids import safe_id

LIST = "metadata.jsonl"
FILES_PER_FOLDER = 1000
_HEAVY = ("mesh",)  # columns that no list of pictures needs: 468 points a face


def write_imagefolder(source: Source, folder: str) -> int:
    """`<identity>/<id>.jpg`, below a folder for each split if there are any; returns the number of pictures.

    ConfigError if rows have no identity: folders are classes.
    """
    _check_identities(source)
    count = 0
    for split in source.parts():
        for row in rows(source, split):
            picture = row[source.picture]
            name = f"{safe_id(row[source.key])}{suffix(picture)}"
            put(picture, folder, *filter(None, [split]), f"{row[IDENTITY]:06d}", name)
            count += 1
    return count


def _check_identities(source: Source) -> None:
    some = [source.chosen(split) for split in source.parts()]
    if source.everything or not source.of_people or any(one is None or one.identity.null_count for one in some):
        raise ConfigError(
            f"--as imagefolder: its folders are identities, and not every row of {source.table} has one here; choose "
            "faces or bodies of kept identities (no --all, no split of faces that are nobody's), or --as jsonl."
        )


def write_jsonl(source: Source, folder: str) -> int:
    """`metadata.jsonl`, an object a picture with its file and columns, beside `images/`; returns the pictures.

    With splits each has its own folder with both. `file_name` is relative to the list.
    """
    count = 0
    for split in source.parts():
        place = FileSystems.join(folder, split) if split else folder
        with commit_file(FileSystems.join(place, LIST)) as out:
            for row, name in numbered(source, split, place):
                told = {key: cell for key, cell in row.items() if key not in (source.picture, *_HEAVY)}
                out.write((json.dumps({"file_name": f"images/{name}", **told}, ensure_ascii=False) + "\n").encode())
                count += 1
    return count


def rows(source: Source, split: str | None) -> Iterator[dict[str, Any]]:
    """The rows of a split one by one."""
    for batch in source.batches(split):
        yield from batch.to_pylist()


def numbered(source: Source, split: str | None, folder: str) -> Iterator[tuple[dict[str, Any], str]]:
    """Write the pictures of a split below `images/`, 1,000 a folder; gives each row with its file's name there."""
    for number, row in enumerate(rows(source, split)):
        picture = row[source.picture]
        name = PurePosixPath(f"{number // FILES_PER_FOLDER:05d}", f"{safe_id(row[source.key])}{suffix(picture)}")
        put(picture, folder, "images", *name.parts)
        yield row, str(name)


def put(picture: bytes, *path: str) -> None:
    """Write a picture to a path."""
    with commit_file(FileSystems.join(*path)) as out:
        out.write(picture)
