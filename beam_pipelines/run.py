"""One run from start to end: check what is there, split the manifest, do each job, prove that the counts balance."""

import logging
import os
import time
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial
from typing import Any

from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import PipelineOptions

from beam_pipelines import execute, progress
from beam_pipelines.errors import ConfigError, RunFailed
from beam_pipelines.pipelines import row_pipeline, table_pipeline
from beam_pipelines.recipe import Recipe, RecipeConfig
from beam_pipelines.record import read_record, versions, write_record
from beam_pipelines.stages import Job, RowStage, Stage, TableStage, cut, fingerprints
from beam_pipelines.work import Work, pending
from transforms.tables.digest import digest, file_digest, tables_digest
from transforms.tables.ledger import RETRIES, Tally, ledger_table, retry_names, tally
from transforms.tables.shards import (
    delete_folder,
    exists,
    is_folder,
    is_local,
    is_temporary,
    make_folder,
    read_footers,
    shard_names,
    shard_path,
)

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Order:
    """What the user asked for."""

    recipe: Recipe
    config: RecipeConfig
    manifest: str
    run: str
    options: PipelineOptions
    recompute: bool = False


def run(order: Order) -> None:
    """Do what is left of the run; raises ConfigError, RunFailed, execute.PipelineFailed."""
    stages = order.recipe.stages(order.config, order.run)
    jobs = cut(stages, order.config.jobs)
    _check_paths(order)
    make_folder(order.run)
    _sweep(order.run)
    record = _open_record(order, stages)
    write_record(order.run, record)
    _split(order, record)
    for job in jobs:
        _do(order, job, record)
    record["finished"] = _now()
    write_record(order.run, record)


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def _check_paths(order: Order) -> None:
    if any(character in order.run for character in "*?["):
        raise ConfigError(f"--output {order.run}: the name of a run must not have any of * ? [ in it.")
    if not exists(order.manifest):
        raise ConfigError(f"--input {order.manifest}: there is no such file.")


def _open_record(order: Order, stages: list[Stage]) -> dict[str, Any]:
    """The run's record, with this configuration in it; stale stages are refused, or deleted if recompute is asked."""
    settings = order.config.model_dump(mode="json")
    manifest = digest([file_digest(order.manifest), settings.get("manifest")])
    prints = fingerprints(stages, manifest)
    old = read_record(order.run)
    changed = [name for name, print_ in prints.items() if old.get("fingerprints", {}).get(name, print_) != print_]
    folders = {name: _folders(order.run, name, stages) for name in changed}
    stale = [name for name in changed if any(map(is_folder, folders[name]))]  # nothing is made of the others yet
    if stale and not order.recompute:
        what = "the manifest" if stale[0] == "manifest" else f"what the stage {stale[0]} is made from"
        raise ConfigError(
            f"{order.run}: {what} changed since this run was made; give --recompute to delete and redo "
            f"{', '.join(stale)}, or another --output."
        )
    models = order.recipe.models(order.config)
    for name in stale:
        _delete_stage(order.run, name, folders[name])
    done = {name: entry for name, entry in old.get("stages", {}).items() if name not in changed}
    return {
        "recipe": order.recipe.name,
        "manifest": order.manifest,
        "started": old.get("started", _now()),
        "versions": versions(),
        "models": {
            role: {"name": entry.name, "sha256": entry.sha256, "licence": entry.licence, "source": entry.source}
            for role, entry in models.items()
        },
        "config": settings,
        "fingerprints": prints,
        "stages": done,
    }


def _folders(run: str, name: str, stages: list[Stage]) -> list[str]:
    """The folders of all that a stage writes."""
    stage = next((stage for stage in stages if stage.name == name), None)
    tables = ("manifest",) if stage is None else stage.tables + (stage.files if isinstance(stage, TableStage) else ())
    return [str(FileSystems.join(run, *table.split("/"))) for table in (*tables, ledger_table(name))]


def _delete_stage(run: str, name: str, folders: list[str]) -> None:
    _LOG.info("deleting what the stage %s made", name)
    for folder in folders:
        delete_folder(folder)
    retries = [shard_path(run, RETRIES, shard) for shard in retry_names(run, name)]
    if retries:
        FileSystems.delete(retries)


def _sweep(run: str) -> None:
    """Delete the temporary files that a killed run left, and nothing else: the folder may be the user's own."""
    if is_local(run):
        for folder, _, names in os.walk(run):
            for name in filter(is_temporary, names):
                os.unlink(os.path.join(folder, name))


def _split(order: Order, record: dict[str, Any]) -> None:
    start = time.monotonic()
    if "manifest" not in record["stages"]:
        order.recipe.split_manifest(order.config, order.manifest, order.run)
    _close_stage(order, record, "manifest", None, table_rows(order.run, "manifest"), time.monotonic() - start)


def _do(order: Order, job: Job, record: dict[str, Any]) -> None:
    start = time.monotonic()
    if job.by_rows:
        for work in pending(order.run, job):
            _execute_rows(order, job, work)
    else:
        stages = tuple(
            stage for stage in job.stages if isinstance(stage, TableStage) and _outdated(order, record, stage)
        )
        if stages:
            _execute_tables(order, job, stages)
    seconds = time.monotonic() - start
    for stage in job.stages:
        if isinstance(stage, RowStage):
            _close_row_stage(order, record, stage, seconds)
        else:
            _close_table_stage(order, record, stage, seconds)


def _outdated(order: Order, record: dict[str, Any], stage: TableStage) -> bool:
    done = record["stages"].get(stage.name)
    if done is None or not any(shard_names(order.run, table) for table in stage.tables):
        return True
    return bool(done["input"] != tables_digest(order.run, list(stage.reads)))


def _execute_rows(order: Order, job: Job, work: Work) -> None:
    names = [stage.name for stage in work.stages]
    read = (
        progress.counts_in_process(names)
        if execute.in_process(order.options)
        else progress.counts_on_storage(order.run, names, [chunk.name for chunk in work.chunks])
    )
    running = execute.Running(partial(row_pipeline, run=order.run, work=work), order.options)
    running.start()
    progress.follow(running, f"job {job.number} {'+'.join(names)}", work.items(order.run), read)
    running.outcome()


def _execute_tables(order: Order, job: Job, stages: tuple[TableStage, ...]) -> None:
    names = [stage.name for stage in stages]
    running = execute.Running(partial(table_pipeline, stages=stages), order.options)
    running.start()
    read = progress.counts_on_storage(order.run, names, ["00000"])
    progress.follow(running, f"job {job.number} {'+'.join(names)}", None, read)
    running.outcome()


def table_rows(run: str, table: str) -> int:
    """The rows of a table's committed shards; footers only."""
    return sum(rows for rows, _ in read_footers(run, table, shard_names(run, table)))


def _close_row_stage(order: Order, record: dict[str, Any], stage: RowStage, seconds: float) -> None:
    left_out = 0 if stage.without is None else table_rows(order.run, stage.without)
    entered = table_rows(order.run, stage.reads) - left_out
    _close_stage(order, record, stage.name, entered, table_rows(order.run, stage.writes), seconds)


def _close_stage(
    order: Order, record: dict[str, Any], stage: str, entered: int | None, written: int, seconds: float
) -> None:
    """Record a stage's counts after proving that they balance (`entered` None: the stage counted its own input)."""
    counts = tally(order.run, stage)
    if entered not in (None, counts.items) or counts.rows != written:
        raise RunFailed(
            f"{order.run}: the counts of stage {stage} do not balance: {entered} items entered and the ledger has "
            f"{counts.items}; the ledger tells of {counts.rows} rows and the table has {written}."
        )
    _write_stage(order, record, stage, counts, seconds)


def _close_table_stage(order: Order, record: dict[str, Any], stage: TableStage, seconds: float) -> None:
    counts = tally(order.run, stage.name)
    _write_stage(order, record, stage.name, counts, seconds, input=tables_digest(order.run, list(stage.reads)))


def _write_stage(order: Order, record: dict[str, Any], stage: str, counts: Tally, seconds: float, **more: str) -> None:
    before = record["stages"].get(stage, {}).get("seconds", 0.0)
    record["stages"][stage] = {
        "kept": counts.count("kept"),
        "dropped": counts.count("dropped"),
        "failed": counts.count("failed"),
        "reasons": {code: n for code, n in counts.by_reason.items() if code != "kept"},
        "rows": counts.rows,
        "seconds": round(before + seconds, 3),
        **more,
    }
    write_record(order.run, record)
    failed = counts.count("failed")
    if failed > order.config.max_failed_share * counts.items:
        raise RunFailed(
            f"{order.run}: {failed} of {counts.items} items failed in stage {stage}, more than max_failed_share "
            f"{order.config.max_failed_share:g} allows; `manyfaces inspect {order.run}` shows why, "
            "`manyfaces retry` tries them again, --set max_failed_share=1 goes on without them."
        )
