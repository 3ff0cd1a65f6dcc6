"""Average linkage: scipy's, and brute force's where groups have sizes and pairs stay apart."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import pdist, squareform

from tests.transforms.persons.film_faces import same_partition
from transforms.identity.average_linkage import average_linkage, in_order, members


def linked(sums, sizes, cut):
    return average_linkage(np.array(sums, np.float64), np.array(sizes, np.int64), cut)


def brute_force(sums, sizes, cut):
    """Join the two nearest clusters, every pair compared anew each time, until none is within the cut."""
    clusters = [[group] for group in range(len(sizes))]

    def apart(pair):
        one, other = (clusters[place] for place in pair)
        return sums[np.ix_(one, other)].sum() / (sizes[one].sum() * sizes[other].sum())

    while len(clusters) > 1:
        nearest = min(itertools.combinations(range(len(clusters)), 2), key=apart)
        if apart(nearest) > cut:
            break
        low, high = nearest
        clusters[low] += clusters.pop(high)
    labels = np.empty(len(sizes), np.int64)
    for number, groups in enumerate(clusters):
        labels[groups] = number
    return labels


@st.composite
def problems(draw, ties: bool = False):
    """Sums, sizes, a cut, and the pairs that stay apart; with `ties` distances are 0, 1 or 2."""
    count = draw(st.integers(1, 25))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    sizes = rng.integers(1, draw(st.sampled_from([2, 9])), count)
    mean = rng.integers(0, 3, (count, count)).astype(float) if ties else squareform(pdist(rng.normal(size=(count, 3))))
    mean = np.triu(mean, 1) + np.triu(mean, 1).T
    apart = np.triu(rng.random((count, count)) < draw(st.sampled_from([0, 0.05, 0.3])), 1)
    sums = np.where(apart | apart.T, np.inf, mean * np.outer(sizes, sizes))
    return sums, sizes, draw(st.floats(0, 4)), apart


@pytest.mark.parametrize(
    ("sums", "sizes", "cut", "expected"),
    [
        (np.zeros((0, 0)), [], 1, []),
        ([[0]], [3], 0, [0]),
        ([[0, 1], [1, 0]], [1, 1], 1, [0, 0]),  # as in scipy, a distance of the cut itself is within it
        ([[0, 1], [1, 0]], [1, 1], 0.99, [0, 1]),
        ([[0, 6], [6, 0]], [2, 3], 1, [0, 0]),  # six pairs
        ([[0, 6], [6, 0]], [2, 3], 0.99, [0, 1]),
        ([[0, np.inf], [np.inf, 0]], [1, 1], 1e300, [0, 1]),
        ([[0, 0], [0, 0]], [1, 1], 0, [0, 0]),
        # 0 and 1 are nearest, and 2 stays apart from 1: so it does from both
        ([[0, 1, 2], [1, 0, np.inf], [2, np.inf, 0]], [1, 1, 1], 9, [0, 0, 1]),
        # 0 to 1 and 2 together: (3 + 5) / 2
        ([[0, 3, 5], [3, 0, 1], [5, 1, 0]], [1, 1, 1], 4, [0, 0, 0]),
        ([[0, 3, 5], [3, 0, 1], [5, 1, 0]], [1, 1, 1], 3.9, [0, 1, 1]),
        # the same with three faces in 2: (3 + 15) / 4
        ([[0, 3, 15], [3, 0, 3], [15, 3, 0]], [1, 1, 3], 4.5, [0, 0, 0]),
        ([[0, 3, 15], [3, 0, 3], [15, 3, 0]], [1, 1, 3], 4.4, [0, 1, 1]),
    ],
)
def test_hand_worked(sums, sizes, cut, expected):
    assert linked(sums, sizes, cut).tolist() == expected


@given(st.integers(2, 60), st.integers(0, 10_000), st.floats(0, 4))
@settings(max_examples=100, deadline=None)
def test_single_faces_are_clustered_as_scipy_does(count, seed, cut):
    flat = pdist(np.random.default_rng(seed).normal(size=(count, 3)))
    found = linked(squareform(flat), np.ones(count), cut)
    assert same_partition(found, fcluster(linkage(flat, "average"), cut, "distance"))


@given(problems())
@settings(max_examples=200, deadline=None)
def test_groups_and_pairs_that_stay_apart_are_clustered_as_brute_force_does(problem):
    sums, sizes, cut, _ = problem
    assert same_partition(linked(sums, sizes, cut), brute_force(sums, sizes, cut))


@given(st.integers(2, 12), st.integers(0, 10_000), st.floats(0, 3))
@settings(max_examples=60, deadline=None)
def test_a_group_is_as_if_its_faces_had_been_joined_first(count, seed, cut):
    """Its faces in one place, where each pair of them is nearest: scipy joins those first too."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 5, count)
    points = rng.normal(size=(count, 2))
    mean = squareform(pdist(points))
    faces = np.repeat(np.arange(count), sizes)
    expected = fcluster(linkage(pdist(points[faces]), "average"), cut, "distance")
    assert same_partition(linked(mean * np.outer(sizes, sizes), sizes, cut)[faces], expected)


@given(problems(ties=True))
@settings(max_examples=200, deadline=None)
def test_with_equal_distances_it_ends_none_that_stay_apart_meet_and_nothing_within_the_cut_is_left(problem):
    sums, sizes, cut, apart = problem
    found = linked(sums, sizes, cut)
    assert sorted(set(found)) == list(range(found.max() + 1))
    for one, other in np.argwhere(apart):
        assert found[one] != found[other]
    member = np.eye(found.max() + 1)[found]
    totals = np.array([[sums[np.ix_(a > 0, b > 0)].sum() for b in member.T] for a in member.T])
    weights = member.T @ sizes
    average = totals / np.outer(weights, weights)
    assert (average[~np.eye(len(average), dtype=bool)] > cut - 1e-9).all()


def test_exact_duplicates_are_one_cluster_however_many():
    found = linked(np.zeros((300, 300)), np.ones(300), 0)
    assert set(found) == {0}


@pytest.mark.parametrize(
    ("labels", "expected", "rows"),
    [([], [], []), ([7], [0], [[0]]), ([5, 2, 5, 9], [0, 1, 0, 2], [[1], [0, 2], [3]])],
)
def test_labels(labels, expected, rows):
    labels = np.array(labels, np.int64)
    assert in_order(labels).tolist() == expected
    assert [some.tolist() for some in members(labels)] == rows
