"""The short table that ends a run: what entered each stage and what became of it."""

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from beam_pipelines.driver.record import read_record
from beam_pipelines.errors import ConfigError
from beam_pipelines.reports import cleaning, nothing_kept
from beam_pipelines.reports.causes import causes
from transforms.identity.search import measured_recall
from transforms.tables.shards import shard_names


def console() -> Console:
    """The terminal, or a wide page where there is none."""
    out = Console()
    return out if out.is_terminal else Console(width=140)


def show(run: str) -> None:
    """Print the stages of a run with their counts and reasons, the cleaning steps, and why nothing came of it if so."""
    record = read_record(run)
    if not record:
        raise ConfigError(f"{run}: there is no run here (no run.json).")
    out = console()
    out.print(stage_table(record, run))
    if shard_names(run, "cleaning"):
        out.print(_cleaning_table(run))
    if shard_names(run, "edges") and (recall := measured_recall(run)).wanted:
        found = f"{recall.found:,} of {recall.wanted:,} edges of a sample ({recall.found / recall.wanted:.1%})"
        out.print(f"edges: the search was approximate and found {found}", highlight=False, soft_wrap=True)
    if nothing := nothing_kept.sentence(run, record):
        out.print(Text(nothing, style="bold red"))
    for sentence in causes(run, record):
        out.print(sentence, markup=False, highlight=False, soft_wrap=True)


def stage_table(record: dict[str, Any], run: str) -> Table:
    """One line a stage: items in, kept, dropped, failed, rows out, seconds, and why items went no further."""
    table = Table(title=f"{record['recipe']} in {run}", title_justify="left")
    for name in ("stage", "in", "kept", "dropped", "failed", "rows", "seconds"):
        table.add_column(name, justify="left" if name == "stage" else "right")
    table.add_column("reasons", overflow="fold")
    for name, stage in record["stages"].items():
        counts = [stage[state] for state in ("kept", "dropped", "failed")]
        reasons = ", ".join(f"{code} {n}" for code, n in sorted(stage["reasons"].items(), key=lambda r: -r[1]))
        cells = [str(n) for n in (sum(counts), *counts, stage["rows"])]
        table.add_row(name, *cells, f"{stage['seconds']:.1f}", reasons)
    return table


def _cleaning_table(run: str) -> Table:
    """A line for each rule: what it cost, and what is left, with how many pairs of faces in one identity are right."""
    done = cleaning.read(run)
    table = Table(title="cleaning", title_justify="left", caption=done.notes, caption_justify="left")
    for place, head in enumerate(done.heads):
        table.add_column(head, justify="right" if place else "left")
    for row in done.rows:
        table.add_row(*row)
    return table
