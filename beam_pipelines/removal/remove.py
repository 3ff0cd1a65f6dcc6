"""`manyfaces remove`: one removal from start to end, or what is left of one that was killed."""

from collections.abc import Sequence
from typing import Any

from rich.table import Table

from beam_pipelines import config as configuration
from beam_pipelines.driver import storage
from beam_pipelines.driver.folder import alone, sweep
from beam_pipelines.driver.record import read_record
from beam_pipelines.driver.unnamed import delete_unnamed
from beam_pipelines.errors import ConfigError
from beam_pipelines.removal.asked import Asked
from beam_pipelines.removal.carry_out import carry_out
from beam_pipelines.removal.find import Found, find
from beam_pipelines.removal.plan import asked_mark, plan
from beam_pipelines.removal.strangers import strangers
from beam_pipelines.reports import summary
from transforms.flow.stages import RowStage, Stage
from transforms.tables.attempt import begin_attempt
from transforms.tables.removals import RECORD, begin, read_removals, read_under_way, write_removals

_SHOWN = 20  # unknown items, or files, that are named


def remove(run: str, asked: Asked, dry_run: bool = False) -> None:
    """Take out of the run what is asked for, and print what that came to; ConfigError if it cannot be.

    What another command began, and did not finish, is finished first.
    """
    storage.check_folder(run, "run")
    record = read_record(run)
    if not record:
        raise ConfigError(f"{run}: there is no run here (no run.json).")
    recipe, settings = configuration.from_record(record, [])
    stages = recipe.stages_of(settings)
    try:
        begun, removals = read_under_way(run), read_removals(run)
    except ValueError as error:
        raise ConfigError(str(error)) from error
    if begun is None and not asked.anything:
        raise ConfigError("remove: name what is to go: --urls, --images or --identities.")
    if dry_run:
        if begun is not None:
            raise ConfigError(f"{run}: a removal is under way; give `manyfaces remove {run}` to finish it first.")
        found = find(run, stages, asked)
        _show(run, plan(run, record, stages, asked, found, removals).entry, "what would be removed")
        _show_unknown(found, asked, [url for url in asked.urls if removals.has(url)])
        return
    with alone(run):
        sweep(run)
        begin_attempt(run)  # a worker of an earlier start, wherever it is, must not bring anything back
        for stage in stages:
            if isinstance(stage, RowStage):
                delete_unnamed(run, stage)  # which may show what is to go, and no row says so
        if begun is not None:
            _show(run, carry_out(run, record, stages, begun), "a removal that had begun is finished")
            if begun.asked == asked_mark(asked, removals) or not asked.anything:
                return
            removals = read_removals(run)
        before = [url for url in asked.urls if removals.has(url)]
        found = find(run, stages, asked)
        if found.gone or set(asked.urls) - set(before):
            write_removals(run, removals)  # its salt is that of the hashes in what is written next
            removal = plan(run, record, stages, asked, found, removals)
            begin(run, removal)
            _show(run, carry_out(run, record, stages, removal), "removed")
            print(f"the record is in {run.rstrip('/')}/{RECORD}")
        _show_unknown(found, asked, before)
        _show_strangers(run, stages)


def _show(run: str, entry: dict[str, Any], title: str) -> None:
    table = Table("what", "rows", "shards written anew", "files or folders deleted", title=title, title_justify="left")
    names = dict.fromkeys([*entry["rows"], *entry["files"]])
    for name in names:
        table.add_row(name, *(str(entry[what].get(name, "")) for what in ("rows", "shards", "files")))
    for name in entry["made_anew"]:
        table.add_row(name, "", "", "all of the stage: `manyfaces run` makes it anew")
    out = summary.console()
    out.print(table)
    out.print(f"items of the list: {entry['items']}, of them exact copies of others: {entry['exact_copies']}")


def _show_strangers(run: str, stages: Sequence[Stage]) -> None:
    """Say what else is in the folder: it may show what was removed."""
    if names := strangers(run, stages):
        shown = ", ".join(repr(name) for name in names[:_SHOWN]) + (" ..." if len(names) > _SHOWN else "")
        print(f"not of the run, and not searched: {shown}; look yourself whether what was removed is in there")


def _show_unknown(found: Found, asked: Asked, before: list[str]) -> None:
    """Say what was asked for and is not there."""
    unknown = [one for one in found.unknown if one not in before]
    if before:
        print(f"removed before: {len(before)} of {len(asked.urls)} URLs")
    if unknown:
        shown = "".join(f"\n  {one!r:.300}" for one in unknown[:_SHOWN])
        more = f"\n  and {len(unknown) - _SHOWN} more" if len(unknown) > _SHOWN else ""
        print(f"not in the run: {len(unknown)}; a URL among them will not be fetched{shown}{more}")
