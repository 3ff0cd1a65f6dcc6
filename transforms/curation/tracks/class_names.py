"""Names of classes as numbers. NumPy's own strings would lose NULs at the end, and each be as wide as the longest."""

from collections.abc import Iterable, Sequence

import numpy as np

from transforms.curation.tracks.lots import I64


def numbered(names: Sequence[str]) -> tuple[list[str], I64]:
    """The names that there are, each once and sorted, and of every name (N,) its place among them."""
    known = sorted(set(names))
    return known, places_among(names, known)


def places_among(names: Iterable[str], known: Sequence[str]) -> I64:
    """The place (N,) of every name among the known ones."""
    place = {name: number for number, name in enumerate(known)}
    return np.array([place[name] for name in names], np.int64)
