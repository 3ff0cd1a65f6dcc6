"""Doing the chunks of a job in waves, so that a run can stop taking new ones when its limit is reached.

A wave is a fixed stretch of the input's shards, in their order: which items a run takes depends on its manifest and its
configuration only, not on workers or restarts.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any, cast

from apache_beam.io.filesystems import FileSystems

from beam_pipelines.driver.work import pending
from beam_pipelines.recipes.recipe import Limit
from transforms.flow.chunks import Chunk, chunk_items
from transforms.flow.commit import Output, commit_chunk
from transforms.flow.items import Outcome, rejected
from transforms.flow.stages import Job, RowStage
from transforms.tables.files import exists
from transforms.tables.ledger import RETRIES, ledger_table
from transforms.tables.reasons import Rejected
from transforms.tables.schemas import key_name
from transforms.tables.shards import read_footers, shard_names, shard_path


def plan(run: str, job: Job, limit: Limit) -> Iterator[frozenset[str]]:
    """The names of the chunks of each wave, first the retries: what was taken once may be tried again."""
    yield frozenset(shard_names(run, RETRIES))
    names = shard_names(run, _stages(job)[0].reads)
    for start in range(0, len(names), limit.chunks_per_wave):
        yield frozenset(names[start : start + limit.chunks_per_wave])


def unfinished(run: str, job: Job) -> frozenset[str]:
    """The names of the chunks that are not done."""
    return frozenset(chunk.name for work in pending(run, job) for chunk in work.chunks)


def closed(run: str, job: Job, limit: Limit) -> frozenset[str]:
    """The names of the chunks that `close` has dropped; footers only."""
    ledger = ledger_table(_stages(job)[0].name)
    names = shard_names(run, ledger)
    footers = read_footers(run, ledger, names)
    return frozenset(
        name
        for name, (_, told) in zip(names, footers, strict=True)
        if set(json.loads(told["counts"])) == {limit.reason}
    )


def close(run: str, job: Job, limit: Limit, attempt: str) -> int:
    """Drop all items of the chunks that are not done in the job's first stage; returns how many items.

    The stages after it get empty shards, so that the counts balance.
    """
    first, *others = _stages(job)
    key, reason = key_name(first.row_in), Rejected(limit.reason)
    dropped = 0
    for name in sorted(unfinished(run, job)):
        items = chunk_items(run, Chunk(name, first.reads), first.row_in)
        outcomes: list[Outcome[Any]] = [
            rejected(item, getattr(item.row, key), reason) for item in items if item.row is not None
        ]
        for stage in others:
            commit_chunk(Output(run, stage.name, stage.writes, stage.schema, attempt), name, [])
        commit_chunk(Output(run, first.name, first.writes, first.schema, attempt), name, outcomes)
        dropped += len(outcomes)
    return dropped


def reopen(run: str, job: Job, names: Iterable[str]) -> None:
    """Delete what `close` wrote for these chunks: the limit is no longer reached before them."""
    tables = [table for stage in _stages(job) for table in (ledger_table(stage.name), stage.writes)]
    gone = [path for name in sorted(names) for table in tables if exists(path := shard_path(run, table, name))]
    if gone:
        FileSystems.delete(gone)


def _stages(job: Job) -> tuple[RowStage, ...]:
    return cast(tuple[RowStage, ...], job.stages)
