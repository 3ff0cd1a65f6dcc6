"""Merging identities whose centres are similar, closest pair first, while centres follow."""

import numpy as np
import numpy.typing as npt

from transforms.identity.apart import SeenTogether, share_a_scene
from transforms.identity.clustering import connected
from transforms.identity.joining import root
from transforms.identity.knn import F32, Edges, find_edges, one_group, pair_similarity, unit

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
UNMERGED = -1
NOTHING = np.zeros(0, np.int64), np.zeros(0, np.int64)  # is seen together
_CENTRES_AT_A_TIME = 1024


def pairs_above(sums: npt.NDArray[np.floating], similarity: float) -> Edges:
    """The pairs of identities whose centres' cosine is above `similarity`; sums (K,D) of vectors. No K x K matrix."""
    pairs = find_edges(unit(sums), one_group(len(sums)), 0, similarity, _CENTRES_AT_A_TIME)
    return pairs.where(pairs.similarity > np.float32(similarity))


def merge_similar(sums: F32, similarity: float, max_component: int, seen: tuple[I64, I64] = NOTHING) -> I64:
    """Merge identities with similar centres: for each (K,) the first identity of those it became one with.

    In each connected component of the pairs above `similarity` the closest pair merges, its sums add up, and so on
    until no pair is above `similarity`. UNMERGED for those of a component that never merged; an identity that is
    similar to none stays itself, and so does one that was kept from merging. Components of more than `max_component`
    merge along their first pairs only.
    seen: identities (L,) and the scenes (L,) that they are in; two with a scene in common never merge.
    """
    pairs = pairs_above(sums, similarity)
    pairs = pairs.where(~share_a_scene(pairs.first, pairs.second, seen, seen))
    component = connected(len(sums), pairs)
    by_component = np.argsort(component[seen[0]], kind="stable")
    seen = seen[0][by_component], seen[1][by_component]
    group = np.arange(len(sums), dtype=np.int64)
    order = np.argsort(component, kind="stable")
    firsts = np.flatnonzero(np.diff(component[order], prepend=-1))
    sizes = np.diff(firsts, append=len(order))
    edge_order = np.argsort(component[pairs.first], kind="stable")
    edge_component = component[pairs.first][edge_order]
    for start, size in zip(firsts[sizes > 1].tolist(), sizes[sizes > 1].tolist(), strict=True):
        members = order[start : start + size]
        low, high = np.searchsorted(component[seen[0]], [members[0], members[0] + 1])
        apart = SeenTogether(np.searchsorted(members, seen[0][low:high]), seen[1][low:high])
        held = apart.held()
        if size <= max_component:
            merged = merge_closest(sums[members].astype(np.float64), similarity, apart)
        else:
            low, high = np.searchsorted(edge_component, [members[0], members[0] + 1])
            own = edge_order[low:high]
            first, second = (np.searchsorted(members, ends[own]) for ends in (pairs.first, pairs.second))
            cosines = pairs.similarity[own]
            merged = merge_along(sums[members].astype(np.float64), first, second, cosines, similarity, apart)
        alone = np.bincount(merged, minlength=size)[merged] == 1
        alone[held] = False
        group[members] = np.where(alone, UNMERGED, members[merged])
    return group


def merge_closest(sums: F64, similarity: float, apart: SeenTogether | None = None) -> I64:
    """Merge all with all: for each of `sums` (M,D) the first of those it became one with, itself if with none.

    What must stay `apart` never merges; what it knows is changed. Every row remembers its closest partner; after a
    merge a remembered similarity is an upper bound until the row comes to the top and looks again, so a merge costs
    about one row of similarities instead of a matrix.
    """
    sums, units = sums.copy(), unit(sums).astype(np.float64)
    alive = np.ones(len(sums), bool)
    group = np.arange(len(sums), dtype=np.int64)
    apart = apart or SeenTogether(*NOTHING)
    best, partner = _closest(units, apart)
    current = np.ones(len(sums), bool)
    while len(sums) > 1:
        top = int(np.argmax(best))
        if best[top] <= np.float32(similarity):
            break
        if not current[top]:
            row = _row(units, alive, top, apart)
            best[top], partner[top], current[top] = row.max(), row.argmax(), True
            continue
        into, gone = sorted((top, int(partner[top])))
        group[group == gone] = into
        sums[into] += sums[gone]
        apart.join(into, gone)
        units[into] = unit(sums[into][None])[0]
        alive[gone], best[gone] = False, -np.inf
        current &= ~np.isin(partner, (into, gone))
        row = _row(units, alive, into, apart)
        best[into], partner[into], current[into] = row.max(), row.argmax(), True
        closer = alive & ((row > best) | ((row == best) & (into < partner)))
        best[closer], partner[closer], current[closer] = row[closer], into, True
    return group


def _row(units: F64, alive: npt.NDArray[np.bool_], row: int, apart: SeenTogether) -> F32:
    similarity = np.where(alive, units @ units[row], -np.inf).astype(np.float32)  # rounded: ties stay ties
    similarity[[row, *apart.apart_from(row)]] = -np.inf
    return similarity


def _closest(units: F64, apart: SeenTogether) -> tuple[F32, I64]:
    best = np.full(len(units), -np.inf, np.float32)
    partner = np.zeros(len(units), np.int64)
    for start in range(0, len(units), _CENTRES_AT_A_TIME):
        rows = np.arange(start, min(start + _CENTRES_AT_A_TIME, len(units)))
        similarity = (units[rows] @ units.T).astype(np.float32)
        for place, row in enumerate(rows.tolist()):
            similarity[place, [row, *apart.apart_from(row)]] = -np.inf
        best[rows], partner[rows] = similarity.max(axis=1), similarity.argmax(axis=1)
    return best, partner


def merge_along(
    sums: F64, first: I64, second: I64, pair_similarity: F32, similarity: float, apart: SeenTogether | None = None
) -> I64:
    """Merge along given pairs only, closest first, as long as the two centres, as they are by then, are similar."""
    apart = apart or SeenTogether(*NOTHING)
    sums = sums.copy()
    parent = list(range(len(sums)))
    for place in np.lexsort((second, first, -pair_similarity)).tolist():
        into, gone = sorted((root(parent, int(first[place])), root(parent, int(second[place]))))
        if into != gone and not apart.forbids(into, gone) and _cosine(sums[[into, gone]]) > np.float32(similarity):
            parent[gone] = into
            apart.join(into, gone)
            sums[into] += sums[gone]
    return np.array([root(parent, row) for row in range(len(sums))], np.int64)


def _cosine(pair: F64) -> np.float32:
    similarity: np.float32 = pair_similarity(unit(pair), np.array([0]), np.array([1]))[0]
    return similarity


def closest_to(sums: npt.NDArray[np.floating], others: F32) -> F32:
    """The cosine (K,) of each centre to the closest of the unit vectors `others` (V,D); -1 if there are none."""
    closest = np.full(len(sums), -1, np.float32)
    for start in range(0, len(sums), _CENTRES_AT_A_TIME):
        some = unit(sums[start : start + _CENTRES_AT_A_TIME])
        for left in range(0, len(others), _CENTRES_AT_A_TIME):
            similarity = (some @ others[left : left + _CENTRES_AT_A_TIME].T).max(axis=1)
            part = closest[start : start + len(some)]
            np.maximum(part, similarity, out=part)
    return closest
