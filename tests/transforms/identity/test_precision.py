"""The precision that similarities tell of, against labels that it does not see."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transforms.identity.people import people
from transforms.identity.clustering import first_rows
from transforms.identity.precision import estimate_precision, wrong_groups
from transforms.identity.two_kinds import TwoKinds

KINDS = TwoKinds(floor=0.2, above=100, share=0.1, middle=0, spread=0.1, a=40, b=10)


def true_precision(label, person):
    own = label >= 0
    together = np.triu(label[own][:, None] == label[own], 1)
    return (together & (person[own][:, None] == person[own])).sum() / together.sum()


@pytest.mark.parametrize("joined", [0, 8, 30])
@pytest.mark.parametrize("link", [None, 0.35])
def test_people_taken_for_one_are_counted(joined, link):
    vectors, person = people([10] * 80)
    label = first_rows(np.where(person < 2 * joined, person // 2, person))  # so many pairs of people are one
    told = estimate_precision(vectors, label, link)
    assert told.value == pytest.approx(true_precision(label, person), abs=0.03)
    assert told.low <= told.value <= told.high


def test_all_in_one_cluster_is_nearly_all_wrong():
    vectors, _ = people([10] * 40)
    assert estimate_precision(vectors, np.zeros(400, np.int64)).value == pytest.approx(9 / 399, abs=0.01)


def test_faces_without_a_label_do_not_count():
    vectors, person = people([10] * 80)
    label = first_rows(np.where(person < 60, person // 2, -1))
    told = estimate_precision(vectors, label)
    assert told.value == pytest.approx(true_precision(label, person), abs=0.03)


@pytest.mark.parametrize(
    ("vectors", "label"),
    [
        (np.zeros((0, 4)), np.zeros(0)),
        (np.eye(4), np.zeros(4)),  # a few faces
        (np.ones((1000, 4)), np.zeros(1000)),  # one picture, a thousand times
        (people([2] * 100)[0], np.arange(200)),  # nobody with anybody
        (people([2] * 100)[0], np.full(200, -1)),
        (people([3] * 100, noise=3.0)[0], np.repeat(np.arange(100), 3)),  # vectors that say nothing
    ],
)
def test_where_there_is_too_little_nothing_is_told(vectors, label):
    assert estimate_precision(vectors.astype(np.float32), label.astype(np.int64)) is None


@given(st.integers(0, 100))
@settings(deadline=None, max_examples=5)
def test_the_order_of_faces_changes_nothing(seed):
    vectors, person = people([8] * 30)
    order = np.random.default_rng(seed).permutation(len(person))
    one, other = estimate_precision(vectors, person), estimate_precision(vectors[order], person[order])
    assert other.value == pytest.approx(one.value, abs=0.002)  # sums in another order are rounded otherwise


@given(st.lists(st.integers(1, 50), min_size=2, max_size=20), st.floats(0.2, 0.9))
def test_a_stricter_link_makes_fewer_wrong_pairs_and_the_sizes_order_does_not_count(sizes, link):
    found = wrong_groups(KINDS, np.array(sizes), 1000, link)
    assert wrong_groups(KINDS, np.array(sizes[::-1]), 1000, link) == pytest.approx(found)
    assert 0 <= wrong_groups(KINDS, np.array(sizes), 1000, min(link + 0.05, 1)) <= found
