"""The end of a curation: check that nothing was lost, join the lines, write the record and the page."""

import gzip
import json
import shutil
from typing import Any

import pyarrow.parquet as pq
from apache_beam.io.filesystems import FileSystems

from beam_pipelines.curating.output import LINES, PLOT, RECORD
from beam_pipelines.curating.record import Plain, record_of
from beam_pipelines.curating.source import TABLE
from beam_pipelines.errors import RunFailed
from beam_pipelines.reports.curation import write_plot
from transforms.curation.tracks.chosen_rows import lines_path, write_nothing
from transforms.curation.tracks.counts import ROWS_TOLD
from transforms.curation.tracks.lines_in import BAD_LINES
from transforms.curation.tracks.pipeline import Curation, kept_path
from transforms.tables.files import commit_file, exists, open_binary
from transforms.tables.shards import open_arrow, shard_names


def finish(curation: Curation, tracks: str) -> Plain:
    """Write lines, record and page, and return the record; RunFailed if the runner has lost or repeated tracks."""
    before, choice = (_read_json(kept_path(curation.work, name)) for name in ("before", "choice"))
    if choice["chosen"]:
        after = _read_json(kept_path(curation.work, "after"))
    else:
        write_nothing(curation.output)
        after = {**before, "rows": 0, "tracks": 0, "videos": 0, "classes": {}}
    _balance(curation, before, after, choice["chosen"])
    bad = [_read_json(path) for path in _bad_lines(curation.work)]
    record = record_of(tracks, curation.settings, before, after, choice["passes"], _join_lines(curation), bad)
    with commit_file(str(FileSystems.join(curation.output, PLOT))) as file:
        write_plot(file, record)
    with commit_file(str(FileSystems.join(curation.output, RECORD))) as file:
        file.write(json.dumps(record, indent=1, ensure_ascii=False).encode() + b"\n")
    return record


def _balance(curation: Curation, before: Plain, after: Plain, chosen: int) -> None:
    """RunFailed unless every row of the input is accounted for, and every chosen track is written."""
    rows = sum(_rows(path) for path in curation.shards())
    told = sum(before[name] for name in ROWS_TOLD)
    if not rows == before["rows"] == told or after["tracks"] != chosen:
        raise RunFailed(
            f"curate: of {rows:,} rows {told:,} are accounted for, and of {chosen:,} chosen tracks {after['tracks']:,} "
            "are written; the runner has lost or repeated some. Give the same command again: it begins anew."
        )


def _rows(path: str) -> int:
    with open_arrow(path) as file:
        return int(pq.read_metadata(file).num_rows)


def _join_lines(curation: Curation) -> int:
    """Join the packed lines of all parts, members of one gzip file; returns how many lines there are."""
    lines = 0
    with commit_file(str(FileSystems.join(curation.output, LINES))) as out:
        for part in shard_names(curation.output, TABLE):
            path = lines_path(curation.work, int(part))
            if not exists(path):
                continue
            with open_binary(path) as file:
                shutil.copyfileobj(file, out, 1 << 20)
            lines += _lines(path)
        if not lines:
            out.write(gzip.compress(b"", mtime=0))
    return lines


def _lines(path: str) -> int:
    with open_binary(path) as file, gzip.open(file) as lines:
        return sum(1 for _ in lines)


def _bad_lines(work: str) -> list[str]:
    pattern = str(FileSystems.join(work, BAD_LINES, "*"))
    return sorted(one.path for one in FileSystems.match([pattern])[0].metadata_list)


def _read_json(path: str) -> dict[str, Any]:
    with open_binary(path) as file:
        return json.loads(file.read())  # type: ignore[no-any-return]
