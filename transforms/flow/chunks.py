"""Chunks: what one element of a job stands for, and the items in it.

A chunk is a shard of a table, or the rows of a retry; it becomes one shard, of the chunk's name, in every table that
its job writes.
"""

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from typing import Any, TypeVar

import apache_beam as beam
from apache_beam.typehints.decorators import no_annotations

from transforms.flow.items import Item
from transforms.tables.ledger import RETRIES
from transforms.tables.retry import retried_rows
from transforms.tables.schemas import key_name
from transforms.tables.shards import iter_rows, iter_tables, read_footers, shard_path

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Chunk:
    """A unit of work, which becomes the shards called `name`: the rows of that shard of `table`.

    Of a retry it is the rows that the shard `name` of `retries` lists. It says no more than that: all chunks stand in
    the description of their job.
    """

    name: str
    table: str
    retry: bool = False


def count_rows(run: str, chunks: Iterable[Chunk]) -> int:
    """How many rows the chunks have; footers only."""
    names: dict[str, list[str]] = {}
    for chunk in chunks:
        names.setdefault(RETRIES if chunk.retry else chunk.table, []).append(chunk.name)
    return sum(rows for table, some in names.items() for rows, _ in read_footers(run, table, some))


def chunk_items(
    run: str, chunk: Chunk, row_type: type[Row], without: frozenset[str] = frozenset()
) -> Iterator[Item[Row]]:
    """The chunk's rows as items whose shares add up to 1; an empty chunk is one item without a row.

    Rows with an id in `without` have been dropped by an earlier stage: they only carry their share.
    """
    total = count_rows(run, [chunk])
    if total == 0:
        yield Item(chunk.name, (), Fraction(1), None)
        return
    share = Fraction(1, total)
    key = key_name(row_type)
    place = 0
    wanted: Mapping[str, Set[str] | None] = retried_rows(run, chunk.name) if chunk.retry else {chunk.name: None}
    for shard, ids in wanted.items():
        for row in iter_rows(shard_path(run, chunk.table, shard), row_type):
            row_id = getattr(row, key)
            if ids is None or row_id in ids:
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
