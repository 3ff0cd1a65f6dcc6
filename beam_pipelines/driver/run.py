"""One run from start to end: check what is there, split the manifest, do each job, prove that the counts balance."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timezone
from functools import partial
from typing import Any

from beam_pipelines.cards.write import write_cards
from beam_pipelines.driver import storage
from beam_pipelines.driver.balance import close_stage, counts_of_manifest
from beam_pipelines.driver.do_job import do_job
from beam_pipelines.driver.folder import alone, check_whole, sweep
from beam_pipelines.driver.jobs import cut_jobs
from beam_pipelines.driver.listed import look_at_list, new_rows_told
from beam_pipelines.driver.monitoring import check as check_monitoring
from beam_pipelines.driver.monitoring import monitoring
from beam_pipelines.driver.order import Order
from beam_pipelines.driver.record import read_record, versions, write_record
from beam_pipelines.driver.staleness import account, refresh
from beam_pipelines.errors import ConfigError
from beam_pipelines.runners.beam_options import to_record
from beam_pipelines.runners.options import check_idle, runner_name
from model_handlers.models.handlers import numbers_from
from transforms.flow.stages import Stage
from transforms.tables.attempt import begin_attempt
from transforms.tables.files import delete_folder, is_local


def check(order: Order) -> None:
    """ConfigError for what could not run, before anything is fetched or written."""
    _check_paths(order)
    check_monitoring(order.config.monitoring)
    jobs = cut_jobs(order.stages(), order.config.jobs)
    options = [order.options(job) for job in jobs]
    if order.submit and runner_name(options[0]) != "DataflowRunner":
        raise ConfigError("--submit: only DataflowRunner's jobs go on without the process that started them.")


def run(order: Order) -> None:
    """Do what is left of the run; raises ConfigError, RunFailed, PipelineFailed, and Submitted if `order.submit`."""
    stages = order.stages()
    jobs = cut_jobs(stages, order.config.jobs)
    check_idle([order.options(job) for job in jobs])
    _check_paths(order)
    is_new = is_local(order.run) and not os.path.exists(order.run)
    storage.make_folder(order.run, "--output")
    with alone(order.run):
        check_whole(order.run)
        sweep(order.run)
        record = _open_record(order, stages)
        storage.ask(partial(write_record, order.run, record), order.run, "--output")
        attempt = begin_attempt(order.run)
        try:
            _split(order, record)
        except ConfigError:
            if is_new:  # a list that cannot be read to its end leaves no folder behind
                delete_folder(order.run)
            raise
        with monitoring(order.config.monitoring, order.recipe.name, order.run) as sinks:
            for job in jobs:
                do_job(replace(order, watched=sinks.watched), job, record, attempt)
        sweep(order.run)
        write_cards(order.run, record, stages)
        record["finished"] = _now()
        write_record(order.run, record)


def _open_record(order: Order, stages: list[Stage]) -> dict[str, Any]:
    """The run's record with this configuration in it, after what is out of date is refused or deleted."""
    settings = order.config.model_dump(mode="json")
    old = read_record(order.run)
    if (made := old.get("recipe", order.recipe.name)) != order.recipe.name:
        raise ConfigError(
            f"{order.run}: there is a run of the recipe {made}; give the recipe {order.recipe.name} another --output."
        )
    with _input_errors(order, ValueError):
        listed = look_at_list(order.recipe, order.manifest, order.run, order.config, old, order.recompute)
    new = account(stages, listed.begun, order.config.manifest)
    models = order.recipe.models(order.config)
    changed = refresh(order.run, stages, old, new, order.recompute)
    if "manifest" in old.get("stages", {}) and (told := new_rows_told(listed)):
        print(f"manyfaces: {told}.", file=sys.stderr)
    beam, secret = to_record(order.beam)
    unread = set() if listed.is_read else {"manifest"}
    return {
        "recipe": order.recipe.name,
        "manifest": os.path.abspath(order.manifest) if is_local(order.manifest) else order.manifest,
        "started_in": os.getcwd(),
        "beam": beam,
        "beam_secret": secret,
        "started": old.get("started", _now()),
        "versions": versions(),
        "models": {
            role: {"name": entry.name, **numbers_from(entry), "licence": entry.licence, "source": entry.source}
            for role, entry in models.items()
        },
        "config": settings,
        "list": listed.now,
        **new,
        "stages": {name: entry for name, entry in old.get("stages", {}).items() if name not in changed | unread},
    }


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def _check_paths(order: Order) -> None:
    if any(character in order.run for character in "*?["):
        raise ConfigError(f"--output {order.run}: the name of a run must not have any of * ? [ in it.")
    storage.check_folder(order.run, "--output")
    check_whole(order.run)
    storage.check_list(order.manifest, "--input")
    with _input_errors(order, ValueError, OSError):
        order.recipe.check(order.manifest, order.config.manifest)


@contextmanager
def _input_errors(order: Order, *kinds: type[Exception]) -> Iterator[None]:
    """ConfigError for what is wrong with the list: a column that is not there, a file that is cut, another manifest."""
    try:
        yield
    except ConfigError:
        raise
    except kinds as error:
        raise ConfigError(f"--input {order.manifest}: {error}") from error


def _split(order: Order, record: dict[str, Any]) -> None:
    start = time.monotonic()
    if "manifest" not in record["stages"]:
        with _input_errors(order, ValueError):
            order.recipe.split(order.manifest, order.run, order.config.manifest)
    close_stage(order, record, "manifest", counts_of_manifest(order.run), time.monotonic() - start, {})
