"""Files of lines in the form of TrackVerse as shards of tracks: what is read twice is parsed once."""

import json
from collections.abc import Iterator

from apache_beam.io.filesystems import FileSystems

from transforms.tables.digest import digest
from transforms.tables.files import commit_file
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import shard_path, write_rows
from transforms.tables.track_rows import Track
from transforms.tables.trackverse import from_line
from transforms.tables.trackverse_files import read_lines

ROWS_PER_SHARD = 2048
BAD_LINES = "bad_lines"  # the folder of the work folder in which they are told
_TOLD = 100  # bad lines of a file that are told by number


def write_shards(path: str, work: str, table: str) -> Iterator[str]:
    """Write the tracks of a file as shards, whose paths it gives; what is no track is told in a file beside them."""
    name = digest(path)
    rows: list[Track] = []
    told: list[str] = []
    bad = shards = 0
    for number, line in read_lines(path):
        try:
            rows.append(from_line(line, path))
        except ValueError as error:
            bad += 1
            told += [f"{path}: line {number}: {' '.join(str(error).split())}"] if bad <= _TOLD else []
        if len(rows) == ROWS_PER_SHARD:
            yield _write(rows, work, table, f"{name}-{shards:05d}")
            rows, shards = [], shards + 1
    if rows:
        yield _write(rows, work, table, f"{name}-{shards:05d}")
    if bad:
        with commit_file(str(FileSystems.join(work, BAD_LINES, f"{name}.json"))) as file:
            file.write(json.dumps({"file": path, "lines": bad, "told": told}).encode())


def _write(rows: list[Track], work: str, table: str, name: str) -> str:
    path = shard_path(work, table, name)
    write_rows(path, rows, arrow_schema(Track))
    return path
