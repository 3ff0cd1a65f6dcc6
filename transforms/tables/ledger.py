"""The ledger: what became of every item in every stage.

`ledger/<stage>` is a table like any other; the footer of each of its shards has the counts, so that a run is added up
without reading it.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from transforms.tables.detail import steady
from transforms.tables.reasons import reason
from transforms.tables.rows import LedgerEntry
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import (
    read_footers,
    read_shard,
    remove_other_shards,
    shard_names,
    shard_path,
    to_table,
    write_shard,
)
from transforms.tables.verdicts import Verdict

RETRIES = "retries"  # table of Retry rows, one shard a retry chunk
SHARD_ROWS = 65_536  # of the ledger of a stage on whole tables


def ledger_table(stage: str) -> str:
    """The name of a stage's ledger table."""
    return f"ledger/{stage}"


def write_ledger(
    run: str, stage: str, name: str, verdicts: Sequence[tuple[Verdict, int]], more: Mapping[str, str] | None = None
) -> None:
    """Commit one ledger shard; each verdict comes with the number of rows that the item became.

    The footer has the counts, and `more`.
    """
    entries = [LedgerEntry(v.item_id, v.state, v.reason, v.transient, steady(v.detail), rows) for v, rows in verdicts]
    counts = Counter(entry.reason or "kept" for entry in entries)
    path = shard_path(run, ledger_table(stage), name)
    metadata = {
        "counts": json.dumps(counts, sort_keys=True),
        "rows": str(sum(rows for _, rows in verdicts)),
        **(more or {}),
    }
    write_shard(path, to_table(entries, arrow_schema(LedgerEntry)), metadata)


def write_whole_ledger(
    run: str, stage: str, item_ids: pa.ChunkedArray, told: Callable[[int, str], tuple[Verdict, int]]
) -> None:
    """Commit the ledger of a stage on whole tables, in place of what it was: `told` each item's number (from 0) and id.

    Only the verdicts of one shard are in memory, besides the ids (N,).
    """
    names: list[str] = []
    for start in range(0, max(len(item_ids), 1), SHARD_ROWS):
        ids = item_ids.slice(start, SHARD_ROWS).to_pylist()
        names.append(f"{len(names):05d}")
        write_ledger(run, stage, names[-1], [told(number, item) for number, item in enumerate(ids, start)])
    remove_other_shards(run, ledger_table(stage), names)


@dataclass(frozen=True, slots=True)
class Tally:
    """A stage added up: items by reason (`kept` for the kept), and the rows they became."""

    by_reason: dict[str, int]
    rows: int

    @property
    def items(self) -> int:
        """All items that entered the stage."""
        return sum(self.by_reason.values())

    def count(self, state: str) -> int:
        """The items that ended in a state."""
        return sum(n for code, n in self.by_reason.items() if (code if code == "kept" else reason(code).state) == state)


def tally(run: str, stage: str) -> Tally:
    """The stage's counts over all committed shards; an item that was tried again counts with its last try only."""
    counts: Counter[str] = Counter()
    rows = 0
    names = shard_names(run, ledger_table(stage))
    for _, metadata in read_footers(run, ledger_table(stage), names):
        counts.update(json.loads(metadata["counts"]))
        rows += int(metadata["rows"])
    for _, metadata in read_footers(run, RETRIES, retried(run, stage)):
        counts.subtract(json.loads(metadata["counts"]))
    return Tally({code: n for code, n in sorted(counts.items()) if n}, rows)


def retry_names(run: str, stage: str) -> list[str]:
    """The names of the retry chunks that enter the stage, done or not, oldest first."""
    return [name for name in shard_names(run, RETRIES) if retry_stage(name) == stage]


def retry_name(attempt: int, stage: str, number: int) -> str:
    """The name of a retry chunk, `r<attempt>-<stage>-<number>`: shards sort by attempt, and after those of chunks."""
    return f"r{attempt:04d}-{stage}-{number:05d}"


def retry_stage(name: str) -> str:
    """The stage in a retry chunk's name."""
    return name.partition("-")[2].rpartition("-")[0]


def retry_attempt(name: str) -> int:
    """The number of the attempt in a retry chunk's name."""
    return int(name[1:].partition("-")[0])


def retried(run: str, stage: str) -> list[str]:
    """The names of the retry chunks of the stage whose results are committed."""
    committed = set(shard_names(run, ledger_table(stage)))
    return [name for name in retry_names(run, stage) if name in committed]


def read_ledger(run: str, stage: str, columns: list[str] | None = None) -> Iterator[tuple[str, pa.Table]]:
    """The stage's entries that count (the last try of each item), as `(shard name, table)`."""
    superseded: dict[str, list[pa.Array]] = {}
    for name in retried(run, stage):
        retries = read_shard(shard_path(run, RETRIES, name))
        for shard in pc.unique(retries["shard"]).to_pylist():
            ids = retries.filter(pc.equal(retries["shard"], shard))["item_id"].combine_chunks()
            superseded.setdefault(shard, []).append(ids)
    for name in shard_names(run, ledger_table(stage)):
        table = read_shard(shard_path(run, ledger_table(stage), name), columns and sorted({"item_id", *columns}))
        if name in superseded:
            gone = pa.concat_arrays(superseded[name])
            table = table.filter(pc.invert(pc.is_in(table["item_id"], value_set=gone)))
        yield name, table.select(columns) if columns else table
