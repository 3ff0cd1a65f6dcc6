"""The chosen tracks, copied row by row from the shards that have them, into new shards in the order of their lots.

Rows never meet a shuffle: a worker copies what it finds of each part into a file of its own, and the part's writer
reads its piece of each of these files.
"""

import gzip
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from apache_beam.io.filesystems import FileSystems

from transforms.curation.tracks.counts import Counts
from transforms.curation.tracks.lot_files import CHOSEN, read_lots
from transforms.curation.tracks.lots import U64, lots, ranks_among
from transforms.tables.digest import digest
from transforms.tables.files import commit_file
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import iter_rows, open_arrow, shard_path, write_shard
from transforms.tables.track_rows import Track
from transforms.tables.trackverse import to_line, track_record

ROWS_PER_PART = 4096  # of a shard that is written
_ROWS_AT_A_TIME = 1024
_BYTES_AT_A_TIME = 48 * 2**20  # of rows that wait to be copied
_SCHEMA = arrow_schema(Track)
_LOT = "lot"
_HASH = re.compile(r".*-([0-9a-f]{32})")


@dataclass(frozen=True, slots=True)
class Piece:
    """Rows of one part in a file of copies: its batch of this number."""

    path: str
    batch: int


def lines_path(work: str, part: int) -> str:
    """The file with the lines of a part, packed."""
    return str(FileSystems.join(work, "lines", f"{part:05d}.jsonl.gz"))


def copy_chosen(path: str, work: str, seed: int) -> Iterator[tuple[int, Piece]]:
    """Copy the chosen rows of a shard; says of each part where its rows are."""
    chosen = read_lots(work, CHOSEN)
    waiting: list[pa.Table] = []
    copies = 0
    with open_arrow(path) as file:
        for batch in pq.ParquetFile(file).iter_batches(_ROWS_AT_A_TIME, columns=_SCHEMA.names):
            own = lots(batch["track_id"].to_pylist(), seed)
            places = np.flatnonzero(ranks_among(own, chosen) >= 0)
            if not len(places):
                continue
            rows = pa.Table.from_batches([batch]).take(pa.array(places)).cast(_SCHEMA)
            waiting.append(rows.append_column(_LOT, pa.array(own[places])))
            if sum(some.nbytes for some in waiting) > _BYTES_AT_A_TIME:
                yield from _copy(waiting, chosen, _copy_path(work, path, copies))
                waiting, copies = [], copies + 1
    if waiting:
        yield from _copy(waiting, chosen, _copy_path(work, path, copies))


def _copy_path(work: str, path: str, number: int) -> str:
    return str(FileSystems.join(work, "copies", f"{digest(path)}-{number}.arrow"))


def _copy(waiting: list[pa.Table], chosen: U64, path: str) -> Iterator[tuple[int, Piece]]:
    """Write the rows, a batch for each part."""
    table = pa.concat_tables(waiting)
    parts = ranks_among(table[_LOT].to_numpy(), chosen) // ROWS_PER_PART
    order = np.argsort(parts, kind="stable")
    numbers, starts = np.unique(parts[order], return_index=True)
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    with commit_file(path) as file, pa.ipc.new_file(file, table.schema, options=options) as writer:
        for places in np.split(order, starts[1:]):
            writer.write_batch(table.take(pa.array(places)).combine_chunks().to_batches()[0])
    for number, part in enumerate(numbers.tolist()):
        yield part, Piece(path, number)


def write_part(gathered: tuple[int, Iterable[Piece]], output: str, work: str) -> Counts:
    """Write a part's shard and its lines, by lot; of a track that stands there several times, one row."""
    part, pieces = gathered
    batches = []
    for piece in sorted(pieces, key=lambda piece: (piece.path, piece.batch)):
        with open_arrow(piece.path) as file:
            batches.append(pa.ipc.open_file(file).get_batch(piece.batch))
    table = _each_once(pa.Table.from_batches(batches))
    path = shard_path(output, "tracks", f"{part:05d}")
    write_shard(path, table.select(_SCHEMA.names).cast(_SCHEMA))
    _write_lines(path, part, lines_path(work, part))
    classes = table["class_name"].value_counts()
    videos = pc.unique(table["video_id"]).to_pylist()
    return Counts(
        rows=len(table),
        tracks=len(table),
        classes={one["values"]: one["counts"] for one in classes.to_pylist()},
        videos=lots(videos, 0),
    )


def write_nothing(output: str) -> None:
    """A table without rows, where no track is chosen."""
    write_shard(shard_path(output, "tracks", f"{0:05d}"), _SCHEMA.empty_table())


def _each_once(table: pa.Table) -> pa.Table:
    """By lot, each once; if the rows of a track differ, which one it is depends on what is in them alone."""
    own = table[_LOT].to_numpy()
    order = np.argsort(own, kind="stable")
    table, own = table.take(pa.array(order)), own[order]
    again = np.flatnonzero(np.diff(own) == 0)
    if not len(again):
        return table
    stay = np.ones(len(own), bool)
    for lot in np.unique(own[again]).tolist():
        places = np.flatnonzero(own == np.uint64(lot))
        rows = [repr(table.slice(place, 1).to_pylist()) for place in places.tolist()]
        stay[places] = False
        stay[places[rows.index(min(rows))]] = True
    return table.filter(pa.array(stay))


def _write_lines(path: str, part: int, lines: str) -> None:
    """The rows of a shard as lines of TrackVerse, the same bytes whenever and wherever they are written."""
    with (
        commit_file(lines) as file,
        gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=file, mtime=0) as packed,
    ):
        for place, track in enumerate(iter_rows(path, Track)):
            if len(track.top_names):  # the form has no line for a track without classes
                packed.write(to_line(line_record(track, part * ROWS_PER_PART + place)))


def line_record(track: Track, number: int) -> dict[str, Any]:
    """A line of a subset: with the video's id, and the track's own hash where its id is one of TrackVerse's."""
    record = track_record(track, number)
    named = _HASH.fullmatch(track.track_id)
    return {"yid": track.video_id, **({"tid": named[1]} if named else {}), **record}
