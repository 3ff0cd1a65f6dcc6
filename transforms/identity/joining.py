"""Joining groups along edges, the most similar first, but never two that must stay apart."""

import numpy as np

from transforms.identity.apart import Scenes, SeenTogether
from transforms.identity.clustering import connected, first_rows
from transforms.identity.knn import Edges, I64


def connected_apart(nodes: int, edges: Edges, scenes: Scenes) -> I64:
    """The component (G,) of each node where no component holds two nodes of one scene; called by first nodes.

    Edges are gone through by falling similarity, equal ones by row, and one that would bring together what must stay
    apart is left out. Components in which nothing must stay apart are those of `connected`, without that walk.
    """
    labels = connected(nodes, edges)
    label, scene = scenes.seen(np.arange(nodes, dtype=np.int64))
    inside = np.stack([scene, labels[label]], axis=1)
    _, place, counts = np.unique(inside, axis=0, return_inverse=True, return_counts=True)
    broken = np.zeros(nodes, bool)
    broken[labels[label[counts[place] > 1]]] = True
    if not broken.any():
        return labels
    own = np.flatnonzero(broken[labels])
    of_own = broken[labels[label]]
    walked = join_in_order(
        nodes, edges.where(broken[labels[edges.first]]), SeenTogether(label[of_own], scene[of_own])
    )
    labels[own] = walked[own]
    return first_rows(labels)


def join_in_order(nodes: int, edges: Edges, apart: SeenTogether, most: int = 0) -> I64:
    """The group (G,) of each node, called by its first, joined along edges from the most similar on.

    Stops once no more than `most` groups are left. What `apart` knows is changed.
    """
    parent, left = list(range(nodes)), nodes
    order = np.lexsort((edges.second, edges.first, -edges.similarity))
    for one, other in zip(edges.first[order].tolist(), edges.second[order].tolist(), strict=True):
        if left <= most:
            break
        into, gone = sorted((_root(parent, one), _root(parent, other)))
        if into != gone and not apart.forbids(into, gone):
            parent[gone] = into
            apart.join(into, gone)
            left -= 1
    return np.array([_root(parent, node) for node in range(nodes)], np.int64)


def _root(parent: list[int], node: int) -> int:
    while parent[node] != node:
        parent[node] = parent[parent[node]]
        node = parent[node]
    return node
