"""One job of a run: the chunks that are left of its row stages, or its table stages that are out of date."""

import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any, NoReturn

import apache_beam as beam
from apache_beam.io.filesystems import FileSystems

from beam_pipelines.driver import interrupt, progress, waves
from beam_pipelines.driver.balance import close_stage, counts_of_stage, summary
from beam_pipelines.driver.committed import Committed
from beam_pipelines.driver.failures import TooManyFailed, Watch
from beam_pipelines.driver.order import Order
from beam_pipelines.driver.outdated import inputs_digest, is_outdated, mark_of
from beam_pipelines.driver.pipelines import row_pipeline, table_pipeline
from beam_pipelines.driver.record import write_record
from beam_pipelines.driver.unnamed import delete_unnamed
from beam_pipelines.driver.work import Work, pending
from beam_pipelines.errors import RunFailed, Submitted, WorkerLost
from beam_pipelines.runners import execute
from beam_pipelines.runners.options import in_processes, is_direct
from transforms.flow.commit import unpaired
from transforms.flow.stages import Job, RowStage, Stage, TableStage
from transforms.flow.table_steps import forget
from transforms.tables.attempt import begin_attempt
from transforms.tables.ledger import ledger_table, tally
from transforms.tables.shards import shard_path

_MANY_ITEMS = 10_000  # from here on worker processes are worth their start
_EXTRA_ROUNDS = 3  # of a job: an item that kills every worker that touches it must not keep the run going for ever


def do_job(order: Order, job: Job, record: dict[str, Any], attempt: str) -> None:
    """Do what is left of a job and close its stages; raises what `run` does."""
    start = time.monotonic()
    if job.by_rows:
        try:
            did = _do_rows(order, job, attempt)
        except TooManyFailed:
            for stage in job.stages:  # not closed, but `inspect` shows what there is
                record["stages"][stage.name] = summary(tally(order.run, stage.name), time.monotonic() - start)
            write_record(order.run, record)
            raise
        for stage in job.stages:
            if isinstance(stage, RowStage) and (did or stage.name not in record["stages"]):
                delete_unnamed(order.run, stage)
    else:
        stages = tuple(
            stage for stage in job.stages if isinstance(stage, TableStage) and is_outdated(order.run, record, stage)
        )
        if stages:
            _execute_tables(order, job, stages, record)
    seconds = time.monotonic() - start
    for stage in job.stages:
        close_stage(order, record, stage.name, counts_of_stage(order.run, stage), seconds, _told(order, stage))


def _do_rows(order: Order, job: Job, attempt: str) -> bool:
    """Do the chunks that are left: all at once, or wave by wave where the recipe has a limit; whether there was any."""
    limit = order.recipe.limit(order.config)
    if limit is None or limit.stage not in {stage.name for stage in job.stages}:
        return _do_chunks(order, job, attempt)
    closed = waves.closed(order.run, job, limit)
    left = closed | waves.unfinished(order.run, job)
    before: frozenset[str] = frozenset()
    did = False
    for wave in waves.plan(order.run, job, limit):
        if wave & left:
            why = limit.reached(order.run, before)
            if why:
                dropped = waves.close(order.run, job, limit, attempt)
                if dropped:
                    print(f"manyfaces: {why}; {dropped} more items are not taken.", file=sys.stderr)
                break
            waves.reopen(order.run, job, wave & closed)
            did = _do_chunks(order, job, attempt, wave) or did
        before |= wave
    return did


def _do_chunks(order: Order, job: Job, attempt: str, names: frozenset[str] | None = None) -> bool:
    """Do the chunks that are left (of these names) in rounds: a lost worker leaves some, and two at once may differ.

    Returns whether any was left.
    """
    did = False
    for last in (False,) * _EXTRA_ROUNDS + (True,):
        works = pending(order.run, job, names)
        did = did or bool(works)
        try:
            for work in works:
                execute_rows(order, job, work, attempt)
        except WorkerLost as loss:
            if last:
                raise
            print(f"manyfaces: {loss} Going on with the chunks that are left.", file=sys.stderr)
            continue
        chunks = {chunk.name for work in works for chunk in work.chunks}
        differing = [
            shard_path(order.run, ledger_table(stage.name), name)
            for stage in job.stages
            for name in unpaired(order.run, stage.name, stage.tables[0], chunks)
        ]
        if not differing:
            return did
        FileSystems.delete(differing)
    return did


def _told(order: Order, stage: Stage) -> dict[str, Any]:
    """What a table stage has read and what it tells, as its entry in the record says it."""
    if not isinstance(stage, TableStage):
        return {}
    return {"input": inputs_digest(order.run, stage), **stage.tells(order.run)}


def _submit(order: Order, job: Job, build: Callable[[beam.Pipeline], None]) -> NoReturn:
    if order.submit not in ("next", job.name, str(job.number)):
        raise RunFailed(f"--submit {order.submit}: job {job.number}, {job.name}, comes first and is not done.")
    running = execute.Running(build, order.options(job), wait=False)
    running.start()
    running.join()
    running.outcome()
    raise Submitted(job.name)


def execute_rows(order: Order, job: Job, work: Work, attempt: str) -> None:
    """Send chunks through their stages in one pipeline, with its progress shown; raises what `run` does."""
    names = [stage.name for stage in work.stages]
    items = work.items(order.run)
    options = order.options(job)
    processes = in_processes(options, work.stages[0].much_python and items >= _MANY_ITEMS)
    inside = is_direct(options) and not processes
    committed = Committed(order.run, names, [chunk.name for chunk in work.chunks])
    read = progress.counts_in_process(names) if inside else progress.counts_on_storage(committed)
    # what failed before may well fail again: a retry goes to its end
    again = any(chunk.retry for chunk in work.chunks)
    watch = interrupt.check if again else Watch(committed, order.config.max_failed_share)
    build = partial(row_pipeline, run=order.run, work=work, attempt=attempt)
    if order.submit:
        _submit(order, job, build)
    running = execute.Running(build, options, processes)
    title = f"job {job.number} {'+'.join(names)}"
    running.start()
    try:
        progress.follow(running, title, items, order.watched(read, title, items), watch)
    except TooManyFailed:
        begin_attempt(order.run)  # no worker of the job may commit from now on, wherever it is
        running.stop()
        raise
    running.outcome()


def _execute_tables(order: Order, job: Job, stages: tuple[TableStage, ...], record: dict[str, Any]) -> None:
    names = [stage.name for stage in stages]
    options = order.options(job)
    processes = in_processes(options, much_python=False)
    if order.submit:
        marks = {one.name: mark_of(record, one, inputs_digest(order.run, one)) for one in stages}
        _submit(order, job, partial(table_pipeline, stages=stages, run=order.run, marks=marks))
    running = execute.Running(partial(table_pipeline, run=order.run, stages=stages), options, processes)
    forget(names)
    running.start()
    read = progress.counts_on_storage(Committed(order.run, names))
    title = f"job {job.number} {'+'.join(names)}"
    progress.follow_tables(running, title, names, order.watched(read, title, None))
    running.outcome()
