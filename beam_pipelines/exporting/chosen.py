"""Which rows of a table of pictures are exported: those of kept identities, those of a split, or all."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from beam_pipelines.errors import ConfigError
from transforms.tables.pointers import locate
from transforms.tables.shards import iter_tables, open_arrow, shard_names, shard_path

IDENTITY = "identity"
_TEXT = pa.large_string()  # of all keys together, which may pass 2 GB
_ROWS_AT_ONCE = 64  # with their pictures


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """Keys (N,) of rows, each once, and the number of the identity (N,) of each: null where a face is nobody's."""

    keys: pa.Array
    identity: pa.Array


def chosen(run: str, key: str, split: str | None) -> Chosen | None:
    """The rows of the split, or without one of all kept identities; `key` is face_id, body_id or image_id.

    None if the run tells no persons apart. ConfigError if there is no such split. An image may show several people:
    one of them stands beside it.
    """
    if split is None and not shard_names(run, "identities"):
        return None
    parts = _of_split(run, key, split) if split is not None else _kept(run, key)
    schema = pa.schema([(key, _TEXT), (IDENTITY, pa.int64())])
    rows = pa.concat_tables([schema.empty_table(), *(part.cast(schema) for part in parts)])
    if split is not None and not len(rows):
        raise ConfigError(f"--split {split}: nobody is in such a split; {_splits_there(run)}")
    once = rows.group_by(key, use_threads=False).aggregate([(IDENTITY, "first")])
    return Chosen(_one(once[key]), _one(once[f"{IDENTITY}_first"]))


def _kept(run: str, key: str) -> Iterator[pa.Table]:
    for rows in iter_tables(run, "identities", [key, IDENTITY, "reason"]):
        yield rows.filter(pc.and_(pc.equal(rows["reason"], ""), rows[IDENTITY].is_valid())).select([key, IDENTITY])


def _of_split(run: str, key: str, split: str) -> Iterator[pa.Table]:
    for rows in iter_tables(run, "splits", [key, IDENTITY, "split"]):
        yield rows.filter(pc.equal(rows["split"], split)).select([key, IDENTITY])


def _splits_there(run: str) -> str:
    names = sorted(
        {name for rows in iter_tables(run, "splits", ["split"]) for name in rows["split"].unique().to_pylist()}
    )
    return f"this run has {', '.join(names)}." if names else "this run has none."


def _one(column: pa.ChunkedArray) -> pa.Array:
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


def batches(run: str, table: str, key: str, some: Chosen | None, everything: bool = False) -> Iterator[pa.Table]:
    """The chosen rows of a table in its order, a few dozen at a time, with the column `identity` before the others.

    With `everything` also the rows that are not chosen, whose identity is null; with None all, without that column.
    ConfigError if the table lacks a chosen row.
    """
    if some is None:
        for name in shard_names(run, table):
            for _, rows in _read(shard_path(run, table, name)):
                yield rows
        return
    try:
        found = locate(run, table, key, some.keys)
    except ValueError as error:
        raise ConfigError(str(error)) from error
    order = np.lexsort((found.row, found.shard))
    ends = np.searchsorted(found.shard[order], np.arange(len(found.names) + 1))
    for number, name in enumerate(found.names):
        own = order[ends[number] : ends[number + 1]]
        if not everything and not len(own):
            continue
        for first, rows in _read(shard_path(run, table, name)):
            start, end = np.searchsorted(found.row[own], [first, first + len(rows)])
            here = pa.array(found.row[own[start:end]] - first)
            numbers = some.identity.take(pa.array(own[start:end]))
            if everything:
                place = pc.index_in(pa.array(np.arange(len(rows), dtype=np.int32)), value_set=here)
                yield rows.add_column(0, IDENTITY, numbers.take(place))
            elif len(here):
                yield rows.take(here).add_column(0, IDENTITY, numbers)


def _read(path: str) -> Iterator[tuple[int, pa.Table]]:
    """The rows of a shard, some at a time, each time with the number of the first of them."""
    first = 0
    with open_arrow(path) as file:
        for batch in pq.ParquetFile(file).iter_batches(_ROWS_AT_ONCE):
            yield first, pa.Table.from_batches([batch])
            first += len(batch)
