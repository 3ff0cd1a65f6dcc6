"""Sharded parquet through Beam's file systems: a shard appears whole or not at all.

A table is the folder `<run>/<table>`; its shards are `part-<name>.parquet`. Writing goes to a temporary name and is
moved into place by one rename (a local path) or is one object write (an object store); readers list committed names
only.
"""

import io
import os
import re
import shutil
import tempfile
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import fields
from typing import Any, BinaryIO, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

from transforms.disk import full, is_full
from transforms.tables.upload import http_status, upload

Row = TypeVar("Row")
ROWS_PER_GROUP = 128  # read back by pointer, one group at a time: small enough that a group of images is a few MB
SLIM_ROWS_PER_GROUP = 65_536  # without files in the rows: few enough groups that footers stay small
_FOOTERS_AT_ONCE = 32
_FILES_AT_ONCE, _SLIM_AT_ONCE = 32, 4096  # rows that `iter_rows` has in memory
_PREFIX, _SUFFIX = "part-", ".parquet"
_ONE_REQUEST = 16 * 2**20  # bytes: what Beam's reader of Google's store fetches at a time, however little is asked for
_ARRAYS = {"halffloat": np.float16, "float": np.float32}  # lists of these are read as arrays
_IN_MEMORY = 32 * 2**20  # bytes of an upload; more wait on the worker's disk

# else Google's client asks for the bucket's own record, for traces, beside every request that Beam makes
os.environ.setdefault("DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA", "true")


def shard_path(run: str, table: str, name: str) -> str:
    """The path of one shard of a table of the run."""
    return str(FileSystems.join(run, *table.split("/"), f"{_PREFIX}{name}{_SUFFIX}"))


def shard_names(run: str, table: str) -> list[str]:
    """The names of the committed shards of a table, sorted; empty if there is no such table."""
    pattern = FileSystems.join(run, *table.split("/"), f"{_PREFIX}*{_SUFFIX}")
    paths = (found.path for found in FileSystems.match([pattern])[0].metadata_list)
    return sorted(os.path.basename(path)[len(_PREFIX) : -len(_SUFFIX)] for path in paths)


def exists(path: str) -> bool:
    """Whether the file is there."""
    return bool(FileSystems.exists(path))


def is_local(path: str) -> bool:
    """Whether the path is on this machine's own file system."""
    return FileSystems.get_scheme(path) is None


def make_folder(path: str) -> None:
    """The folder is there afterwards; object stores need none."""
    if is_local(path):
        os.makedirs(path, exist_ok=True)


def is_folder(path: str) -> bool:
    """Whether there is a folder, or an object under that name as if it were one."""
    if is_local(path):
        return os.path.isdir(path)
    return exists(path) or bool(FileSystems.match([f"{path}/**"], limits=[1])[0].metadata_list)


def delete_folder(path: str) -> None:
    """The folder and all in it are gone afterwards; an object store has only the objects in it."""
    if is_local(path):
        if os.path.isdir(path):
            shutil.rmtree(path)
    elif FileSystems.exists(path):
        FileSystems.delete([path])
    else:
        FileSystems.delete([f"{path}/"])  # many objects a request, instead of three requests an object
        if is_folder(path):
            raise OSError(f"{path} cannot be deleted: some of its objects are still there; see the log for the reason.")


def delete_files(paths: Sequence[str]) -> None:
    """Delete files, and local folders that are empty then."""
    if not paths:
        return
    FileSystems.delete(list(paths))
    for folder in {os.path.dirname(path) for path in paths if is_local(path)}:
        with suppress(OSError):  # it is not empty
            os.removedirs(folder)


def remove_other_shards(run: str, table: str, names: Collection[str]) -> None:
    """Delete the shards of a table that an earlier state of its input left and that no longer belong to it."""
    others = [shard_path(run, table, name) for name in sorted(set(shard_names(run, table)) - set(names))]
    if others:
        FileSystems.delete(others)


def open_binary(path: str) -> BinaryIO:
    """The file, to read; never decompressed on the way. FileNotFoundError if there is none, on any storage."""
    try:
        return FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED)  # type: ignore[no-any-return]
    except Exception as error:
        if http_status(error) == 404:
            raise FileNotFoundError(f"there is no file {path}") from error
        raise


@contextmanager
def commit_file(path: str) -> Iterator[BinaryIO]:
    """A file to write that takes its name only when the block ends without an error; DiskFull if there is no room."""
    if not is_local(path):
        with tempfile.SpooledTemporaryFile(_IN_MEMORY) as spool:
            yield spool  # type: ignore[misc]
            upload(spool, path)
        return
    folder, name = os.path.split(path)
    os.makedirs(folder or ".", exist_ok=True)
    temporary = os.path.join(folder, temporary_name(name))
    try:
        with open(temporary, "wb") as out:
            yield out
        _sync(temporary)
        os.replace(temporary, path)
    except OSError as error:
        if is_full(error):
            raise full(folder or ".") from error
        raise
    finally:
        if os.path.exists(temporary):
            os.unlink(temporary)


def commit_finished(source: str, path: str) -> None:
    """Give a finished file of this machine its name: moved there (from the same disk), or uploaded."""
    if not is_local(path):
        with open(source, "rb") as content:
            upload(content, path)
        return
    os.makedirs(os.path.dirname(path), exist_ok=True)
    _sync(source)
    os.replace(source, path)


def _sync(path: str) -> None:
    """Have the file on the disk itself: else a power cut after the rename may leave an empty file of the name."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def temporary_name(name: str) -> str:
    """A new name beside `name` for what is not finished."""
    return f".{name}.{uuid.uuid4().hex}"


def is_temporary(name: str) -> bool:
    """Whether it is a name for what is not finished, as of `commit_file`, so that it may go when no one is writing."""
    return re.fullmatch(r"\..+\.[0-9a-f]{32}", name) is not None


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


def read_column(run: str, table: str, columns: list[str]) -> pa.Table:
    """Some columns of all shards of a table, in shard order."""
    parts = list(iter_tables(run, table, columns))
    if not parts:
        raise FileNotFoundError(f"the run {run} has no table {table}")
    return pa.concat_tables(parts)


def iter_tables(run: str, table: str, columns: list[str] | None = None) -> Iterator[pa.Table]:
    """The shards of a table one by one, or some columns of them."""
    for name in shard_names(run, table):
        yield read_shard(shard_path(run, table, name), columns)


def iter_rows(path: str, row_type: type[Row]) -> Iterator[Row]:
    """The rows of a shard one by one; only one batch is in memory. Lists of float16 or float32 become arrays."""
    names = [f.name for f in fields(row_type)]  # type: ignore[arg-type]
    with open_arrow(path) as file:
        shard = pq.ParquetFile(file)
        batch_rows = _FILES_AT_ONCE if _has_files(shard.schema_arrow) else _SLIM_AT_ONCE
        for batch in shard.iter_batches(batch_rows, columns=names):
            for values in zip(*(_values(batch.column(name)) for name in names), strict=True):
                yield row_type(*values)


def _values(column: pa.Array) -> list[Any]:
    if pa.types.is_list(column.type) or pa.types.is_fixed_size_list(column.type):
        leaf = column.type
        while pa.types.is_list(leaf) or pa.types.is_fixed_size_list(leaf):
            leaf = leaf.value_type
        dtype = _ARRAYS.get(str(leaf))
        if dtype is not None:
            return [None if value is None else np.asarray(value, dtype=dtype) for value in column.to_pylist()]
    return column.to_pylist()  # type: ignore[no-any-return]
