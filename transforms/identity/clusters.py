"""From edges and evidence to clusters, by the method of the settings."""

import numpy as np
import numpy.typing as npt

from transforms.identity.apart import Scenes, SeenTogether
from transforms.identity.attaching import attach, nearest_centres, nearest_members
from transforms.identity.average import Groups, average
from transforms.identity.clustering import Labels, connected, dbscan, firm, first_rows, without_small
from transforms.identity.evidence import Evidence
from transforms.identity.joining import connected_apart
from transforms.identity.knn import F32, I64, Edges, edges_of, unit
from transforms.identity.leiden import leiden
from transforms.identity.settings import ClusterSettings
from transforms.identity.similarity import number
from transforms.identity.whispers import whispers
from transforms.tables.schemas import Vector

Mask = npt.NDArray[np.bool_]
_ROWS_AT_A_TIME = 65_536


def find_clusters(
    vectors: Vector, edges: Edges, size: F32, evidence: Evidence, is_poor: Mask, settings: ClusterSettings
) -> Labels:
    """The cluster (N,) of every face, called by its first row, -1 for none.

    vectors (N,D); edges: those that the settings need; size (N,): the shorter side of each face, pixels; is_poor (N,).
    Faces that are alike are one node of the graph. Nodes of one scene are never in one cluster, whatever the method:
    connected, average and whispers go by that from the start, and what dbscan and leiden find is taken apart.
    Nodes of poor faces alone join nothing: they are attached to the cluster of their nearest neighbour.
    """
    group = evidence.alike
    scenes = of_groups(evidence)
    links = firm(edges.where(edges.similarity >= np.float32(number(settings.link_similarity))), size, settings)
    good = np.zeros(len(group), bool)
    good[group[~is_poor]] = True
    labels = _by_method(
        vectors, links.where(good[group[links.first]] & good[group[links.second]]), group, scenes, settings
    )
    if is_poor.any():
        alone = np.flatnonzero((group == np.arange(len(group))) & ~good)
        near = nearest_members(contracted(links, group), alone, labels)
        labels = attach(labels, alone, near, _seen(scenes, labels), number(settings.link_similarity), 0)
    found = without_small(first_rows(labels[group]), settings.min_size)
    found[~np.isin(found, found[good[group]])] = -1  # nobody is only poor faces
    if settings.second_look.similarity == 1:
        return found
    return _looked_at_again(found, vectors, edges, scenes, group, settings)


def of_groups(evidence: Evidence) -> Scenes:
    """The scenes of the evidence, in which a group of faces that are alike stands as its first row."""
    scenes = evidence.scenes()
    group, scene = scenes.seen(evidence.alike)
    return Scenes(group, scene, scenes.alike)


def contracted(edges: Edges, group: I64) -> Edges:
    """The edges between the groups (N,) of rows, each once, with the similarity of their most similar rows."""
    first, second = group[edges.first], group[edges.second]
    between = np.flatnonzero(first != second)
    order = between[np.argsort(-edges.similarity[between], kind="stable")]
    return edges_of(first[order], second[order], edges.similarity[order])


def _by_method(vectors: Vector, links: Edges, group: I64, scenes: Scenes, settings: ClusterSettings) -> I64:
    """The cluster (N,) of each group, at its first row, called by its first group; links: of rows."""
    rows, nodes = len(group), contracted(links, group)
    match settings.method:
        case "connected":
            return connected_apart(rows, nodes, scenes)
        case "average":
            return _average(vectors, nodes, group, scenes, number(settings.link_similarity))
        case "whispers":
            return whispers(rows, nodes, scenes)
        case "leiden":
            found = leiden(rows, nodes)
        case "dbscan":
            found = _dbscan_groups(rows, links, group, settings.min_samples)
    return _taken_apart(found, nodes, scenes)


def _dbscan_groups(rows: int, links: Edges, group: I64, min_samples: int) -> I64:
    """DBSCAN of the rows; clusters that have rows of one group are then one. Noise is a cluster for each row."""
    found = dbscan(rows, links, min_samples)
    found = np.where(found < 0, np.arange(rows), found)
    same = edges_of(found, found[group], np.ones(rows, np.float32))
    return connected(rows, same.where(same.first != same.second))[found]


def _taken_apart(labels: I64, nodes: Edges, scenes: Scenes) -> I64:
    """The same clusters, but those with two nodes of one scene in pieces: what their own edges join in order."""
    broken = scenes.broken(labels)
    if not broken.any():
        return labels
    return np.where(
        broken, connected_apart(len(labels), nodes.where(labels[nodes.first] == labels[nodes.second]), scenes), labels
    )


def _average(vectors: Vector, nodes: Edges, group: I64, scenes: Scenes, cut: float) -> I64:
    """Average linkage of the groups that have an edge; the others stay alone."""
    from scipy.sparse import csr_array

    linked = np.union1d(nodes.first, nodes.second).astype(np.int64)
    place = np.full(len(group), -1, np.int64)
    place[linked] = np.arange(len(linked))
    own = np.flatnonzero(place[group] >= 0)
    sums = np.zeros((len(linked), vectors.shape[1]), np.float32)
    for start in range(0, len(own), _ROWS_AT_A_TIME):
        rows = own[start : start + _ROWS_AT_A_TIME]
        at, inverse = np.unique(place[group[rows]], return_inverse=True)
        ones = csr_array((np.ones(len(rows), np.float32), (inverse, np.arange(len(rows)))), shape=(len(at), len(rows)))
        sums[at] += ones @ unit(vectors[rows])
    edges = Edges(place[nodes.first].astype(np.int32), place[nodes.second].astype(np.int32), nodes.similarity)
    seen, scene = scenes.seen(place)
    found = average(
        Groups(sums, np.bincount(place[group[own]], minlength=len(linked)).astype(np.int64)),
        edges,
        Scenes(seen, scene, np.arange(len(linked), dtype=np.int64)),
        cut,
    )
    labels = np.arange(len(group), dtype=np.int64)
    labels[linked] = linked[found]
    return labels


def _seen(scenes: Scenes, labels: I64) -> SeenTogether:
    return SeenTogether(*scenes.seen(labels))


def _looked_at_again(
    labels: I64, vectors: Vector, edges: Edges, scenes: Scenes, group: I64, settings: ClusterSettings
) -> I64:
    """The labels (N,) after groups without a cluster went to one whose centre is near enough to their first face."""
    alone = np.flatnonzero((labels < 0) & (group == np.arange(len(group))))
    near = nearest_centres(contracted(edges, group), alone, labels, vectors)
    named = np.where(labels < 0, group, labels)  # a group that is left alone stays apart as itself
    look = settings.second_look
    found = attach(named, alone, near, _seen(scenes, named), look.similarity, look.margin)[group]
    return np.where((labels < 0) & (found == group), -1, found)
