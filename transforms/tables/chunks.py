"""Chunks: what one element of a job stands for, and the items in it.

A chunk is some shards of a table, or some rows of them; it becomes one shard, of the chunk's name, in every table that
its job writes.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from fractions import Fraction
from itertools import chain
from typing import Any, TypeVar

import apache_beam as beam
from apache_beam.typehints.decorators import no_annotations

from transforms.tables.flow import Item
from transforms.tables.shards import iter_rows, iter_tables, read_footers, shard_path

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Part:
    """A shard to read: all of it, or only the rows with these ids."""

    shard: str
    ids: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Chunk:
    """A unit of work: `parts` of `table` that become the shards called `name`."""

    name: str
    table: str
    parts: tuple[Part, ...]


def key_name(row_type: type) -> str:
    """The key column of a row type: its first field."""
    return fields(row_type)[0].name


def chunk_rows(run: str, chunk: Chunk) -> int:
    """How many rows the chunk has; footers only."""
    whole = [part.shard for part in chunk.parts if part.ids is None]
    some = sum(len(part.ids) for part in chunk.parts if part.ids is not None)
    return some + sum(rows for rows, _ in read_footers(run, chunk.table, whole))


def chunk_items(
    run: str, chunk: Chunk, row_type: type[Row], without: frozenset[str] = frozenset()
) -> Iterator[Item[Row]]:
    """The chunk's rows as items whose shares add up to 1; an empty chunk is one item without a row.

    Rows with an id in `without` have been dropped by an earlier stage: they only carry their share.
    """
    total = chunk_rows(run, chunk)
    if total == 0:
        yield Item(chunk.name, (), Fraction(1), None)
        return
    share = Fraction(1, total)
    key = key_name(row_type)
    place = 0
    for part in chunk.parts:
        for row in iter_rows(shard_path(run, chunk.table, part.shard), row_type):
            row_id = getattr(row, key)
            if part.ids is None or row_id in part.ids:
                yield Item(chunk.name, (place,), share, None if row_id in without else row)
                place += 1
    if place != total:
        raise LookupError(
            f"{run}: the table {chunk.table} has {place} of {total} rows of the chunk {chunk.name}; its shards changed "
            f"after the retry was planned: delete retries/part-{chunk.name}.parquet and retry again."
        )


class ReadChunks(beam.DoFn):
    """Chunk -> its items; `without` names a table of ids (its first column) that are left out."""

    def __init__(self, run: str, row_type: type[Any], without: str | None = None) -> None:
        self._run, self._row_type, self._table = run, row_type, without
        self._without: frozenset[str] = frozenset()

    def setup(self) -> None:
        """Read the ids to leave out, once a worker."""
        if self._table is not None:
            ids = (table.column(0).to_pylist() for table in iter_tables(self._run, self._table))
            self._without = frozenset(chain.from_iterable(ids))

    @no_annotations  # Beam would refuse what takes Item[Image]: to it a generic type fits itself only
    def process(self, chunk: Chunk) -> Iterator[Item[Any]]:
        """Stream the chunk's rows."""
        yield from chunk_items(self._run, chunk, self._row_type, self._without)
