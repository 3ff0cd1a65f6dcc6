"""Hierarchical clustering by average linkage, of groups of any size of which some must stay apart."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from transforms.identity.knn import I64

F64 = npt.NDArray[np.float64]


def average_linkage(sums: F64, sizes: I64, cut: float) -> I64:
    """(G,) clusters 0..K-1 of G groups by average linkage up to the distance `cut`, numbered by their first groups.

    sums (G,G): the distances of all pairs of faces of two groups, added up, symmetric; infinite where the two must stay
    apart, and so must then all that they become part of. It is changed. sizes (G,): faces of each group.

    That is scipy's `linkage(..., "average")` and `fcluster(..., cut, "distance")`, which know neither groups to start
    from nor pairs to keep apart. The nearest neighbour chain (F. Murtagh, A survey of recent advances in hierarchical
    clustering algorithms, The Computer Journal 26(4), 1983): go from a cluster to its nearest, on to the nearest of
    that, until two are nearest to each other; join them. No join brings any cluster nearer to a third than the nearer
    of its parts was, so the order of the joins does not matter, and what has nothing within the cut never will.
    """
    np.fill_diagonal(sums, np.inf)
    weights, into = sizes.astype(np.float64), np.arange(len(sizes))
    for start in range(len(sizes)):
        chain = [start] if into[start] == start else []
        while chain:
            top, before = chain[-1], chain[-2] if len(chain) > 1 else -1
            average = sums[top] / (weights * weights[top])
            nearest = int(average.argmin())
            if average[nearest] > cut:
                break  # it is alone in the chain: the one before would have had it within the cut
            if before < 0 or average[nearest] < average[before]:
                chain.append(nearest)
            else:
                low, high = sorted((top, before))
                _join(sums, weights, low, high)
                into[high] = low
                chain = chain[:-2] or [low]
    return in_order(_ends(into))


def _join(sums: F64, weights: F64, low: int, high: int) -> None:
    """Make `low` the two together, and `high` nothing that could be near to anything."""
    sums[low] += sums[high]
    sums[:, low] = sums[low]
    sums[:, high] = np.inf
    weights[low] += weights[high]


def _ends(into: I64) -> I64:
    """(G,) for each of G what it became part of in the end; into (G,): what each was joined to, before it or itself."""
    ends = into.copy()
    for place, other in enumerate(into.tolist()):
        ends[place] = ends[other]
    return ends


def in_order(labels: I64) -> I64:
    """(N,) the same clusters, numbered 0..K-1 by their first rows."""
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse].astype(np.int64)


def members(labels: I64) -> Sequence[I64]:
    """The rows of each label, ascending, by label."""
    order = np.argsort(labels, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(labels[order])) + 1) if len(order) else []
