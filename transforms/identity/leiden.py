"""Communities of the graph by Leiden, where faces of a cluster are linked with most of it."""

from typing import Any

import numpy as np

from transforms.identity.clustering import first_rows
from transforms.identity.knn import I64, Edges

_DENSITY = 0.5  # a group is worth joining if more than this share of the pairs between is linked
_SEED = 0


def leiden(nodes: int, edges: Edges) -> I64:
    """The community (G,) of each node, called by its first (V. Traag et al., From Louvain to Leiden, 2019).

    The quality is the constant Potts model's at the resolution .5 (V. Traag et al. 2011), with links of weight 1.
    ImportError without graspologic-native.
    """
    from scipy.sparse import coo_array

    library = _library()
    if not len(edges):
        return np.arange(nodes, dtype=np.int64)
    ends = np.concatenate([edges.first, edges.second]), np.concatenate([edges.second, edges.first])
    graph = coo_array((np.ones(2 * len(edges)), ends), shape=(nodes, nodes)).tocsr()
    _, found = library.leiden_csr(
        graph.indptr.astype(np.int64),
        graph.indices.astype(np.int32),
        graph.data,
        nodes,
        resolution=_DENSITY,
        use_modularity=False,
        seed=_SEED,
        iterations=3,
    )
    return first_rows(np.array([found[node] for node in range(nodes)], np.int64))


def _library() -> Any:
    try:
        import graspologic_native
    except ImportError as error:
        raise ImportError(
            "identity.clusters.method leiden needs graspologic-native, which is not installed: "
            "pip install 'manyfaces[leiden]'."
        ) from error
    return graspologic_native
