"""Clusters: against scikit-learn, and independent of order."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.identity.clustering import connected, dbscan, firm, first_rows, in_largest, without_small
from transforms.identity.knn import NO_EDGES, Edges, find_edges, pair_similarity, unit
from transforms.identity.settings import ClusterSettings


def edges_from(pairs, similarity=0.9):
    first, second = np.array(pairs, np.int32).reshape(-1, 2).T
    return Edges(first, second, np.full(len(first), similarity, np.float32))


def ints(*values):
    return np.array(values, np.int64)


def test_no_faces():
    assert connected(0, NO_EDGES).tolist() == []
    assert dbscan(0, NO_EDGES, 2).tolist() == []
    assert in_largest(ints(), ints()).tolist() == []
    assert without_small(ints(), 2).tolist() == []


@pytest.mark.parametrize(
    ("pairs", "min_samples", "expected"),
    [
        ([], 2, [-1] * 5),
        ([], 1, [0, 1, 2, 3, 4]),
        ([(0, 1)], 2, [0, 0, -1, -1, -1]),
        ([(1, 2), (2, 3)], 3, [-1, 1, 1, 1, -1]),  # 1 and 3 are border rows of core 2
        ([(0, 1), (1, 2), (3, 4)], 3, [0, 0, 0, -1, -1]),
    ],
)
def test_dbscan_small_cases(pairs, min_samples, expected):
    assert dbscan(5, edges_from(pairs), min_samples).tolist() == expected


@given(
    st.integers(0, 10_000),
    st.integers(1, 60),
    st.sampled_from([0.0, 0.3, 0.7, 0.9]),
    st.integers(1, 6),
    st.integers(1, 3),
)
@settings(max_examples=200, deadline=None)
def test_dbscan_is_that_of_scikit_learn(seed, rows, link, min_samples, groups):
    from sklearn.cluster import DBSCAN  # which takes seconds

    random = np.random.default_rng(seed)
    units = unit(random.normal(size=(rows, 4)))
    group = np.sort(random.integers(0, groups, rows))
    bounds = np.append(np.flatnonzero(np.diff(group, prepend=-1)), rows)
    ours = dbscan(rows, find_edges(units, bounds, 0, link, 16), min_samples)
    for low, high in itertools.pairwise(bounds):
        size = high - low
        first, second = np.divmod(np.arange(size * size), size)
        # distances that lie on eps - similarity, so that rounding 1 - s decides nothing
        distance = 2 - pair_similarity(units[low:high], first, second).reshape(size, size).astype(np.float64)
        np.fill_diagonal(distance, 0)
        theirs = (
            DBSCAN(eps=2 - float(np.float32(link)), min_samples=min_samples, metric="precomputed").fit(distance).labels_
        )
        assert np.array_equal(first_rows(ours[low:high]), first_rows(theirs))


@pytest.mark.parametrize(
    ("small_face_px", "small_link", "linked"),
    [
        (0, 1.0, [(0, 1), (1, 2), (2, 3)]),
        (100, 0.95, [(0, 1), (2, 3)]),
        (100, 1.0, [(0, 1)]),
        (100.5, 0.95, [(2, 3)]),
        (1000, 0.99, []),
    ],
)
def test_small_faces_need_a_stricter_link(small_face_px, small_link, linked):
    edges = Edges(ints(0, 1, 2), ints(1, 2, 3), np.array([0.9, 0.9, 0.97], np.float32))
    size = np.array([200, 100, 40, 300], np.float32)
    chosen = ClusterSettings(
        link_similarity=0.8, small_face_px=small_face_px, small_link_similarity=small_link, min_size=1, min_samples=1
    )
    found = firm(edges, size, chosen)
    assert list(zip(found.first.tolist(), found.second.tolist(), strict=True)) == linked


def test_clusters_are_called_by_their_first_row_and_small_ones_are_noise():
    edges = edges_from([(4, 5), (1, 3)])
    labels = connected(6, edges)
    assert labels.tolist() == [0, 1, 2, 1, 4, 4]
    assert without_small(labels, 2).tolist() == [-1, 1, -1, 1, 4, 4]


@pytest.mark.parametrize(
    ("clusters", "groups", "expected"),
    [
        ([0, 0, 2, -1], [0, 0, 0, 0], [True, True, False, False]),
        ([0, 1, 0, 1], [0, 0, 0, 0], [True, False, True, False]),  # a tie: the earlier cluster
        ([0, 0, 2, 2, 2], [0, 0, 1, 1, 0], [True, True, True, True, False]),  # by rows of the group
        ([0, 0, 2], [-1, -1, -1], [True, True, True]),  # no label: nothing to be largest of
        ([-1, -1], [0, -1], [False, False]),
    ],
)
def test_largest_cluster_of_each_label(clusters, groups, expected):
    assert in_largest(ints(*clusters), ints(*groups)).tolist() == expected
