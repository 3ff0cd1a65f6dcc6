"""Average linkage on a graph: against scipy and scikit-learn, with and without what must stay apart."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.transforms.identity.evidence_made import all_edges, joined_one_by_one, partition, people, scenes_of
from transforms.identity import average as module
from transforms.identity.apart import no_scenes
from transforms.identity.average import MOST_AT_ONCE, Groups, average
from transforms.identity.knn import NO_EDGES, find_edges, one_group, unit

ROUNDING = 1e-6  # of a mean of cosines of float32 vectors


def single(units):
    return Groups(units.copy(), np.ones(len(units), np.int64))


def test_no_groups():
    assert average(single(np.zeros((0, 3), np.float32)), NO_EDGES, no_scenes(0), 0.5).tolist() == []


@given(
    st.integers(0, 10_000), st.integers(2, 60), st.sampled_from([0.2, 0.6, 0.9]), st.sampled_from([1, 4, MOST_AT_ONCE])
)
@settings(max_examples=200, deadline=None)
def test_average_linkage_is_that_of_scipy_and_scikit_learn(seed, rows, cut, most):
    from scipy.cluster.hierarchy import fcluster, linkage
    from sklearn.cluster import AgglomerativeClustering  # which takes seconds

    units, _ = people(seed, rows)
    assume(joined_one_by_one(units, no_scenes(rows), cut)[1] > ROUNDING)
    distance = 1 - units.astype(np.float64) @ units.T.astype(np.float64)
    found = average(single(units), all_edges(units, cut), no_scenes(rows), cut, most)
    tree = linkage(distance[np.triu_indices(rows, 1)].clip(0), "average")
    assert partition(found) == partition(fcluster(tree, 1 - cut, "distance"))
    theirs = AgglomerativeClustering(
        n_clusters=None, metric="precomputed", linkage="average", distance_threshold=1 - cut
    )
    assert partition(found) == partition(theirs.fit(distance).labels_)


@given(st.integers(0, 10_000), st.integers(2, 60), st.sampled_from([0.2, 0.6, 0.9]))
@settings(max_examples=150, deadline=None)
def test_rounds_and_matrix_find_the_same_and_keep_apart(seed, rows, cut):
    units, _ = people(seed, rows)
    edges = all_edges(units, cut)
    scenes = scenes_of(np.random.default_rng(seed).integers(0, max(1, rows // 3), rows))
    expected, lead = joined_one_by_one(units, scenes, cut)
    assume(lead > ROUNDING)
    for most in (1, 4, MOST_AT_ONCE):
        assert partition(average(single(units), edges, scenes, cut, most)) == expected
    assert scenes.pairs_within(average(single(units), edges, scenes, cut, 1)) == 0


@given(st.integers(0, 10_000), st.integers(2, 40))
@settings(max_examples=100, deadline=None)
def test_a_group_counts_as_many_times_as_it_has_faces(seed, rows):
    units, _ = people(seed, rows)
    group = np.sort(np.random.default_rng(seed).integers(0, rows, rows))
    _, group = np.unique(group, return_inverse=True)
    sums = np.stack([units[group == one].sum(axis=0) for one in range(group.max() + 1)])
    sizes = np.bincount(group)
    for most in (1, MOST_AT_ONCE):
        edges = all_edges(unit(sums), -1)
        found = average(Groups(sums.astype(np.float32), sizes.astype(np.int64)), edges, no_scenes(len(sums)), 0.6, most)
        for one in set(found.tolist()):
            for other in set(found.tolist()) - {one}:
                between = units[found[group] == one].astype(float) @ units[found[group] == other].T.astype(float)
                assert between.mean() < 0.6 + 1e-6


@pytest.mark.parametrize("most", [1, MOST_AT_ONCE])
def test_the_mean_is_over_all_pairs_not_over_edges(most):
    angles = np.radians([0, 10, 50, 60])  # 10 and 50 are near, the two pairs as such are not
    units = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    cut = float(np.cos(np.radians(45)))
    assert average(single(units), all_edges(units, cut), no_scenes(4), cut, most).tolist() == [0, 0, 2, 2]


def test_a_component_that_hardly_gets_smaller_joins_its_most_similar_first(monkeypatch):
    monkeypatch.setattr(module, "_SLOW", 0)
    units, _ = people(3, 400, noise=0.2)
    edges = find_edges(units, one_group(400), 10, 0.5, 64)
    scenes = scenes_of(np.random.default_rng(3).integers(0, 100, 400))
    for given_scenes in (no_scenes(400), scenes):
        found = average(single(units), edges, given_scenes, 0.5, 30)
        assert given_scenes.pairs_within(found) == 0
        assert 1 < len(set(found.tolist())) < 400


def test_a_giant_component_needs_no_matrix_of_it():
    import tracemalloc

    random = np.random.default_rng(0)
    rows = 20_000
    units = unit(random.normal(size=(rows, 8)) + np.r_[6, np.zeros(7)])  # one blob: all with all would be 3.2 GB
    first = np.arange(rows - 1, dtype=np.int32)
    from transforms.identity.knn import Edges, pair_similarity

    second = first + 1
    edges = Edges(first, second, pair_similarity(units, first, second))
    tracemalloc.start()
    found = average(single(units), edges, no_scenes(rows), 0.5)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1e9
    assert len(set(found.tolist())) < rows / 2
