"""Chinese whispers: every face takes the name that most of its neighbours have, until none changes."""

import numpy as np

from transforms.identity.apart import Scenes, share_a_scene
from transforms.identity.clustering import first_rows
from transforms.identity.knn import I64, Edges

_SEED = 0
_ROUNDS = 100  # in all; it ends sooner, when nothing changes
_PARTS = 8  # of the nodes, one after another in a round


def whispers(nodes: int, edges: Edges, scenes: Scenes) -> I64:
    """The cluster (G,) of each node, called by its first (C. Biemann, Chinese whispers, TextGraphs 2006).

    In a round the nodes take, part by part as drawn for it, the label with the largest sum of similarity among their
    neighbours: their own among equals, else the first. No node takes a label that another node of a scene of its own
    has; if two would take one at once, neither moves. Which clusters come of it depends on the drawing.
    """
    label = np.arange(nodes, dtype=np.int64)
    random = np.random.default_rng(_SEED)
    source = np.concatenate([edges.first, edges.second]).astype(np.int64)
    target = np.concatenate([edges.second, edges.first]).astype(np.int64)
    weight = np.tile(edges.similarity.astype(np.float64), 2)
    node, scene = scenes.seen(label)
    for _ in range(_ROUNDS):
        changed, part = False, random.integers(0, _PARTS, nodes)[source]  # drawn again, or two could swap for ever
        for number in range(_PARTS):
            rows = np.flatnonzero(part == number)
            new = _heard(label, source[rows], target[rows], weight[rows], node, scene)
            new = _without_clashes(label, new, node, scene)
            changed = changed or bool((new != label).any())
            label = new
        if not changed:
            break
    return first_rows(label)


def _heard(label: I64, source: I64, target: I64, weight: np.ndarray, node: I64, scene: I64) -> I64:
    """The labels (G,) after each source took what its targets say most."""
    count = len(label)
    said, place = np.unique(source * count + label[target], return_inverse=True)
    total = np.bincount(place, weight, len(said))
    who, what = np.divmod(said, count)
    own = what == label[who]
    free = own | ~share_a_scene(who, what, (node, scene), (label[node], scene))
    who, what, total, own = who[free], what[free], total[free], own[free]
    order = np.lexsort((what, ~own, -np.round(total, 9), who))
    first = order[np.unique(who[order], return_index=True)[1]]
    new = label.copy()
    new[who[first]] = what[first]
    return new


def _without_clashes(label: I64, new: I64, node: I64, scene: I64) -> I64:
    """The new labels (G,), but the old one for nodes of a scene that would have one label."""
    while len(node):
        pairs = np.stack([scene, new[node]], axis=1)
        _, place, counts = np.unique(pairs, axis=0, return_inverse=True, return_counts=True)
        moved = node[(counts[place] > 1) & (new[node] != label[node])]
        if not len(moved):
            break
        new[moved] = label[moved]
    return new
