"""What each command of the command line does.

Modules that one command alone needs are imported there: the others start sooner.
"""

import argparse
import json
import os
from typing import Any

import yaml
from rich.table import Table

from beam_pipelines import api
from beam_pipelines import config as configuration
from beam_pipelines.driver import dry_run, staleness, storage
from beam_pipelines.driver.jobs import cut_jobs
from beam_pipelines.driver.left import left
from beam_pipelines.driver.listed import Listed, look_at_list, new_rows_told
from beam_pipelines.driver.order import Order
from beam_pipelines.driver.record import read_record
from beam_pipelines.driver.run import check
from beam_pipelines.errors import ConfigError, Submitted
from beam_pipelines.recipes import RECIPES
from beam_pipelines.recipes.recipe import Recipe, RecipeConfig, schema
from beam_pipelines.reports import inspection, summary
from model_handlers.frameworks.loading import is_installed
from model_handlers.models import catalogue, store
from model_handlers.models.catalogue import Catalogue
from model_handlers.models.handlers import Placement
from model_handlers.models.licences import Accepted, check_licence
from transforms.flow.stages import RowStage
from transforms.tables.ledger import tally
from transforms.tables.retry import plan_retry


def run(arguments: argparse.Namespace, rest: list[str]) -> None:
    """`manyfaces run`."""
    order = api.order(
        arguments.config,
        arguments.input or "",
        arguments.output,
        arguments.set,
        rest,
        arguments.recompute,
        arguments.submit,
    )
    if arguments.dry_run:
        _dry_run(order, arguments.dry_run)
        return
    if not arguments.input:
        raise ConfigError("run: name the manifest with --input FILE.")
    try:
        api.start(order).show()
    except Submitted as job:
        print(f"job {job} is on its way; when it is done, the same command proves its counts and starts the next.")


def _dry_run(order: Order, folder: str) -> None:
    table = Table("job", "stages", "steps", "machine", "GPU", "image", title=f"{order.recipe.name}: what would be sent")
    found = dry_run.describe(order, folder)
    for one in found:
        stages = "\n".join(stage.name for stage in one.job.stages)
        table.add_row(str(one.job.number), stages, str(one.steps), one.machine, one.gpu, one.image)
    summary.console().print(table)
    print("\n".join(path for one in found for path in one.files))
    print(dry_run.NOTE)


def plan(arguments: argparse.Namespace, rest: list[str]) -> None:
    """`manyfaces plan`."""
    storage.check_folder(arguments.output, "--output")
    recipe, settings = configuration.load(arguments.config, arguments.set)
    stages = recipe.stages_of(settings)
    jobs = cut_jobs(stages, settings.jobs)
    record = read_record(arguments.output)
    content, list_told = record.get("made_from", {}).get("manifest", {}).get("--input", ""), ""
    if arguments.input:
        storage.check_list(arguments.input, "--input")
        listed, list_told = _listed(recipe, arguments, settings, record)
        content = listed.begun
        if not listed.is_read:
            record.get("stages", {}).pop("manifest", None)
    new = staleness.account(stages, content, settings.manifest)
    changed = staleness.changed_stages(record, new)
    stale = staleness.stale_stages(arguments.output, stages, changed)
    todo = left(arguments.output, jobs, record, new["fingerprints"], stale)
    table = Table("job", "stage", "reads", "writes", "to do", title=f"{recipe.name} in {arguments.output}")
    table.add_row("", "manifest", arguments.input or record.get("manifest", "--input"), "manifest", todo["manifest"])
    for job in jobs:
        for stage in job.stages:
            reads = stage.reads if isinstance(stage, RowStage) else ", ".join(stage.reads)
            table.add_row(str(job.number), stage.name, reads, ", ".join(stage.tables), todo[stage.name])
    out = summary.console()
    out.print(table)
    for role, entry in recipe.models(settings).items():
        out.print(f"model for {role}: {entry.name} ({entry.licence}; {settings.models.device})")
    if list_told:
        print(list_told)
    if stale:
        print(staleness.refusal(arguments.output, changed, stale, record, new))


def _listed(
    recipe: Recipe, arguments: argparse.Namespace, settings: RecipeConfig, record: dict[str, Any]
) -> tuple[Listed, str]:
    """What the list is to the run, and what there is to say of it: new rows, or a refusal."""
    try:
        listed = look_at_list(recipe, arguments.input, arguments.output, settings, record, recompute=False)
    except ConfigError as refused:
        return look_at_list(recipe, arguments.input, arguments.output, settings, record, recompute=True), str(refused)
    except ValueError as error:
        raise ConfigError(f"--input {arguments.input}: {error}") from error
    told = new_rows_told(listed)
    return listed, f"{told}: they become further shards of every table." if told else ""


def retry(arguments: argparse.Namespace, rest: list[str]) -> None:
    """`manyfaces retry`: plan chunks for the failed items, then run as before."""
    storage.check_folder(arguments.run, "run")
    record = read_record(arguments.run)
    if not record:
        raise ConfigError(f"{arguments.run}: there is no run here (no run.json).")
    recipe, settings = configuration.from_record(record, arguments.set)
    order = Order(recipe, settings, record["manifest"], arguments.run, tuple(rest))
    check(order)
    stages = [stage for stage in recipe.stages_of(settings) if isinstance(stage, RowStage)]
    planned = {}
    for stage in stages:
        rows_per_shard = recipe.rows_per_shard(settings.manifest, tally(arguments.run, stage.name).count("failed"))
        planned[stage.name] = plan_retry(arguments.run, stage.name, arguments.transient_only, rows_per_shard)
    print("to retry: " + (", ".join(f"{n} in {name}" for name, n in planned.items() if n) or "nothing"))
    api.start(order).show()


def resume(arguments: argparse.Namespace, rest: list[str]) -> None:
    """`manyfaces resume`."""
    from beam_pipelines import resume as resuming

    resuming.command(arguments, rest)


def remove(arguments: argparse.Namespace, rest: list[str]) -> None:
    """`manyfaces remove`."""
    from beam_pipelines.removal import remove as removal
    from beam_pipelines.removal.asked import read_asked

    asked = read_asked(arguments.urls, arguments.images, arguments.identities, arguments.pictures, arguments.reference)
    removal.remove(arguments.run, asked, arguments.dry_run)


def demo(arguments: argparse.Namespace, rest: list[str]) -> None:
    """`manyfaces demo [RECIPE]`."""
    from beam_pipelines.demos import photographs, videos

    output = arguments.output or f"runs/demo-{arguments.recipe}"
    of_images = arguments.recipe in ("webbody", "anonymize_images")
    (photographs if of_images else videos).run(arguments.recipe, output)


def inspect(arguments: argparse.Namespace, rest: list[str]) -> None:
    """`manyfaces inspect`."""
    storage.check_folder(arguments.run, "run")
    for target in filter(None, (arguments.to, arguments.sheet)):
        storage.check_folder(os.path.dirname(target), "file")
    columns = arguments.columns.split(",") if arguments.columns else []
    if columns and not arguments.to:
        raise ConfigError("--columns: name the file that they are written to with --to FILE.")
    if arguments.to:
        inspection.check_export(arguments.run, arguments.table, arguments.to, columns)
    if arguments.sheet:
        from beam_pipelines.reports.sheet import write_sheet

        print(f"{write_sheet(arguments.run, arguments.sheet)} -> {arguments.sheet}")
    if arguments.to:
        rows = inspection.export(arguments.run, arguments.table, arguments.to, columns)
        print(f"{rows} rows of {arguments.table} -> {arguments.to}")
    elif arguments.table:
        inspection.show_table(arguments.run, arguments.table)
    elif not arguments.sheet:
        summary.show(arguments.run)
        inspection.show_tables(arguments.run)


def browse(arguments: argparse.Namespace, rest: list[str]) -> None:
    """`manyfaces browse`."""
    from beam_pipelines.browse import command as browsing

    browsing.command(arguments)


def report(arguments: argparse.Namespace, rest: list[str]) -> None:
    """`manyfaces report`."""
    from beam_pipelines.pages import report as page

    page.command(arguments)


def curate(arguments: argparse.Namespace, rest: list[str]) -> None:
    """`manyfaces curate`."""
    from beam_pipelines import curate as curation

    curation.command(arguments, rest)


def verify(arguments: argparse.Namespace, rest: list[str]) -> None:
    """`manyfaces verify`."""
    from beam_pipelines import verify as verification

    verification.command(arguments)


def calibrate(arguments: argparse.Namespace, rest: list[str]) -> None:
    """`manyfaces calibrate`."""
    from beam_pipelines import calibrate as calibration

    calibration.command(arguments)


def evaluate(arguments: argparse.Namespace, rest: list[str]) -> None:
    """`manyfaces evaluate`."""
    from beam_pipelines import evaluate as evaluation

    evaluation.command(arguments)


def export(arguments: argparse.Namespace, rest: list[str]) -> None:
    """`manyfaces export`."""
    from beam_pipelines.exporting import export as exporting

    exporting.command(arguments)


def models(arguments: argparse.Namespace, rest: list[str]) -> None:
    """`manyfaces models list|fetch|check|card`."""
    from beam_pipelines.reports.models import card_table, check_table, list_table

    known = catalogue.load(arguments.catalogue)
    if arguments.what == "card" and not arguments.names:
        raise ConfigError("models card: name the models; `manyfaces models list` shows them.")
    wanted = arguments.names or _of_profile(known, "cpu" if arguments.what in ("fetch", "check") else None)
    entries = [known.get(name) for name in wanted]
    if arguments.what == "fetch":
        for entry in entries:
            store.ensure(entry, accepted=Accepted(arguments.accept_noncommercial, arguments.accept_copyleft))
    out = summary.console()
    if arguments.what == "card":
        for entry in entries:
            out.print(card_table(entry))
    elif arguments.what == "list":
        out.print(list_table(entries))
    else:
        table, unfit = check_table(entries, Placement(arguments.device))
        out.print(table)
        if unfit:
            raise ConfigError(f"models check: {unfit} of {len(entries)} models cannot run; the table says why.")


def _of_profile(known: Catalogue, profile: str | None) -> list[str]:
    """The names of all models, or of those of a profile whose frameworks are installed, in order."""
    return sorted(
        name
        for name, entry in known.models.items()
        if profile is None or (entry.profile == profile and is_installed(entry.framework))
    )


def config(arguments: argparse.Namespace, rest: list[str]) -> None:
    """`manyfaces config schema|check`."""
    if arguments.what == "schema":
        name = arguments.name
        recipe = configuration.recipe(name) if name in RECIPES else configuration.load(name)[0]
        print(json.dumps(schema(recipe.config), indent=2))
        return
    recipe, settings = configuration.load(arguments.name, arguments.set)
    entries = recipe.models(settings).values()
    lacking = [sentence for entry in entries for sentence in entry.lacks()]
    if lacking:
        raise ConfigError("\n".join(f"{arguments.name}: {sentence}" for sentence in dict.fromkeys(lacking)))
    for entry in entries:
        check_licence(entry, settings.models.accepted())
    cut_jobs(recipe.stages_of(settings), settings.jobs)
    print(yaml.safe_dump(settings.model_dump(mode="json"), sort_keys=False, allow_unicode=True), end="")
