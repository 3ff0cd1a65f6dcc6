"""Components and DBSCAN of a graph of faces, and what is done to clusters of any origin.

A cluster is called by its first row, and a face in none has -1: if rows are sorted by face id, the names come from
content, whatever the order in which faces were found.
"""

import numpy as np
import numpy.typing as npt

from transforms.identity.knn import F32, Edges
from transforms.identity.settings import ClusterSettings

Labels = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
NOISE = -1


def connected(rows: int, edges: Edges) -> Labels:
    """The connected component (rows,) of every row."""
    # loaded when it is needed: every process of a run would be half a second later at its work
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if rows == 0:
        return np.zeros(0, np.int64)
    graph = coo_array((np.ones(len(edges), np.int8), (edges.first, edges.second)), shape=(rows, rows))
    _, component = connected_components(graph, directed=False)
    return first_rows(component)


def first_rows(labels: npt.NDArray[np.integer]) -> Labels:
    """The same grouping with each group called by its first row; negative labels stay -1."""
    if len(labels) == 0:
        return np.zeros(0, np.int64)
    _, firsts, inverse = np.unique(labels, return_index=True, return_inverse=True)
    return np.where(labels < 0, NOISE, firsts[inverse]).astype(np.int64)


def dbscan(rows: int, edges: Edges, min_samples: int) -> Labels:
    """DBSCAN (Ester et al. 1996): the cluster (rows,) of every row, -1 for noise.

    The edges are between rows within eps of each other; a row counts among its own neighbours. A border row between
    several clusters goes to the one whose first core row comes first.
    """
    degree = np.bincount(edges.first, minlength=rows) + np.bincount(edges.second, minlength=rows)
    core = degree + 1 >= min_samples
    cluster = np.where(core, connected(rows, edges.where(core[edges.first] & core[edges.second])), rows)
    reached = cluster.copy()  # `rows` stands for none
    for border, other in ((edges.first, edges.second), (edges.second, edges.first)):
        joins = ~core[border] & core[other]
        np.minimum.at(reached, border[joins], cluster[other[joins]])
    return first_rows(np.where(reached == rows, NOISE, reached))


def without_small(clusters: Labels, min_size: int) -> Labels:
    """Clusters of fewer than `min_size` rows become noise."""
    sizes = np.bincount(clusters[clusters >= 0], minlength=len(clusters))
    return np.where((clusters >= 0) & (sizes[clusters] >= min_size), clusters, NOISE)


def in_largest(clusters: Labels, groups: Labels) -> Mask:
    """Whether each row (N,) is in the cluster with most rows of its group; the earlier cluster wins a tie.

    True for all clustered rows of group -1 (faces without a source label), False for noise.
    """
    pairs, inverse, sizes = np.unique(
        np.stack([groups, clusters], axis=1)[clusters >= 0], axis=0, return_inverse=True, return_counts=True
    )
    order = np.lexsort((pairs[:, 1], -sizes, pairs[:, 0]))
    best = np.zeros(len(pairs), bool)
    best[order[np.unique(pairs[order, 0], return_index=True)[1]]] = True
    found = np.zeros(len(clusters), bool)
    found[clusters >= 0] = (best | (pairs[:, 0] < 0))[inverse.reshape(-1)]
    return found


def firm(links: Edges, size: F32, settings: ClusterSettings) -> Edges:
    """The links without those of small faces that are not similar enough; size (N,) is each face's, pixels."""
    small = np.minimum(size[links.first], size[links.second]) < settings.small_face_px
    return links.where(~small | (links.similarity >= np.float32(settings.small_link_similarity)))
