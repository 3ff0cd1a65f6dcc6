"""Distances of faces by face and clothes, and of groups: hand-worked, and against scipy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from tests.transforms.persons.film_faces import faces_of, people
from transforms.persons.distances import distances, largest_possible, sums_between

ALL = slice(None)


def test_no_faces():
    sums, largest = sums_between(faces_of([]), np.zeros(0, np.int64), 1, 1)
    assert (sums.shape, largest) == ((0, 0), 0)


@pytest.mark.parametrize(
    ("weights", "clothes", "expected"),
    [
        ((1, 0), [[1, 0], [0, 1]], 2**0.5),
        ((0, 1), [[1, 0], [0, 1]], 2**0.5),
        ((1, 1), [[1, 0], [0, 1]], 2),
        ((1, 1), [[1, 0], [1, 0]], 2**0.5),
        ((2, 1), [[1, 0], [1, 0]], 8**0.5),
        ((1, 3), [[1, 0], [-1, 0]], (2 + 9 * 4) ** 0.5),
        ((1, 1), [[0, 0], [1, 0]], 2),  # clothes of one alone differ as the faces do
        ((1, 1), [[0, 0], [0, 0]], 2),
        ((0, 2), [[0, 0], [1, 0]], 8**0.5),
    ],
)
def test_two_faces_at_right_angles(weights, clothes, expected):
    found = faces_of([[1, 0], [0, 1]], clothes=clothes)
    np.testing.assert_allclose(distances(found, ALL, ALL, *weights), [[0, expected], [expected, 0]], atol=1e-7)


@pytest.mark.parametrize("weights", [(1, 1), (0.5, 3), (1, 0), (0, 2)])
def test_they_are_those_of_the_weighted_halves_put_together(weights):
    rng = np.random.default_rng(0)
    found = faces_of(rng.normal(size=(40, 8)), clothes=rng.normal(size=(40, 5)))
    together = np.hstack([found.faces * weights[0], found.clothes * weights[1]])
    np.testing.assert_allclose(distances(found, ALL, ALL, *weights), cdist(together, together), atol=1e-6)
    assert distances(found, ALL, ALL, *weights).max() <= largest_possible(*weights)
    np.testing.assert_allclose(
        distances(found, slice(7, 9), slice(3, None), *weights), distances(found, ALL, ALL, *weights)[7:9, 3:]
    )


def test_opposite_faces_are_as_far_apart_as_can_be():
    found = faces_of([[1, 0], [-1, 0]], clothes=[[0, 1], [0, -1]])
    assert distances(found, ALL, ALL, 1, 2)[0, 1] == pytest.approx(largest_possible(1, 2))


@given(st.integers(1, 700), st.integers(1, 30), st.integers(0, 1000))
@settings(max_examples=30, deadline=None)
def test_sums_between_groups_are_those_of_all_pairs(count, most, seed):
    rng = np.random.default_rng(seed)
    group = np.unique(rng.integers(0, most, count), return_inverse=True)[1]
    found = faces_of(people(rng, group, 6), clothes=rng.normal(size=(count, 3)) * rng.integers(0, 2, (count, 1)))
    sums, largest = sums_between(found, group, 1, 0.7)
    every = distances(found, ALL, ALL, 1, 0.7)
    member = np.eye(group.max() + 1)[group]
    np.testing.assert_allclose(sums, member.T @ every @ member, atol=1e-6)
    assert largest == pytest.approx(every.max())
    assert (sums == sums.T).all()
