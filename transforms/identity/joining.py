"""Joining groups along edges, the most similar first, but never two that must stay apart."""

import numpy as np

from transforms.identity.apart import Scenes, SeenTogether
from transforms.identity.clustering import connected
from transforms.identity.knn import I64, Edges


def connected_apart(nodes: int, edges: Edges, scenes: Scenes) -> I64:
    """The component (G,) of each node where no component holds two nodes of one scene; called by first nodes.

    Edges are gone through by falling similarity, equal ones by row, and one that would bring together what must stay
    apart is left out. Components in which nothing must stay apart are those of `connected`, without that walk.
    """
    labels = connected(nodes, edges)
    broken = scenes.broken(labels)
    if not broken.any():
        return labels
    apart = SeenTogether(*scenes.seen(np.where(broken, np.arange(nodes), -1)))
    return np.where(broken, join_in_order(nodes, edges.where(broken[edges.first]), apart), labels)


def join_in_order(nodes: int, edges: Edges, apart: SeenTogether, most: int = 0) -> I64:
    """The group (G,) of each node, called by its first, joined along edges from the most similar on.

    Stops once no more than `most` groups are left. What `apart` knows is changed.
    """
    parent, left = list(range(nodes)), nodes
    order = np.lexsort((edges.second, edges.first, -edges.similarity))
    for one, other in zip(edges.first[order].tolist(), edges.second[order].tolist(), strict=True):
        if left <= most:
            break
        into, gone = sorted((root(parent, one), root(parent, other)))
        if into != gone and not apart.forbids(into, gone):
            parent[gone] = into
            apart.join(into, gone)
            left -= 1
    return np.array([root(parent, node) for node in range(nodes)], np.int64)


def root(parent: list[int], node: int) -> int:
    """What a node is joined to in the end; parent: what each was joined to, itself at first. The way is shortened."""
    while parent[node] != node:
        parent[node] = parent[parent[node]]
        node = parent[node]
    return node
