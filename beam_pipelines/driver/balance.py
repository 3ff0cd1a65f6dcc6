"""Closing a stage: its counts go into run.json once they are proven to balance."""

from typing import Any

from beam_pipelines.driver.order import Order
from beam_pipelines.driver.record import write_record
from beam_pipelines.errors import RunFailed
from transforms.flow.stages import RowStage, Stage, TableStage
from transforms.tables.ledger import Tally, tally
from transforms.tables.shards import read_footers, shard_names


def table_rows(run: str, table: str) -> int:
    """The rows of a table's committed shards; footers only."""
    return sum(rows for rows, _ in read_footers(run, table, shard_names(run, table)))


def counts_of_manifest(run: str) -> Tally:
    """The counts of the manifest's split, which balance with the table that it wrote."""
    counts = tally(run, "manifest")
    _must_be(run, "manifest", "rows written", table_rows(run, "manifest"), counts.rows)
    return counts


def counts_of_stage(run: str, stage: Stage) -> Tally:
    """The counts of a finished stage; RunFailed if the ledger misses an item that entered or a row that was written."""
    counts = tally(run, stage.name)
    if isinstance(stage, RowStage):
        left_out = 0 if stage.without is None else table_rows(run, stage.without)
        _must_be(run, stage.name, "items entered", table_rows(run, stage.reads) - left_out, counts.items)
        _must_be(run, stage.name, "rows written", table_rows(run, stage.writes), counts.rows)
    else:
        entered = tally(run, stage.follows).count("kept") if stage.follows else table_rows(run, stage.reads[0])
        _must_be(run, stage.name, "items entered", entered, counts.items)
        if entered:
            _must_be_there(run, stage)
    return counts


def _must_be_there(run: str, stage: TableStage) -> None:
    missing = [table for table in stage.writes if not shard_names(run, table)]
    if missing:
        raise RunFailed(
            f"{run}: the stage {stage.name} did not write {' and '.join(missing)}, which it declares; it must leave a "
            "shard, if only an empty one, of every table that it writes."
        )


def _must_be(run: str, stage: str, what: str, found: int, told: int) -> None:
    if found != told:
        raise RunFailed(
            f"{run}: the counts of stage {stage} do not balance: {found} {what}, and its ledger tells of {told}; "
            f"delete the folder ledger/{stage} of the run and run again to redo the stage."
        )


def summary(counts: Tally, seconds: float) -> dict[str, Any]:
    """A stage's counts as run.json has them."""
    states = {state: counts.count(state) for state in ("kept", "dropped", "failed")}
    reasons = {code: n for code, n in counts.by_reason.items() if code != "kept"}
    return {**states, "reasons": reasons, "rows": counts.rows, "seconds": round(seconds, 3)}


def check_failures(run: str, stage: str, counts: Tally, max_failed_share: float) -> None:
    """RunFailed if more than this share of the stage's items failed."""
    failed = counts.count("failed")
    if failed > max_failed_share * counts.items:
        raise RunFailed(
            f"{run}: {failed} of {counts.items} items failed in stage {stage}, more than max_failed_share "
            f"{max_failed_share:g} allows; `manyfaces inspect {run}` shows why, "
            "`manyfaces retry` tries them again, --set max_failed_share=1 goes on without them."
        )


def close_stage(
    order: Order, record: dict[str, Any], stage: str, counts: Tally, seconds: float, told: dict[str, Any]
) -> None:
    """Write the counts of a stage that is done, and what it told, into the record; RunFailed if too much failed."""
    before = record["stages"].get(stage, {})
    record["stages"][stage] = before | summary(counts, before.get("seconds", 0.0) + seconds) | told
    write_record(order.run, record)
    check_failures(order.run, stage, counts, order.config.max_failed_share)
