"""What each rule of the cleaning cost and what it left, with the estimates of wrong and right pairs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from transforms.tables.shards import iter_tables


@dataclass(frozen=True, slots=True)
class Cleaning:
    """A row of texts for each rule, under heads, and what the estimates rest on, if there are any."""

    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: str | None


def read(run: str) -> Cleaning:
    """The table `cleaning` of a run as it is shown."""
    steps = [step for table in iter_tables(run, "cleaning") for step in table.to_pylist()]  # old runs: fewer columns
    together = any(step.get("n_seen_together") is not None for step in steps)
    heads = ("step", "identities", "images", "lost", "faces", "dropped", "too few", *["seen together"] * together)
    columns = ["n_faces", "n_dropped", "n_small", *["n_seen_together"] * together, "n_pairs"]
    rows = []
    for before, step in zip([None, *steps], steps, strict=False):
        counts = ["" if step.get(name) is None else f"{step[name]:,}" for name in columns]
        images = f"{step['n_subjects']:,}", f"{step['n_images']:,}", _lost(before, step)
        rows.append((step["stage"], *images, *counts, _wrong(step), _right(before, step)))
    return Cleaning((*heads, "pairs", "wrong, est.", "right, est."), rows, _notes(steps))


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
