"""Rows of a table that a word is in, looked for from a row on and for a limited time."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from beam_pipelines.browse.stored import Stored
from transforms.tables.lineage import kinds
from transforms.tables.shards import open_arrow, shard_path

_ROWS_AT_A_TIME = 16_384
_WORDS = ("url", "label")


@dataclass(frozen=True, slots=True)
class Found:
    """The numbers of the rows, and of the row from which the rest is to be looked through; None: all was."""

    rows: list[int]
    go_on: int | None


def searchable(schema: pa.Schema) -> list[str]:
    """The columns of a table that a search looks into: its ids, URL and label."""
    return [field.name for field in schema if field.name in kinds(schema) or field.name in _WORDS]


def find_rows(
    stored: Stored, table: str, columns: Sequence[str], word: str, start: int, most: int, seconds: float
) -> Found:
    """The first rows from `start` on in which a cell of these columns has the word, capital letters or not.

    Numbers and truth values are the word or not. Stops after so many rows, or after so many seconds and a batch.
    """
    index, end = stored.index(table), time.monotonic() + seconds
    rows: list[int] = []
    for place, (name, _, _) in enumerate(index.shards):
        first = int(index.starts[place])
        if index.starts[place + 1] <= start:
            continue
        with open_arrow(shard_path(stored.run, table, name)) as file:
            for batch in pq.ParquetFile(file).iter_batches(_ROWS_AT_A_TIME, columns=list(columns)):
                found = first + np.flatnonzero(_has(batch, word))
                rows += found[found >= start].tolist()
                first += len(batch)
                if len(rows) > most:
                    return Found(rows[:most], rows[most])
                if time.monotonic() > end and first < index.rows:
                    return Found(rows, max(first, start))
    return Found(rows, None)


def _has(batch: pa.RecordBatch, word: str) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    hit = np.zeros(len(batch), bool)
    for column in batch.columns:
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            found = pc.match_substring(column, word, ignore_case=True)
        else:
            found = pc.equal(column.cast(pa.string()), word)
        hit |= found.fill_null(False).to_numpy(zero_copy_only=False)
    return hit
