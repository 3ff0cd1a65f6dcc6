"""What a verification found: the record of all figures with the pairs behind each, and the tables that show it."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from rich.table import Table
from rich.text import Text

from transforms.evaluation.compared import MEANINGS, Compared
from transforms.evaluation.verification import Point, Verification, wilson

Record = dict[str, Any]


def record_of(compared: Compared, found: Verification) -> Record:
    """All figures as JSON has them; a threshold is null where no pair is accepted."""
    return {
        "pairs": {"listed": len(compared.same) + sum(compared.left_out.values()), "compared": len(compared.same)},
        "left_out": compared.left_out,
        "same": found.roc.same,
        "different": found.roc.different,
        "at_far": {f"{far:g}": None if point is None else _told(point) for far, point in found.at_far.items()},
        "auc": found.auc,
        "equal_error": {"rate": found.equal_error.mean_error, **_told(found.equal_error)},
        "best": {**_told(found.best), "accuracy_interval": list(_accuracy_interval(found.best))},
        "notes": [_too_few(far, found.roc.different) for far, point in found.at_far.items() if point is None],
    }


def _told(point: Point) -> Record:
    return {
        "threshold": point.threshold if np.isfinite(point.threshold) else None,
        "far": point.far,
        "far_interval": list(wilson(point.false_accepts, point.different)),
        "tar": point.tar,
        "tar_interval": list(wilson(point.true_accepts, point.same)),
        "accuracy": point.accuracy,
        "false_accepts": point.false_accepts,
        "different": point.different,
        "true_accepts": point.true_accepts,
        "same": point.same,
    }


def _accuracy_interval(point: Point) -> tuple[float, float]:
    pairs = point.different + point.same
    return wilson(round(point.accuracy * pairs), pairs)


def _too_few(far: float, different: int) -> str:
    return (
        f"TAR at FAR {far:g} cannot be told: it needs at least {round(1 / far):,} pairs of different persons, "
        f"and there are {different:,}."
    )


def figures(record: Mapping[str, Any]) -> Table:
    """A line for each figure: its value, its 95 % interval, the threshold, and the pairs that were counted."""
    table = Table(title="verification", title_justify="left")
    table.add_column("")
    for name in ("value", "95 % interval", "threshold"):
        table.add_column(name, justify="right")
    table.add_column("counted", overflow="fold")
    for line in _lines(record):
        table.add_row(*line)
    return table


def _lines(record: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str, str]]:
    for far, point in record["at_far"].items():
        name = f"TAR at FAR {far}"
        if point is None:
            yield name, "too few pairs", "", "", f"{record['different']:,} different pairs are fewer than 1/FAR"
        else:
            yield name, f"{point['tar']:.4f}", _interval(point["tar_interval"]), _threshold(point), _accepted(point)
    kinds = f"{record['same']:,} same and {record['different']:,} different pairs"
    yield "area under the ROC curve", f"{record['auc']:.5f}", "", "", kinds
    equal, best = record["equal_error"], record["best"]
    yield "equal error rate", f"{equal['rate']:.4f}", "", _threshold(equal), _accepted(equal)
    shown = f"{best['accuracy']:.4f}", _interval(best["accuracy_interval"]), _threshold(best), _accepted(best)
    yield "best accuracy, on these pairs", *shown


def _interval(bounds: tuple[float, float]) -> str:
    return f"{bounds[0]:.4f} to {bounds[1]:.4f}"


def _threshold(point: Mapping[str, Any]) -> str:
    return "none" if point["threshold"] is None else f"{point['threshold']:.4f}"


def _accepted(point: Mapping[str, Any]) -> str:
    same, different = (f"{point[name]:,}" for name in ("true_accepts", "false_accepts"))
    return f"accepted: {same} of {point['same']:,} same, {different} of {point['different']:,} different"


def pairs_told(record: Mapping[str, Any]) -> Table:
    """How many rows the list has, how many pairs were compared, and why the others were not."""
    table = Table(title="pairs", title_justify="left")
    table.add_column("")
    table.add_column("pairs", justify="right")
    table.add_row("listed", f"{record['pairs']['listed']:,}")
    table.add_row("compared", f"{record['pairs']['compared']:,}")
    for reason, count in record["left_out"].items():
        if count:
            table.add_row(Text(f"left out: {MEANINGS[reason]}"), f"{count:,}")
    return table
