"""Sharded parquet through Beam's file systems: a shard appears whole or not at all.

A table is the folder `<run>/<table>`; its shards are `part-<name>.parquet`. Readers list committed names only.
"""

import io
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import fields
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from apache_beam.io.filesystems import FileSystems

from transforms.tables.files import commit_file, is_local, open_binary

Row = TypeVar("Row")
ROWS_PER_GROUP = 128  # read back by pointer, one group at a time: small enough that a group of images is a few MB
SLIM_ROWS_PER_GROUP = 65_536  # without files in the rows: few enough groups that footers stay small
_FOOTERS_AT_ONCE = 32
_FILES_AT_ONCE, _SLIM_AT_ONCE = 32, 4096  # rows that `iter_rows` has in memory, at most
_BYTES_AT_ONCE = 32 * 2**20  # and about so many bytes of slim ones: those of whole shots are long
_PREFIX, _SUFFIX = "part-", ".parquet"
_ONE_REQUEST = 16 * 2**20  # bytes: what Beam's reader of Google's store fetches at a time, however little is asked for
_ARRAYS = {"halffloat": np.float16, "float": np.float32, "int32": np.int32}  # lists of these are read as arrays


def shard_path(run: str, table: str, name: str) -> str:
    """The path of one shard of a table of the run."""
    return str(FileSystems.join(run, *table.split("/"), f"{_PREFIX}{name}{_SUFFIX}"))


def shard_names(run: str, table: str) -> list[str]:
    """The names of the committed shards of a table, sorted; empty if there is no such table."""
    pattern = FileSystems.join(run, *table.split("/"), f"{_PREFIX}*{_SUFFIX}")
    paths = (found.path for found in FileSystems.match([pattern])[0].metadata_list)
    return sorted(os.path.basename(path)[len(_PREFIX) : -len(_SUFFIX)] for path in paths)


def column_names(run: str, table: str) -> list[str]:
    """The columns of a table, as its first shard has them; none if there is no such table."""
    names = shard_names(run, table)
    if not names:
        return []
    with open_arrow(shard_path(run, table, names[0])) as file:
        return list(pq.read_schema(file).names)


def remove_other_shards(run: str, table: str, names: Collection[str]) -> None:
    """Delete the shards of a table that an earlier state of its input left and that no longer belong to it."""
    others = [shard_path(run, table, name) for name in sorted(set(shard_names(run, table)) - set(names))]
    if others:
        FileSystems.delete(others)


def to_table(rows: Sequence[Any], schema: pa.Schema) -> pa.Table:
    """The rows (dataclasses of the schema's row type) as an Arrow table."""
    return pa.table([_column([getattr(row, f.name) for row in rows], f.type) for f in schema], schema=schema)


def _column(cells: list[Any], kind: pa.DataType) -> pa.Array:
    if pa.types.is_nested(kind):  # Arrow takes arrays of one dimension only
        cells = [cell.tolist() if isinstance(cell, np.ndarray) and cell.ndim > 1 else cell for cell in cells]
    return pa.array(cells, type=kind)


def write_shard(path: str, table: pa.Table, metadata: Mapping[str, str] | None = None) -> None:
    """Commit one shard; `metadata` goes to the parquet footer, under keys that start with `manyfaces.`."""
    with _shard_writer(path, table.schema, metadata) as writer:
        writer.write_table(table, row_group_size=_group_rows(table.schema))


def write_rows(path: str, rows: Sequence[Any], schema: pa.Schema, metadata: Mapping[str, str] | None = None) -> None:
    """Commit rows (dataclasses of the schema's row type) as one shard, a row group in memory at a time."""
    group = _group_rows(schema)
    with _shard_writer(path, schema, metadata) as writer:
        for start in range(0, len(rows), group):
            writer.write_table(to_table(rows[start : start + group], schema), row_group_size=group)


def _group_rows(schema: pa.Schema) -> int:
    return ROWS_PER_GROUP if _has_files(schema) else SLIM_ROWS_PER_GROUP


def _has_files(schema: pa.Schema) -> bool:
    return any(pa.types.is_binary(f.type) for f in schema)


@contextmanager
def _shard_writer(path: str, schema: pa.Schema, metadata: Mapping[str, str] | None) -> Iterator[pq.ParquetWriter]:
    """Binary columns hold compressed files and are stored as they are; the rest is zstd."""
    if metadata:
        schema = schema.with_metadata({f"manyfaces.{key}": value for key, value in metadata.items()})
    compression = {f.name: "none" if pa.types.is_binary(f.type) else "zstd" for f in schema}
    text = [f.name for f in schema if pa.types.is_string(f.type)]
    with (
        commit_file(path) as out,
        pq.ParquetWriter(out, schema, compression=compression, use_dictionary=text) as writer,
    ):
        yield writer


def filter_shard(path: str, keep: Callable[[pa.Table], pa.Array], columns: list[str]) -> int:
    """Write a shard anew without some of its rows, with the same footer; returns how many went, 0 if none had to.

    keep(table): whether each row (N,) stays, of a row group with these columns only. One row group is in memory.
    """
    with open_arrow(path) as file:
        shard = pq.ParquetFile(file)
        groups = range(shard.num_row_groups)
        stays = [keep(shard.read_row_group(group, columns)) for group in groups]
        lost = sum(len(mask) - pc.sum(mask).as_py() if len(mask) else 0 for mask in stays)
        if lost:
            with _shard_writer(path, shard.schema_arrow.remove_metadata(), read_footer(path)[1]) as writer:
                for group in groups:
                    rows = shard.read_row_group(group).filter(stays[group])
                    if len(rows):
                        writer.write_table(rows.replace_schema_metadata(), row_group_size=_group_rows(rows.schema))
    return int(lost)


@contextmanager
def open_arrow(path: str) -> Iterator[pa.NativeFile]:
    """The file as Arrow reads it; a small object is fetched whole, by one request instead of one for every piece."""
    with open_binary(path) as file:
        if not is_local(path) and file.seek(0, io.SEEK_END) <= _ONE_REQUEST:
            file.seek(0)
            yield pa.BufferReader(file.read())
        else:
            yield pa.PythonFile(file, mode="r")


def read_shard(path: str, columns: list[str] | None = None) -> pa.Table:
    """One shard, or some of its columns."""
    with open_arrow(path) as file:
        return pq.read_table(file, columns=columns)


def read_footer(path: str) -> tuple[int, dict[str, str]]:
    """The number of rows of a shard and what `write_shard` was given as metadata."""
    with open_binary(path) as file:
        footer = pq.read_metadata(pa.PythonFile(file, mode="r"))
    pairs = (footer.metadata or {}).items()
    return footer.num_rows, {
        key.decode().removeprefix("manyfaces."): value.decode() for key, value in pairs if key.startswith(b"manyfaces.")
    }


def read_footers(run: str, table: str, names: Sequence[str]) -> list[tuple[int, dict[str, str]]]:
    """What `read_footer` says of some shards of a table, in their order; many at once where each is a round trip."""
    paths = [shard_path(run, table, name) for name in names]
    if is_local(run):
        return [read_footer(path) for path in paths]
    with ThreadPoolExecutor(_FOOTERS_AT_ONCE) as pool:
        return list(pool.map(read_footer, paths))


def read_column(run: str, table: str, columns: list[str], names: Sequence[str] | None = None) -> pa.Table:
    """Some columns of all shards of a table, or of those of these names, in their order."""
    names = shard_names(run, table) if names is None else names
    parts = [read_shard(shard_path(run, table, name), columns) for name in names]
    if not parts:
        raise FileNotFoundError(f"the run {run} has no table {table}")
    return pa.concat_tables(parts)


def iter_tables(run: str, table: str, columns: list[str] | None = None) -> Iterator[pa.Table]:
    """The shards of a table one by one, or some columns of them."""
    for name in shard_names(run, table):
        yield read_shard(shard_path(run, table, name), columns)


def iter_rows(path: str, row_type: type[Row]) -> Iterator[Row]:
    """The rows of a shard one by one; only one batch is in memory. Lists of float16, float32 or int32 become arrays."""
    names = [f.name for f in fields(row_type)]  # type: ignore[arg-type]
    with open_arrow(path) as file:
        shard = pq.ParquetFile(file)
        for batch in shard.iter_batches(_rows_at_once(shard), columns=names):
            for values in zip(*(_values(batch.column(name)) for name in names), strict=True):
                yield row_type(*values)


def _rows_at_once(shard: pq.ParquetFile) -> int:
    if _has_files(shard.schema_arrow):
        return _FILES_AT_ONCE
    footer = shard.metadata
    size: int = sum(footer.row_group(group).total_byte_size for group in range(footer.num_row_groups))
    return max(1, min(_SLIM_AT_ONCE, _BYTES_AT_ONCE * int(footer.num_rows) // max(1, size)))


def _values(column: pa.Array) -> list[Any]:
    if pa.types.is_list(column.type) or pa.types.is_fixed_size_list(column.type):
        leaf = column.type
        while pa.types.is_list(leaf) or pa.types.is_fixed_size_list(leaf):
            leaf = leaf.value_type
        dtype = _ARRAYS.get(str(leaf))
        if dtype is not None:
            return [None if value is None else np.asarray(value, dtype=dtype) for value in column.to_pylist()]
    return column.to_pylist()  # type: ignore[no-any-return]
