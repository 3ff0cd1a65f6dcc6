"""Hierarchical clustering by average linkage that keeps to what the film shows."""

from collections.abc import Iterable, Sequence

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage

from transforms.persons.appearances import F64, I64

_SAFE = 4.0  # times the cut: what one forbidden pair makes of the average distance of its two clusters, at least


def average_linkage(flat: F64, count: int, cut: float, apart: Iterable[I64] = (), alike: Iterable[I64] = ()) -> I64:
    """(N,) clusters 0..K-1 of N = `count` rows by average linkage, up to the distance `cut`; `flat` is changed.

    flat (N * (N - 1) / 2,): distances, row by row. Of the rows of each array in `alike` (M,) all end in one cluster:
    their distances become 0, so that they are joined first. Of each in `apart` (M,) no two do, unless they are alike:
    their distance becomes so large that no average with it comes near the cut. Rows ascend in each array.
    """
    if count < 2:
        return np.zeros(count, np.int64)
    far = _SAFE * max(float(flat.max()), cut, 1.0) * count**2
    for rows in apart:
        _set_all(flat, count, rows, far)
    for rows in alike:
        _set_all(flat, count, rows, 0)
    return in_order(fcluster(linkage(flat, "average"), cut, "distance").astype(np.int64))


def _set_all(flat: F64, count: int, rows: I64, value: float) -> None:
    """Set the distances of all pairs of these rows."""
    for place, row in enumerate(rows.tolist()):
        start = row * count - row * (row + 1) // 2 - row - 1
        flat[start + rows[place + 1 :]] = value


def in_order(labels: I64) -> I64:
    """(N,) the same clusters, numbered 0..K-1 by their first rows."""
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse].astype(np.int64)


def members(labels: I64) -> Sequence[I64]:
    """The rows of each label, ascending, by label."""
    order = np.argsort(labels, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(labels[order])) + 1) if len(order) else []
