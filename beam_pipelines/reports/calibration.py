"""The table of a calibration: what was found, with what to write into the configuration."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.table import Table


def table(record: Mapping[str, Any]) -> Table:
    """A line for each threshold with its key of the configuration, and for what it rests on."""
    shown = Table(title=f"calibration of {record['faces']:,} faces, for {record['method']}", title_justify="left")
    shown.add_column("")
    shown.add_column("value", justify="right")
    shown.add_column("what it is", overflow="fold")
    for line in lines(record):
        shown.add_row(*line)
    return shown


def lines(record: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """What was found, its value, and the keys of the configuration or the words that say what it is."""
    kinds, (low, high) = record["kinds"], record["interval"]
    yield "link", f"{record['link']:.3f}", f"identity.clusters.link_similarity; 95 % interval {low:.3f} to {high:.3f}"
    yield "merge", _or_off(record["merge"]), "identity.cleaning.merge_similarity, ambiguous_ and leakage_similarity"
    yield "duplicate", _or_off(record["duplicate"]), "identity.cleaning.duplicate_similarity"
    yield "edge", f"{record['edge']:.3f}", "identity.edges.min_similarity"
    yield (
        "wrong links",
        f"{record['wrong_links']:.3g}",
        "different people's faces above the link, expected of each face",
    )
    yield "lost", f"{100 * record['lost']:.1f} %", "pairs of one person below the link, expected"
    same = kinds["above"] * kinds["share"]
    mean = 2 * kinds["a"] / (kinds["a"] + kinds["b"]) - 1
    yield (
        "same person",
        f"{same:.3g}",
        f"other pictures of its person that a face has; their mean similarity is {mean:.3f}",
    )
    if record["nobodies"]:
        yield (
            "nobody",
            f"{100 * record['nobodies']:.2g} %",
            "of the faces show nobody: they are like each other, but not as one person's pictures are",
        )
    for name, meaning in (
        ("same", "one person"),
        ("different", "two people, as faces of one image are but for copies, mirrors and faces found twice"),
    ):
        known = record[name]
        if known["pairs"]:
            yield (
                f"known {name}",
                f"{known['linked']:,}",
                f"of {known['pairs']:,} pairs known to be {meaning}, above the link",
            )


def _or_off(similarity: float) -> str:
    return "off" if similarity >= 1 else f"{similarity:.3f}"
