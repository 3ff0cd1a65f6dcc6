"""Methods of clustering on the same vectors and edges: those of manyfaces, and what other libraries have."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from transforms.identity.clusters import find_clusters
from transforms.identity.evidence import Evidence, no_evidence
from transforms.identity.knn import F32, I64, Edges
from transforms.identity.settings import ClusterSettings

OURS = ("connected", "dbscan", "average", "whispers", "leiden")
_SEED = 1


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """N faces: unit vectors (N,D), and the edges between near ones."""

    vectors: F32
    edges: Edges

    def above(self, link: float) -> Edges:
        """The edges that are links."""
        return self.edges.where(self.edges.similarity >= np.float32(link))


Clusterer = Callable[[Graph, float], I64]  # a graph and the similarity of a link -> the cluster (N,) of each face


def ours(method: str, graph: Graph, link: float, evidence: Evidence | None = None) -> I64:
    """Our own methods, as the stage identity calls them."""
    count = len(graph.vectors)
    settings = ClusterSettings(method=method, link_similarity=link)  # type: ignore[arg-type]
    known = evidence or no_evidence(count)
    return find_clusters(
        graph.vectors, graph.edges, np.full(count, 100, np.float32), known, np.zeros(count, bool), settings
    )


def sklearn_dbscan(graph: Graph, link: float) -> I64:
    """DBSCAN by scikit-learn on the edges, with core faces as ours; two faces make a core face."""
    from sklearn.cluster import DBSCAN

    found = DBSCAN(eps=1 - link, min_samples=2, metric="precomputed").fit(_distances(graph, link))
    return found.labels_.astype(np.int64)  # -1 is noise


def sklearn_hdbscan() -> Clusterer:
    """HDBSCAN by scikit-learn, of all distances, once: it takes no link, but the stablest clusters of its tree."""
    from sklearn.cluster import HDBSCAN

    found: list[I64] = []

    def fit(graph: Graph, _: float) -> I64:
        if not found:
            made = HDBSCAN(min_cluster_size=2, metric="precomputed", copy=False)
            found.append(made.fit(_all_distances(graph)).labels_.astype(np.int64))
        return found[0]

    return fit


def sklearn_average() -> Clusterer:
    """Average linkage by scikit-learn, of all distances. The tree is made once and cut at each link."""
    from scipy.cluster.hierarchy import fcluster
    from sklearn.cluster import AgglomerativeClustering

    tree: list[np.ndarray] = []

    def cut(graph: Graph, link: float) -> I64:
        if not tree:
            made = AgglomerativeClustering(None, metric="precomputed", linkage="average", distance_threshold=0)
            made.fit(_all_distances(graph))
            height = np.maximum.accumulate(made.distances_)  # which rounding may have put out of order
            tree.append(np.column_stack([made.children_, height, np.zeros(len(height))]).astype(np.float64))
        return fcluster(tree[0], 1 - link, "distance").astype(np.int64)  # type: ignore[no-any-return]

    return cut


def dlib_whispers(graph: Graph, link: float) -> I64:
    """Chinese whispers by dlib, on links of weight 1, as dlib's own example of face clustering has them."""
    import dlib

    links = graph.above(link)
    alone = np.setdiff1d(np.arange(len(graph.vectors)), np.union1d(links.first, links.second))
    ends = zip(np.r_[links.first, alone].tolist(), np.r_[links.second, alone].tolist(), strict=True)
    return np.array(dlib.chinese_whispers(list(ends)), np.int64)


def infomap(graph: Graph, link: float) -> I64:
    """Infomap by its own library, in two levels, on links weighted by similarity."""
    from infomap import Infomap

    links = graph.above(link)
    flow = Infomap(two_level=True, silent=True, seed=_SEED)
    flow.add_links(zip(links.first.tolist(), links.second.tolist(), links.similarity.tolist(), strict=True))
    labels = -np.ones(len(graph.vectors), np.int64)
    if len(links):
        flow.run()
        for node, module in flow.get_modules().items():
            labels[node] = module
    return labels


def _all_distances(graph: Graph) -> np.ndarray:
    distance = 1 - (graph.vectors @ graph.vectors.T).astype(np.float64)
    np.fill_diagonal(distance, 0)
    return distance.clip(0, out=distance)  # type: ignore[no-any-return]


def _distances(graph: Graph, link: float) -> object:
    """1 - cosine of the links, sparse and symmetric; what is not there is farther."""
    from scipy.sparse import coo_array, csr_matrix

    links = graph.above(link)
    ends = np.r_[links.first, links.second], np.r_[links.second, links.first]
    distance = np.tile((1 - links.similarity).clip(1e-7), 2)
    return csr_matrix(coo_array((distance, ends), shape=(len(graph.vectors),) * 2))


PEERS: dict[str, Callable[[], Clusterer]] = {
    "scikit-learn DBSCAN": lambda: sklearn_dbscan,
    "scikit-learn HDBSCAN": sklearn_hdbscan,
    "scikit-learn average": sklearn_average,
    "dlib whispers": lambda: dlib_whispers,
    "Infomap": lambda: infomap,
}
