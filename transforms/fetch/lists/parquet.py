"""Parquet: records of plain values, whatever the types of the columns; what is large in memory only is kept out of it.

Text and bytes are read as dictionaries, so that a value that many rows share is in memory once; a batch has as many
rows as its size allows, and a file that announces more than its bytes can hold is refused before it is read.
"""

import io
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from transforms.fetch.lists.arrow_values import cells
from transforms.fetch.lists.columns import told_apart
from transforms.fetch.lists.parquet_footer import RowGroup, row_groups
from transforms.fetch.lists.record import Record
from transforms.fetch.lists.text import LARGE, MAX_GROWTH, PARQUET, first_bytes

_BATCH_ROWS, _BATCH_BYTES, _BATCH_VALUES = 8192, 64 * 2**20, 2**20
_MANY, _PER_BYTE = 10_000_000, 100  # rows, or values of a column: that many are no bomb; rows of a byte of the file
_TEXTS = {"STRING", "NONE", "JSON", "BSON", "ENUM"}


def read_parquet(
    file: BinaryIO, check: Callable[[list[str]], frozenset[str]], left_out: Counter[str]
) -> Iterator[Record]:
    """The records of a parquet file; `check` is given the names of the columns and returns those that are used.

    `left_out` counts the cells by column that are too large to be carried. ValueError for a file that is damaged.
    """
    if first_bytes(file)[:4] != PARQUET:
        raise ValueError("this is no parquet file: it does not begin with PAR1.")
    try:
        manifest = _open(file)
        groups = row_groups(file)
        _check_growth(groups, manifest.schema.names, file.seek(0, io.SEEK_END))
        names = manifest.schema_arrow.names
        used = check(names)
        apart = told_apart(names)
        rows = 0
        for batch, kept in _batches(manifest, groups, used):
            rows += batch.num_rows
            left_out.update({name: batch.num_rows for place, name in enumerate(names) if place not in kept})
            columns: list[list[Any]] = [[None] * batch.num_rows for _ in names]
            for column, place in zip(batch.columns, kept, strict=True):
                columns[place] = cells(column, names[place] in used, names[place], left_out)
            for row in zip(*columns, strict=True):
                yield dict(zip(apart, row, strict=True))
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"the parquet file is damaged: {' '.join(str(error).split())[:300]}") from error
    if rows != manifest.metadata.num_rows:
        raise ValueError(f"the parquet file is damaged: it has {rows} rows of {manifest.metadata.num_rows}.")


def _open(file: BinaryIO) -> pq.ParquetFile:
    schema = pq.ParquetFile(pa.PythonFile(file, mode="r")).schema
    leaves = [schema.column(place) for place in range(len(schema.names))]
    texts = [leaf.path for leaf in leaves if leaf.physical_type == "BYTE_ARRAY" and leaf.logical_type.type in _TEXTS]
    return pq.ParquetFile(pa.PythonFile(file, mode="r"), read_dictionary=texts, coerce_int96_timestamp_unit="us")


def _check_growth(groups: list[RowGroup], names: list[str], size: int) -> None:
    """ValueError if the footer announces more than a list of so many bytes can hold."""
    most = max(_MANY, _PER_BYTE * size)
    for group in groups:
        for name, chunk in zip(names, group.chunks, strict=False):
            if chunk.values > most or chunk.unpacked > max(LARGE, MAX_GROWTH * chunk.packed):
                raise ValueError(
                    f"the parquet file of {size} bytes announces {chunk.values} values of {chunk.unpacked} bytes in "
                    f"the column {name!r}; no list does."
                )
    rows = sum(group.rows for group in groups)
    if rows > most:
        raise ValueError(f"the parquet file of {size} bytes announces {rows} rows; no list does.")


def _batches(
    manifest: pq.ParquetFile, groups: list[RowGroup], used: frozenset[str]
) -> Iterator[tuple[pa.RecordBatch, list[int]]]:
    """The batches of all row groups, each with the places of the columns in it: those that cannot be read are not."""
    names = manifest.schema_arrow.names
    kept = list(range(len(names)))
    for number, group in enumerate(groups):
        done, size = 0, _batch_rows(group)
        while True:
            before = 0  # rows of this group that were given before another of its columns could not be read
            try:
                for batch in manifest.iter_batches(size, row_groups=[number], columns=_wanted(names, kept)):
                    if before >= done:
                        yield batch, kept
                        done += batch.num_rows
                    before += batch.num_rows
                break
            except (pa.ArrowException, OSError):
                fine = {name for name in {names[place] for place in kept} if _can_be_read(manifest, number, size, name)}
                left = [place for place in kept if names[place] in used | fine]
                if left == kept:
                    raise
                kept = left


def _batch_rows(group: RowGroup) -> int:
    size = sum(chunk.unpacked for chunk in group.chunks)
    values = max((chunk.values for chunk in group.chunks), default=0)
    rows = min(group.rows * _BATCH_BYTES // max(size, 1), group.rows * _BATCH_VALUES // max(values, 1))
    return max(1, min(rows, _BATCH_ROWS))


def _wanted(names: list[str], kept: list[int]) -> list[str] | None:
    return None if len(kept) == len(names) else [names[place] for place in kept]


def _can_be_read(manifest: pq.ParquetFile, group: int, size: int, name: str) -> bool:
    try:
        for _ in manifest.iter_batches(size, row_groups=[group], columns=[name]):
            pass
    except (pa.ArrowException, OSError):
        return False
    return True
