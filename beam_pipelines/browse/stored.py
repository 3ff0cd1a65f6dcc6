"""Rows of a run's tables by their numbers: of a table only the row groups are read that hold the wanted rows."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from threading import Lock

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.io.filesystems import FileSystems

from beam_pipelines.browse.refused import Refused, not_there
from transforms.tables.files import is_local
from transforms.tables.shards import open_arrow, read_footers, shard_path

I64 = npt.NDArray[np.int64]
_TABLE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)?")
_SHARD = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_MOST_BYTES = 1 << 29  # of the wanted columns of one row group: what a page may need in memory

Shard = tuple[str, int, float]  # its name, bytes and time of change: what tells that it is still the same


@dataclass(frozen=True, slots=True, eq=False)
class Index:
    """Where the rows of a table stand: starts (S+1,) are the numbers of the first rows of its S shards, and the end."""

    shards: tuple[Shard, ...]
    starts: I64
    schema: pa.Schema

    @property
    def rows(self) -> int:
        """Of the table."""
        return int(self.starts[-1])

    def place(self, row: int) -> tuple[str, int]:
        """The shard's name and the row in it."""
        shard = int(np.searchsorted(self.starts, row, side="right")) - 1
        return self.shards[shard][0], row - int(self.starts[shard])


class Stored:
    """The tables of a run as they are now: where rows stand is remembered as long as shards stay the same."""

    def __init__(self, run: str) -> None:
        self.run = run
        self._lock = Lock()
        self._known: dict[str, Index] = {}

    def names(self) -> list[str]:
        """The tables of the run."""
        patterns = [FileSystems.join(self.run, *folders, "part-*.parquet") for folders in (("*",), ("*", "*"))]
        paths = (file.path for match in FileSystems.match(patterns) for file in match.metadata_list)
        names = {os.path.dirname(path)[len(self.run.rstrip("/")) + 1 :] for path in paths}
        return sorted(name for name in names if _TABLE.fullmatch(name))

    def has(self, table: str) -> bool:
        """Whether the run has the table."""
        return bool(_TABLE.fullmatch(table)) and bool(self._shards(table))

    def index(self, table: str) -> Index:
        """Where the rows of a table stand; Refused if there is no such table. Footers of new shards are read."""
        shards = self._shards(table) if _TABLE.fullmatch(table) else ()
        if not shards:
            raise not_there(f"the run has no table {table[:80]!r}; the first page lists those that it has.")
        with self._lock:
            known = self._known.get(table)
        if known is not None and known.shards == shards:
            return known
        counts = {} if known is None else dict(zip(known.shards, np.diff(known.starts).tolist(), strict=True))
        new = [shard for shard in shards if shard not in counts]
        footers = read_footers(self.run, table, [name for name, _, _ in new])
        counts.update({shard: rows for shard, (rows, _) in zip(new, footers, strict=True)})
        with open_arrow(shard_path(self.run, table, shards[0][0])) as file:
            schema = pq.read_schema(file)
        index = Index(shards, np.cumsum([0, *(counts[shard] for shard in shards)]).astype(np.int64), schema)
        with self._lock:
            self._known[table] = index
        return index

    def _shards(self, table: str) -> tuple[Shard, ...]:
        pattern = FileSystems.join(self.run, *table.split("/"), "part-*.parquet")
        found = FileSystems.match([pattern])[0].metadata_list
        shards = ((os.path.basename(one.path)[5:-8], one.size_in_bytes, one.last_updated_in_seconds) for one in found)
        return tuple(sorted(shard for shard in shards if _SHARD.fullmatch(shard[0])))

    def take(self, table: str, rows: Sequence[int], columns: Sequence[str]) -> pa.Table:
        """Some columns of the rows of these numbers, in their order; each row group is read once."""
        index = self.index(table)
        wanted = np.array(rows, np.int64)
        order = np.argsort(wanted, kind="stable")
        parts = []
        for shard in np.unique(np.searchsorted(index.starts, wanted, side="right") - 1).tolist():
            low, high = index.starts[shard : shard + 2]
            own = wanted[order][(wanted[order] >= low) & (wanted[order] < high)] - low
            parts.append(self._of_shard(table, index.shards[shard][0], own, columns))
        empty = pa.schema(index.schema.field(name) for name in columns).empty_table()
        found = pa.concat_tables(parts) if parts else empty
        return found.take(pa.array(np.argsort(order, kind="stable")))

    def cell(self, table: str, shard: str, row: int, column: str) -> object:
        """One cell; Refused if there is none."""
        if not (_TABLE.fullmatch(table) and _SHARD.fullmatch(shard)):
            raise not_there("the run has no such table or shard.")
        return self._of_shard(table, shard, np.array([row], np.int64), [column])[column][0].as_py()

    def _of_shard(self, table: str, name: str, rows: I64, columns: Sequence[str]) -> pa.Table:
        """Rows of a shard, ascending, by their places in it."""
        path = shard_path(self.run, table, name)
        self._check_inside(path)
        try:
            with open_arrow(path) as file:
                return _read(pq.ParquetFile(file), rows, columns)
        except FileNotFoundError as error:
            raise not_there(f"the table {table} has no shard {name}; if the run changes, begin at its list.") from error

    def _check_inside(self, path: str) -> None:
        """Refused for a link that leads out of the run's folder."""
        if is_local(self.run):
            folder = os.path.realpath(self.run)
            if os.path.commonpath([folder, os.path.realpath(path)]) != folder:
                raise not_there("this leads out of the run's folder, and nothing outside it is shown.")


def _read(shard: pq.ParquetFile, rows: I64, columns: Sequence[str]) -> pa.Table:
    footer = shard.metadata
    starts = np.cumsum([0, *(footer.row_group(group).num_rows for group in range(footer.num_row_groups))])
    if (len(rows) and not 0 <= rows[0] <= rows[-1] < starts[-1]) or not set(columns) <= set(shard.schema_arrow.names):
        raise not_there("the table has no such row or column; if the run changes, begin at its list.")
    groups = np.searchsorted(starts, rows, side="right") - 1
    parts = []
    for group in np.unique(groups).tolist():
        if _size(footer.row_group(group), columns) > _MOST_BYTES:
            raise Refused(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"rows here are read {_MOST_BYTES >> 20} MiB and more at a time; choose fewer columns.",
            )
        part = shard.read_row_group(group, columns=list(columns))
        parts.append(part.take(pa.array(rows[groups == group] - starts[group])))
    return pa.concat_tables(parts).select(list(columns))


def _size(group: pq.RowGroupMetaData, columns: Sequence[str]) -> int:
    """The bytes of some columns of a row group, unpacked."""
    chunks = (group.column(number) for number in range(group.num_columns))
    return sum(chunk.total_uncompressed_size for chunk in chunks if chunk.path_in_schema.split(".")[0] in columns)
