"""The short table that ends a run: what entered each stage and what became of it."""

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from beam_pipelines.driver.record import read_record
from beam_pipelines.errors import ConfigError
from beam_pipelines.reports import nothing_kept
from beam_pipelines.reports.causes import causes
from transforms.identity.search import measured_recall
from transforms.tables.shards import iter_tables, shard_names


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
    steps = [step for table in iter_tables(run, "cleaning") for step in table.to_pylist()]  # old runs: fewer columns
    table = Table(title="cleaning", title_justify="left", caption=_notes(steps), caption_justify="left")
    table.add_column("step")
    together = any(step.get("n_seen_together") is not None for step in steps)
    heads = ("identities", "images", "lost", "faces", "dropped", "too few", *["seen together"] * together)
    for name in (*heads, "pairs", "wrong, est.", "right, est."):
        table.add_column(name, justify="right")
    columns = ["n_faces", "n_dropped", "n_small", *["n_seen_together"] * together, "n_pairs"]
    for before, step in zip([None, *steps], steps, strict=False):
        counts = ["" if step.get(name) is None else f"{step[name]:,}" for name in columns]
        images = f"{step['n_subjects']:,}", f"{step['n_images']:,}", _lost(before, step)
        table.add_row(step["stage"], *images, *counts, _wrong(step), _right(before, step))
    return table


def _lost(before: dict[str, Any] | None, step: dict[str, Any]) -> str:
    """The images that went in a step; of clusters without evidence nothing is cleaned."""
    if before is None or before["stage"] == "without_evidence":
        return ""
    return f"{before['n_images'] - step['n_images']:,}"


def _wrong(step: dict[str, Any]) -> str:
    if step.get("n_pairs") is None or step["precision"] is None:
        return ""
    return f"{round(step['n_pairs'] * (1 - step['precision'])):,}"


def _right(before: dict[str, Any] | None, step: dict[str, Any]) -> str:
    """The share of right pairs, and that of the step before where it was another."""
    if step.get("n_pairs") is None or step["precision"] is None:
        return ""
    now = step["precision"]
    was = before.get("precision") if before else None
    return f"{now:.1%}" if was is None or was == now else f"{was:.1%} -> {now:.1%}"


def _notes(steps: list[dict[str, Any]]) -> str | None:
    """What the estimates are and rest on: similarities, or pictures alone where those tell nothing."""
    if not steps or steps[-1].get("n_pairs") is None:
        return None
    last = steps[-1]
    told = [_by_pictures(step) for step in steps if step.get("by_pictures") is not None and step["precision"] is None]
    if last["precision"] is not None:
        told.append(
            f"right, est.: of the pairs of faces in one identity about {last['precision']:.1%} are one person's in the "
            f"end, between {last['at_least']:.1%} and {last['at_most']:.1%}, by the similarities of all faces"
        )
    elif last["n_pairs"]:
        told.append("right, est.: too little evidence to tell how many pairs of faces in one identity are right")
    return "\n".join(told) or None


def _by_pictures(step: dict[str, Any]) -> str:
    """What the faces of one picture that came into one cluster say of how pure clusters are, without labels."""
    if step["by_pictures_at_least"] == 0:
        return "without_evidence: too few faces are seen together to tell how many pairs of faces are right"
    return (
        f"without_evidence: by the faces of one picture that are in one cluster {step['by_pictures']:.1%} of the pairs "
        f"are right, at least {step['by_pictures_at_least']:.1%} (95 %)"
    )
