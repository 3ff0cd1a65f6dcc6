"""`manyfaces resume`: a run goes on as its record says, without anything being repeated."""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from beam_pipelines import api
from beam_pipelines import config as configuration
from beam_pipelines.driver import staleness, storage
from beam_pipelines.driver.jobs import cut_jobs
from beam_pipelines.driver.left import DONE, left
from beam_pipelines.driver.listed import first_rows_of, look_at_list
from beam_pipelines.driver.order import Order
from beam_pipelines.driver.record import read_record
from beam_pipelines.driver.run import check
from beam_pipelines.errors import ConfigError
from transforms.tables.files import is_local


def command(arguments: argparse.Namespace, beam: Sequence[str]) -> None:
    """`manyfaces resume RUN`."""
    order = order_of(arguments.run, arguments.set, beam)
    storage.use_options(order.beam)
    check(order)
    if "finished" in (record := read_record(order.run)) and is_done(order, record):
        api.Run(order.run).show()
        print(f"{order.run}: this run is finished, since {record['finished']}; nothing is left to do.{_more(record)}")
        return
    with_options = f", with {' '.join(_names(order.beam))}" if order.beam else ""
    print(f"manyfaces: going on with {order.recipe.name} on {order.manifest}{with_options}.", file=sys.stderr)
    api.start(order).show()


def _names(beam: Sequence[str]) -> list[str]:
    """The options without values: those given beside the record may be secret."""
    return [word.partition("=")[0] for word in beam if word.startswith("-")]


def _more(record: Mapping[str, Any]) -> str:
    """What could still be done with a finished run."""
    first = first_rows_of(record["config"])
    return "" if first is None else f" It took the first {first} rows of its list; --limit all takes the others too."


def order_of(run: str, given: Sequence[str] = (), beam: Sequence[str] = ()) -> Order:
    """What goes on with a run as its record has it; `given` overrides and options of Beam's stand above the record's.

    Relative paths of the configuration mean what they meant where the run was started: this process changes into that
    folder if it is still there. ConfigError for a folder that is no run, and for options that were not recorded.
    """
    storage.check_folder(run, "run")
    record = read_record(run)
    if not {"config", "manifest"} <= record.keys():
        raise ConfigError(
            f"{run}: there is no run here (no run.json of one); `manyfaces run CONFIG --input LIST --output {run}` "
            "begins one."
        )
    if is_local(run):
        run = os.path.abspath(run)
    if os.path.isdir(folder := record.get("started_in", "")):
        os.chdir(folder)
    recipe, settings = configuration.from_record(record, list(given))
    return Order(recipe, settings, record["manifest"], run, (*_recorded(record, beam), *beam))


def _recorded(record: Mapping[str, Any], beam: Sequence[str]) -> list[str]:
    """The options of Beam's in the record; ConfigError for secret ones, which are not there and not given again."""
    again = {word.partition("=")[0] for word in beam}
    if lacking := sorted(set(record.get("beam_secret", [])) - again):
        raise ConfigError(
            f"resume: what {', '.join(lacking)} said is not in run.json, since it may be secret; give it again."
        )
    return [option for option in record.get("beam", []) if option.partition("=")[0] not in again]


def is_done(order: Order, record: Mapping[str, Any]) -> bool:
    """Whether a run has done all that its list, as it is now, asks for."""
    try:
        listed = look_at_list(order.recipe, order.manifest, order.run, order.config, record, recompute=False)
    except ValueError:  # the list has changed, or cannot be read: the run itself will say so
        return False
    stages = order.stages()
    prints = staleness.account(stages, listed.begun, order.config.manifest)
    stale = staleness.stale_stages(order.run, stages, staleness.changed_stages(record, prints))
    todo = left(order.run, cut_jobs(stages, order.config.jobs), dict(record), prints["fingerprints"], stale)
    return listed.is_read and set(todo.values()) == {DONE}
