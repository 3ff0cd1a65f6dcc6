"""One run from start to end: check what is there, split the manifest, do each job, prove that the counts balance."""

import fcntl
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial
from typing import Any, NoReturn

import apache_beam as beam
from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import PipelineOptions

from beam_pipelines import interrupt, progress, storage, waves
from beam_pipelines.balance import check_failures, counts_of_manifest, counts_of_stage, summary
from beam_pipelines.committed import Committed
from beam_pipelines.errors import ConfigError, RunFailed, Submitted, WorkerLost
from beam_pipelines.failures import TooManyFailed, Watch
from beam_pipelines.outdated import inputs_digest, is_outdated, mark_of
from beam_pipelines.pipelines import row_pipeline, table_pipeline
from beam_pipelines.recipe import Recipe, RecipeConfig
from beam_pipelines.record import read_record, versions, write_record
from beam_pipelines.runners import execute
from beam_pipelines.runners.options import check_idle, in_processes, is_direct, options_for, runner_name
from beam_pipelines.stages import Job, Stage, TableStage, cut, fingerprints
from beam_pipelines.staleness import refresh
from beam_pipelines.work import Work, pending
from transforms.tables.attempt import begin_attempt
from transforms.tables.commit import unpaired
from transforms.tables.digest import digest, file_digest
from transforms.tables.ledger import Tally, ledger_table, tally
from transforms.tables.shards import is_local, is_temporary, shard_path

_MANY_ITEMS = 10_000  # from here on worker processes are worth their start
_EXTRA_ROUNDS = 3  # of a job: an item that kills every worker that touches it must not keep the run going for ever


@dataclass(frozen=True, slots=True)
class Order:
    """What the user asked for."""

    recipe: Recipe
    config: RecipeConfig
    manifest: str
    run: str
    beam: tuple[str, ...] = ()  # the command line's options for Beam
    recompute: bool = False
    submit: str | None = None  # start only this job, by name or number (`next`: whichever is), and do not wait for it

    def options(self, job: Job) -> PipelineOptions:
        """Beam's options for one job."""
        return options_for(self.beam, self.config, self.run, job)


def check(order: Order) -> None:
    """ConfigError for what could not run, before anything is fetched or written."""
    _check_paths(order)
    jobs = cut(order.recipe.stages(order.config, order.run), order.config.jobs)
    options = [order.options(job) for job in jobs]
    if order.submit and runner_name(options[0]) != "DataflowRunner":
        raise ConfigError("--submit: only DataflowRunner's jobs go on without the process that started them.")


def run(order: Order) -> None:
    """Do what is left of the run; raises ConfigError, RunFailed, PipelineFailed, and Submitted if `order.submit`."""
    stages = order.recipe.stages(order.config, order.run)
    jobs = cut(stages, order.config.jobs)
    check_idle([order.options(job) for job in jobs])
    _check_paths(order)
    storage.make_folder(order.run, "--output")
    with _alone(order.run):
        _sweep(order.run)
        record = _open_record(order, stages)
        storage.ask(partial(write_record, order.run, record), order.run, "--output")
        attempt = begin_attempt(order.run)
        _split(order, record)
        for job in jobs:
            _do(order, job, record, attempt)
        _sweep(order.run)
        record["finished"] = _now()
        write_record(order.run, record)


@contextmanager
def _alone(run: str) -> Iterator[None]:
    """Keep a second run out of a local folder; the lock goes with the process, however that ends."""
    if not is_local(run):
        yield
        return
    with open(os.path.join(run, "lock"), "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(f"{run}: another run is at work in this folder; wait for it or name another.") from None
        yield


def _open_record(order: Order, stages: list[Stage]) -> dict[str, Any]:
    """The run's record with this configuration in it, after what is out of date is refused or deleted."""
    settings = order.config.model_dump(mode="json")
    prints = fingerprints(stages, manifest_fingerprint(order.manifest, order.config))
    old = read_record(order.run)
    if (made := old.get("recipe", order.recipe.name)) != order.recipe.name:
        raise ConfigError(
            f"{order.run}: there is a run of the recipe {made}; give the recipe {order.recipe.name} another --output."
        )
    models = order.recipe.models(order.config)
    changed = refresh(order.run, stages, old.get("fingerprints", {}), prints, order.recompute)
    return {
        "recipe": order.recipe.name,
        "manifest": os.path.abspath(order.manifest) if is_local(order.manifest) else order.manifest,
        "started": old.get("started", _now()),
        "versions": versions(),
        "models": {
            role: {"name": entry.name, "sha256": entry.sha256, "licence": entry.licence, "source": entry.source}
            for role, entry in models.items()
        },
        "config": settings,
        "fingerprints": prints,
        "stages": {name: entry for name, entry in old.get("stages", {}).items() if name not in changed},
    }


def manifest_fingerprint(manifest: str, config: RecipeConfig) -> str:
    """The digest of all that the table `manifest` depends on: the list, and how it is read."""
    return digest([file_digest(manifest), config.model_dump(mode="json").get("manifest")])


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def _check_paths(order: Order) -> None:
    if any(character in order.run for character in "*?["):
        raise ConfigError(f"--output {order.run}: the name of a run must not have any of * ? [ in it.")
    storage.check_folder(order.run, "--output")
    if not storage.is_file(order.manifest, "--input"):
        raise ConfigError(f"--input {order.manifest}: there is no such file.")


def _sweep(run: str) -> None:
    """Delete what killed runs and workers left unfinished, nothing else: the folder may be the user's own."""
    if is_local(run):
        for folder, folders, names in os.walk(run):
            for name in filter(is_temporary, names):
                os.unlink(os.path.join(folder, name))
            for name in filter(is_temporary, folders):
                shutil.rmtree(os.path.join(folder, name))


def _split(order: Order, record: dict[str, Any]) -> None:
    start = time.monotonic()
    if "manifest" not in record["stages"]:
        try:
            order.recipe.split_manifest(order.config, order.manifest, order.run)
        except ValueError as error:  # a column that is not there, a file that is no parquet, another manifest ...
            raise ConfigError(f"--input {order.manifest}: {error}") from error
    _close(order, record, "manifest", counts_of_manifest(order.run), time.monotonic() - start, {})


def _do(order: Order, job: Job, record: dict[str, Any], attempt: str) -> None:
    start = time.monotonic()
    if job.by_rows:
        try:
            _do_rows(order, job, attempt)
        except TooManyFailed:
            for stage in job.stages:  # not closed, but `inspect` shows what there is
                record["stages"][stage.name] = summary(tally(order.run, stage.name), time.monotonic() - start)
            write_record(order.run, record)
            raise
    else:
        stages = tuple(
            stage for stage in job.stages if isinstance(stage, TableStage) and is_outdated(order.run, record, stage)
        )
        if stages:
            _execute_tables(order, job, stages, record)
    seconds = time.monotonic() - start
    for stage in job.stages:
        _close(order, record, stage.name, counts_of_stage(order.run, stage), seconds, _inputs(order, stage))


def _do_rows(order: Order, job: Job, attempt: str) -> None:
    """Do the chunks that are left: all at once, or wave by wave where the recipe has a limit."""
    limit = order.recipe.limit(order.config)
    if limit is None or limit.stage not in {stage.name for stage in job.stages}:
        _do_chunks(order, job, attempt)
        return
    closed = waves.closed(order.run, job, limit)
    left = closed | waves.unfinished(order.run, job)
    before: frozenset[str] = frozenset()
    for wave in waves.plan(order.run, job, limit):
        if wave & left:
            why = limit.reached(order.run, before)
            if why:
                dropped = waves.close(order.run, job, limit, attempt)
                if dropped:
                    print(f"manyfaces: {why}; {dropped} more items are not taken.", file=sys.stderr)
                return
            waves.reopen(order.run, job, wave & closed)
            _do_chunks(order, job, attempt, wave)
        before |= wave


def _do_chunks(order: Order, job: Job, attempt: str, names: frozenset[str] | None = None) -> None:
    """Do the chunks that are left (of these names) in rounds: a lost worker leaves some, and two at once may differ."""
    for last in (False,) * _EXTRA_ROUNDS + (True,):
        works = pending(order.run, job, names)
        try:
            for work in works:
                _execute_rows(order, job, work, attempt)
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
            return
        FileSystems.delete(differing)


def _inputs(order: Order, stage: Stage) -> dict[str, str]:
    """What a table stage has read, as its entry in the record says it."""
    return {"input": inputs_digest(order.run, stage)} if isinstance(stage, TableStage) else {}


def _close(
    order: Order, record: dict[str, Any], stage: str, counts: Tally, seconds: float, inputs: dict[str, str]
) -> None:
    before = record["stages"].get(stage, {})
    record["stages"][stage] = before | summary(counts, before.get("seconds", 0.0) + seconds) | inputs
    write_record(order.run, record)
    check_failures(order.run, stage, counts, order.config.max_failed_share)


def _submit(order: Order, job: Job, build: Callable[[beam.Pipeline], None]) -> NoReturn:
    if order.submit not in ("next", job.name, str(job.number)):
        raise RunFailed(f"--submit {order.submit}: job {job.number}, {job.name}, comes first and is not done.")
    running = execute.Running(build, order.options(job), wait=False)
    running.start()
    running.join()
    running.outcome()
    raise Submitted(job.name)


def _execute_rows(order: Order, job: Job, work: Work, attempt: str) -> None:
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
    running.start()
    try:
        progress.follow(running, f"job {job.number} {'+'.join(names)}", items, read, watch)
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
    running = execute.Running(partial(table_pipeline, stages=stages), options, processes)
    running.start()
    read = progress.counts_on_storage(Committed(order.run, names))
    progress.follow(running, f"job {job.number} {'+'.join(names)}", None, read)
    running.outcome()
