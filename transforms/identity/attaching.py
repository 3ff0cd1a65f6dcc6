"""Faces that stand alone go to a cluster that they are near to; they join no two."""

import numpy as np

from transforms.identity.apart import SeenTogether
from transforms.identity.knn import F32, I64, Edges, unit
from transforms.tables.schemas import Vector

_PAIRS_AT_A_TIME = 65_536


def attach(labels: I64, alone: I64, near: Edges, apart: SeenTogether, least: float, margin: float) -> I64:
    """The labels (G,) after each node of `alone` went to the cluster most similar to it, if there is such a one.

    near: pairs of a node (first) and the first node of a cluster (second), with their similarity, none twice. A node
    goes to the most similar cluster (the first of equals) if that has `least`, and if the next is less similar by
    `margin` or more; clusters that it must stay apart from do not count. `apart` speaks of clusters and nodes, and is
    changed.
    """
    found = labels.copy()
    order = np.lexsort((near.second, near.first, -near.similarity))
    offers: dict[int, list[tuple[int, float]]] = {}
    wanted = np.zeros(len(labels), bool)
    wanted[alone] = True
    for place in order[wanted[near.first[order]]].tolist():
        offers.setdefault(int(near.first[place]), []).append((int(near.second[place]), float(near.similarity[place])))
    floor = float(np.float32(least))
    for node, clusters in offers.items():  # those with the most similar cluster come first
        allowed = [(cluster, similarity) for cluster, similarity in clusters if not apart.forbids(node, cluster)]
        if not allowed or allowed[0][1] < floor or (len(allowed) > 1 and allowed[0][1] - allowed[1][1] < margin):
            continue
        found[node] = allowed[0][0]
        apart.join(allowed[0][0], node)
    return found


def nearest_members(edges: Edges, alone: I64, labels: I64) -> Edges:
    """The clusters that edges from `alone` lead to, by the nearest member of each: pairs as `attach` wants them."""
    first, second, similarity = _led_to(edges, alone, labels)
    order = np.lexsort((-similarity, second, first))
    first, second, similarity = first[order], second[order], similarity[order]
    new = np.r_[True, (np.diff(first) != 0) | (np.diff(second) != 0)] if len(first) else np.zeros(0, bool)
    return Edges(first[new].astype(np.int32), second[new].astype(np.int32), similarity[new])


def nearest_centres(edges: Edges, alone: I64, labels: I64, vectors: Vector) -> Edges:
    """The clusters that edges from `alone` lead to, by the cosine to the centre of each: pairs as `attach` wants them.

    labels (N,) of faces, -1: none; vectors (N,D).
    """
    found = nearest_members(edges, alone, labels)
    names, place = np.unique(found.second, return_inverse=True)
    centres = _centres(names.astype(np.int64), labels, vectors)
    similarity = np.empty(len(found), np.float32)
    for start in range(0, len(found), _PAIRS_AT_A_TIME):
        part = slice(start, start + _PAIRS_AT_A_TIME)
        faces = unit(vectors[found.first[part]]).astype(np.float64)
        similarity[part] = (faces * centres[place[part]]).sum(axis=1).clip(-1, 1)
    return Edges(found.first, found.second, similarity)


def _led_to(edges: Edges, alone: I64, labels: I64) -> tuple[I64, I64, F32]:
    is_alone = np.zeros(len(labels), bool)
    is_alone[alone] = True
    first, second = np.r_[edges.first, edges.second], np.r_[edges.second, edges.first]
    use = is_alone[first] & ~is_alone[second] & (labels[second] >= 0)
    return first[use].astype(np.int64), labels[second[use]], np.r_[edges.similarity, edges.similarity][use]


def _centres(names: I64, labels: I64, vectors: Vector) -> F32:
    """The unit mean vectors (K,D) of clusters (K,), ascending."""
    from scipy.sparse import csr_array

    own = np.flatnonzero(np.isin(labels, names))
    place = np.searchsorted(names, labels[own])
    sums = np.zeros((len(names), vectors.shape[1]), np.float64)
    for start in range(0, len(own), _PAIRS_AT_A_TIME):
        rows, at = own[start : start + _PAIRS_AT_A_TIME], place[start : start + _PAIRS_AT_A_TIME]
        ones = csr_array((np.ones(len(rows)), (at, np.arange(len(rows)))), shape=(len(names), len(rows)))
        sums += ones @ unit(vectors[rows])
    return unit(sums)
