"""Pointers to rows of a table: found by scanning its key column, followed one row group at a time."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any, BinaryIO, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from transforms.tables.files import open_binary
from transforms.tables.lookup import places
from transforms.tables.shards import read_shard, shard_names, shard_path

Found = TypeVar("Found")
OPEN_SHARDS = 8  # after retries a file's rows come from a few shards in turn
OPEN_GROUPS = 4


@dataclass(frozen=True, slots=True, eq=False)
class Pointers:
    """Where rows stand: row `row[i]` of the shard `names[shard[i]]`; shard and row are (N,) int32."""

    names: list[str]
    shard: NDArray[np.int32]
    row: NDArray[np.int32]


def locate(run: str, table: str, key: str, wanted: pa.Array) -> Pointers:
    """Pointers to the rows with the wanted keys, in the order of `wanted`; of equal keys the first row counts.

    Only the key column is read. ValueError if the table has no row for a key.
    """
    names = shard_names(run, table)
    starts = [0]

    def keys() -> Iterator[pa.Array]:
        for name in names:
            column = read_shard(shard_path(run, table, name), [key])[key].cast(wanted.type).combine_chunks()
            starts.append(starts[-1] + len(column))
            yield column

    place = places(wanted, keys())
    lost = np.flatnonzero(place < 0)
    if len(lost):
        raise ValueError(
            f"{run}: the table {table} has no row for {len(lost)} of the kept faces (first: {key} "
            f"{wanted[int(lost[0])]}); identities are of another state of the run: run the stage identity again."
        )
    shard = np.searchsorted(starts, place, side="right") - 1
    return Pointers(names, shard.astype(np.int32), (place - np.array(starts)[shard]).astype(np.int32))


class _Shard:
    """An open shard and where its row groups begin."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.parquet = pq.ParquetFile(pa.PythonFile(file, mode="r"))
        footer = self.parquet.metadata
        self.starts = np.cumsum([0, *(footer.row_group(i).num_rows for i in range(footer.num_row_groups))])


class RowReader:
    """Reads some columns of a table's rows by pointer.

    A row group is read once as long as the rows are asked for in the order in which they stand; a few of other shards
    in between do no harm, since the last shards and row groups stay open.
    """

    def __init__(self, run: str, table: str, columns: list[str]) -> None:
        self._run, self._table, self._columns = run, table, columns
        self._shards: OrderedDict[str, _Shard] = OrderedDict()
        self._groups: OrderedDict[tuple[str, int], pa.Table] = OrderedDict()

    def __enter__(self) -> "RowReader":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with ExitStack() as stack:
            for shard in self._shards.values():
                stack.callback(shard.file.close)
        self._shards.clear()
        self._groups.clear()

    def read(self, name: str, row: int) -> dict[str, Any]:
        """The columns of one row of the shard `name`."""
        shard = _recent(self._shards, name, OPEN_SHARDS, lambda: self._open(name), lambda old: old.file.close())
        number = int(np.searchsorted(shard.starts, row, side="right")) - 1
        group = _recent(
            self._groups,
            (name, number),
            OPEN_GROUPS,
            lambda: shard.parquet.read_row_group(number, self._columns),
        )
        place = row - int(shard.starts[number])
        return {column: group[column][place].as_py() for column in self._columns}

    def _open(self, name: str) -> _Shard:
        return _Shard(open_binary(shard_path(self._run, self._table, name)))


Key = TypeVar("Key")


def _recent(
    cache: OrderedDict[Key, Found],
    key: Key,
    size: int,
    make: Callable[[], Found],
    drop: Callable[[Found], None] = lambda old: None,
) -> Found:
    """The cached value of a key, made if it is not there; beyond `size` values the one not used for longest goes."""
    if key in cache:
        cache.move_to_end(key)
        return cache[key]
    if len(cache) >= size:
        drop(cache.popitem(last=False)[1])
    cache[key] = make()
    return cache[key]
