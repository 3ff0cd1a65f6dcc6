"""Merging: ends, never below the threshold, and nothing similar is left."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.identity.merging import (
    UNMERGED,
    closest_to,
    merge_along,
    merge_closest,
    merge_similar,
    pairs_above,
)


def at(*degrees):
    """Unit vectors in the plane."""
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def cosine(a, b):
    return a @ b / np.linalg.norm(a) / np.linalg.norm(b)


def naive(sums, similarity):
    """Greedy merging straight from its definition, in float64."""
    groups = [[i] for i in range(len(sums))]
    while True:
        best = (similarity, None)
        for i in range(len(groups)):
            for j in range(i + 1, len(groups)):
                here = cosine(sums[groups[i]].sum(axis=0), sums[groups[j]].sum(axis=0))
                if here > best[0]:
                    best = (here, (i, j))
        if best[1] is None:
            return {frozenset(group) for group in groups}
        i, j = best[1]
        groups[i] += groups.pop(j)


def groups_of(labels):
    return {frozenset(np.flatnonzero(labels == label).tolist()) for label in set(labels.tolist())}


def test_no_identities():
    empty = np.zeros((0, 3), np.float32)
    assert merge_similar(empty, 0.7, 10).tolist() == []
    assert len(pairs_above(empty, 0.7)) == 0
    assert merge_closest(np.zeros((0, 3)), 0.7).tolist() == []
    assert closest_to(empty, np.zeros((2, 3), np.float32)).tolist() == []


@pytest.mark.parametrize(
    ("degrees", "expected"),
    [
        ([0], [0]),
        ([0, 90], [0, 1]),
        ([0, 10], [0, 0]),
        ([0, 90, 10, 100], [0, 1, 0, 1]),
        # 50 is 40 from 10, so all three are one component; 0 and 10 merge at 5, which is 45 away: 50 stays unmerged
        ([0, 10, 50], [0, 0, UNMERGED]),
    ],
)
def test_merging_in_the_plane(degrees, expected):
    assert merge_similar(at(*degrees).astype(np.float32), np.cos(np.radians(42)), 100).tolist() == expected


@given(st.integers(0, 100_000), st.integers(0, 25), st.sampled_from([0.3, 0.7, 0.9]), st.sampled_from([2, 3, 8]))
@settings(max_examples=150, deadline=None)
def test_merging_all_with_all_is_the_greedy_definition(seed, rows, similarity, dimension):
    sums = np.random.default_rng(seed).normal(size=(rows, dimension)) * np.arange(1, rows + 1)[:, None]
    assert groups_of(merge_closest(sums, similarity)) == naive(sums, similarity)


@given(st.integers(0, 100_000), st.integers(1, 30), st.sampled_from([2, 4, 1000]))
@settings(max_examples=150, deadline=None)
def test_merging_never_joins_what_is_not_similar(seed, rows, max_component):
    sums = np.random.default_rng(seed).normal(size=(rows, 3)).astype(np.float32)
    group = merge_similar(sums, 0.8, max_component)
    similar = pairs_above(sums, 0.8)
    touched = set(similar.first.tolist()) | set(similar.second.tolist())
    for row in range(rows):
        if row not in touched:
            assert group[row] == row
        elif group[row] != UNMERGED:
            assert np.count_nonzero(group == group[row]) > 1
            assert group[row] == np.flatnonzero(group == group[row])[0]
    assert set(np.flatnonzero(group == UNMERGED).tolist()) <= touched


def test_merging_along_pairs_stops_where_centres_have_moved_apart():
    sums = at(0, 40, 80)
    pairs = np.array([0, 1]), np.array([1, 2])
    strength = np.array([0.8, 0.76], np.float32)
    assert merge_along(sums, *pairs, strength, np.cos(np.radians(42))).tolist() == [0, 0, 2]  # 20 to 80 is 60 degrees
    assert merge_along(sums, *pairs, strength, np.cos(np.radians(61))).tolist() == [0, 0, 0]


def test_a_component_above_the_limit_merges_along_its_pairs():
    sums = np.concatenate([at(0, 5, 10, 15), at(180, 184)]).astype(np.float32)
    assert merge_similar(sums, 0.9, 2).tolist() == [0, 0, 0, 0, 4, 4]
    assert merge_similar(sums, 0.9, 100).tolist() == [0, 0, 0, 0, 4, 4]


def test_pairs_above_is_strict():
    sums = np.array([[1, 0], [3, 4]], np.float32)
    assert len(pairs_above(sums, 0.6)) == 0
    assert len(pairs_above(sums, 0.5999)) == 1


def test_closest_to_takes_the_best_of_all():
    others = at(*np.linspace(90, 180, 3000)).astype(np.float32)
    assert np.allclose(closest_to(at(0, 80, 135), others), np.cos(np.radians([90, 10, 0])), atol=1e-4)
    assert closest_to(at(0), np.zeros((0, 2), np.float32)).tolist() == [-1]
