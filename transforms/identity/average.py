"""Clusters of a graph by average linkage: two groups join while the mean similarity of all their pairs is enough."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from transforms.identity.apart import Mask, Scenes, SeenTogether, share_a_scene
from transforms.identity.average_linkage import average_linkage, members
from transforms.identity.clustering import connected, first_rows
from transforms.identity.joining import join_in_order
from transforms.identity.knn import F32, I64, Edges

MOST_AT_ONCE = 4096  # groups of a component that are compared each with each: a matrix of 128 MiB
Rows = npt.NDArray[np.integer]
_PAIRS_AT_A_TIME = 512  # what is computed for them stays in the processor's cache
_SLOW = 1000  # of so many groups one at least joins in a round


@dataclass(slots=True, eq=False)
class Groups:
    """Groups of faces 0..G-1: the sum (G,D) of the unit vectors of each, and how many (G,) they are."""

    sums: F32
    sizes: I64

    def similarity(self, first: Rows, second: Rows) -> F32:
        """The mean cosine (P,) of all pairs of faces of two groups."""
        found = np.empty(len(first), np.float32)
        for start in range(0, len(first), _PAIRS_AT_A_TIME):
            part = slice(start, start + _PAIRS_AT_A_TIME)
            one, other = first[part], second[part]
            total = (self.sums[one].astype(np.float64) * self.sums[other]).sum(axis=1)
            found[part] = total / (self.sizes[one].astype(np.float64) * self.sizes[other])
        return found


def average(groups: Groups, edges: Edges, scenes: Scenes, cut: float, most: int = MOST_AT_ONCE) -> I64:
    """The cluster (G,) of each group, called by its first, by average linkage down to the mean similarity `cut`.

    groups: their sums and sizes are changed; edges: all pairs of groups of which a pair of faces may have that, or of
    each face the nearest, with the similarity of the most similar faces; scenes: of groups.
    Two groups without such an edge are compared where their component is small enough (`most` groups at the most) for
    all to be compared with all. Groups of larger ones join in rounds: each two that are nearest to each other, until
    what is left is small. Average linkage never brings two nearer to a third than the nearer of them was, so that is
    what joining one pair after the other comes to (F. Murtagh 1983, as in `average_linkage`). If that gets nowhere, the
    most similar faces join first.
    """
    label = np.arange(len(groups.sizes), dtype=np.int64)
    pairs = _of_groups(edges, groups)
    while True:
        # A pair that is not near is not needed any more: what its groups become part of is no nearer to each other
        # than the nearer of two pairs before, and that one is there.
        near = pairs.where(pairs.similarity >= np.float32(cut))
        near = near.where(~_forbidden(near, label, scenes))
        component = connected(len(label), near)
        alive = _alive(label)
        large = np.bincount(component[alive], minlength=len(label)) > most
        if not large.any():
            break
        first, second = _nearest_to_each_other(near.where(large[component[near.first]]), len(label))
        if len(first) * _SLOW < large[component[alive]].sum():
            _join_most_similar(groups, label, near, component, scenes, most)
            component = np.minimum(component, component[label])
            break
        _take_in(groups, first, second)
        into = np.arange(len(label))
        into[second] = first
        label = into[label]
        pairs = _contracted(near, into, groups)
    return first_rows(_compared_with_all(groups, label, component, scenes, cut))


def _alive(label: I64) -> I64:
    """The groups that are not part of an earlier one; label (G,): what each is part of."""
    return np.flatnonzero(label == np.arange(len(label)))


def _of_groups(edges: Edges, groups: Groups) -> Edges:
    """The edges with the mean similarity of all pairs of faces; that of two faces is there."""
    several = (groups.sizes[edges.first] > 1) | (groups.sizes[edges.second] > 1)
    similarity = edges.similarity.copy()
    similarity[several] = groups.similarity(edges.first[several], edges.second[several])
    return Edges(edges.first, edges.second, similarity)


def _nearest_to_each_other(near: Edges, count: int) -> tuple[I64, I64]:
    """The pairs of groups of which each is the other's most similar; of equally similar ones the first by row."""
    most = np.full(count, -np.inf, np.float32)
    for ends in (near.first, near.second):
        np.maximum.at(most, ends, near.similarity)
    near = near.where((near.similarity == most[near.first]) & (near.similarity == most[near.second]))
    order = np.lexsort((near.second, near.first, -near.similarity))
    ends = np.stack([near.first[order], near.second[order]], axis=1).ravel()
    best = np.full(count, -1, np.int64)
    group, place = np.unique(ends, return_index=True)
    best[group] = place // 2
    mutual = np.flatnonzero(best[near.first[order]] == best[near.second[order]])
    mutual = mutual[best[near.first[order][mutual]] == mutual]
    return near.first[order][mutual].astype(np.int64), near.second[order][mutual].astype(np.int64)


def _take_in(groups: Groups, into: I64, gone: I64) -> None:
    groups.sums[into] += groups.sums[gone]
    groups.sizes[into] += groups.sizes[gone]


def _contracted(pairs: Edges, into: I64, groups: Groups) -> Edges:
    """The pairs between what groups became part of, each once, with their similarity by now."""
    changed = np.zeros(len(into), bool)
    changed[into[into != np.arange(len(into))]] = True
    first, second = into[pairs.first], into[pairs.second]
    between = first != second
    low, high = np.minimum(first, second)[between], np.maximum(first, second)[between]
    _, place = np.unique(low << 32 | high, return_index=True)
    low, high, similarity = low[place], high[place], pairs.similarity[between][place]
    again = changed[low] | changed[high]
    similarity[again] = groups.similarity(low[again], high[again])
    return Edges(low.astype(np.int32), high.astype(np.int32), similarity)


def _forbidden(pairs: Edges, label: I64, scenes: Scenes) -> Mask:
    """Whether each pair of groups has a scene in common; label (G,): what each group of the scenes became part of."""
    seen = scenes.seen(label)
    return share_a_scene(pairs.first, pairs.second, seen, seen)


def _join_most_similar(groups: Groups, label: I64, near: Edges, component: I64, scenes: Scenes, most: int) -> None:
    """Join the groups of each component that is too large, the nearest first, down to `most`; changes `label`."""
    names, counts = np.unique(component[_alive(label)], return_counts=True)
    for name in names[counts > most].tolist():
        own = near.where(component[near.first] == name)
        nodes = np.flatnonzero((component == name) & (label == np.arange(len(label))))
        first, second = (np.searchsorted(nodes, ends).astype(np.int32) for ends in (own.first, own.second))
        place = np.full(len(label), -1, np.int64)
        place[nodes] = np.arange(len(nodes))
        apart = SeenTogether(*scenes.seen(place[label]))
        joined = nodes[join_in_order(len(nodes), Edges(first, second, own.similarity), apart, most)]
        moved = np.flatnonzero(joined != nodes)
        np.add.at(groups.sums, joined[moved], groups.sums[nodes[moved]])
        np.add.at(groups.sizes, joined[moved], groups.sizes[nodes[moved]])
        into = np.arange(len(label))
        into[nodes] = joined
        label[:] = into[label]


def _compared_with_all(groups: Groups, label: I64, component: I64, scenes: Scenes, cut: float) -> I64:
    """What each group ends in, when the groups of each component are compared each with each."""
    into = np.arange(len(label), dtype=np.int64)
    alive = _alive(label)
    seen, scene = scenes.seen(label)
    by_component = np.argsort(component[seen], kind="stable")
    seen, scene = seen[by_component], scene[by_component]
    for place in members(component[alive]):
        nodes = alive[place]
        if len(nodes) == 1:
            continue
        low, high = np.searchsorted(component[seen], [component[nodes[0]], component[nodes[0]] + 1])
        sums = groups.sums[nodes].astype(np.float64)
        apart = np.outer(groups.sizes[nodes], groups.sizes[nodes]) - sums @ sums.T
        apart = (apart + apart.T) / 2
        for rows in members(scene[low:high]):
            together = np.searchsorted(nodes, seen[low:high][rows])
            apart[np.ix_(together, together)] = np.inf
        linked = average_linkage(apart, groups.sizes[nodes], 1 - cut)
        into[nodes] = nodes[first_rows(linked)]
    return into[label]
