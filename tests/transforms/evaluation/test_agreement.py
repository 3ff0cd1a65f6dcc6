"""Measures of agreement against cases worked by hand, scikit-learn and their definitions; what must not change them."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn import metrics
from sklearn.metrics.cluster import pair_confusion_matrix

from transforms.evaluation.agreement import Agreement, Information, PrecisionRecall, measure
from transforms.evaluation.contingency import contingency

SAME = Agreement(PrecisionRecall(1, 1), PrecisionRecall(1, 1), 1, 1, Information(1, 1, 1, 1))


@st.composite
def groupings(draw):
    """Two groupings of the same faces; -1 among the found ones is none."""
    n = draw(st.integers(1, 40))
    truth = st.lists(st.integers(0, draw(st.integers(0, 8))), min_size=n, max_size=n)
    found = st.lists(st.integers(-1, draw(st.integers(-1, 8))), min_size=n, max_size=n)
    return np.array(draw(truth)), np.array(draw(found))


def flat(found: Agreement) -> list[float]:
    both = (found.pairwise, found.bcubed)
    kinds = [number for kind in both for number in (kind.precision, kind.recall, kind.f1)]
    told = found.information
    return [*kinds, found.purity, found.ari, told.nmi, told.ami, told.homogeneity, told.completeness, told.v_measure]


def each_alone(found):
    return np.where(found < 0, 100 + np.arange(len(found)), found)


def test_no_faces():
    assert measure(np.zeros(0, int), np.zeros(0, int)) == SAME


def test_lengths_must_agree():
    with pytest.raises(ValueError, match="of 2 things, the other of 3"):
        measure(np.zeros(2, int), np.zeros(3, int))


@pytest.mark.parametrize(
    ("truth", "found"),
    [
        ([0], [5]),
        ([0], [-1]),
        ([3, 3], [1, 1]),
        ([0, 1, 2], [2, 1, 0]),
        ([0, 1, 2], [-1, -1, -1]),
        ([0, 1, 1], [1, 0, 0]),
    ],
)
def test_the_same_groups_agree_in_every_measure_exactly(truth, found):
    assert measure(np.array(truth), np.array(found)) == SAME


def test_by_hand_one_wrong_face():
    result = measure(np.array([0, 0, 0, 1]), np.array([7, 7, 7, 7]))
    assert result.pairwise == PrecisionRecall(0.5, 1)
    assert result.bcubed == PrecisionRecall((3 * 0.75 + 0.25) / 4, 1)
    assert (result.purity, result.ari) == (0.75, 0)
    assert result.information == Information(0, 0, 0, 1)
    assert result.information.v_measure == 0


def test_by_hand_two_groups_with_one_face_in_the_wrong_one():
    """Truth 3 + 3, found 2 + 4: the cells are 2, 1 and 3."""
    result = measure(np.array([0, 0, 0, 1, 1, 1]), np.array([0, 0, 1, 1, 1, 1]))
    assert result.pairwise == PrecisionRecall(4 / 7, 4 / 6)
    assert result.pairwise.f1 == pytest.approx(8 / 13)
    assert result.bcubed.precision == pytest.approx((2 * 1 + 1 * (1 / 4) + 3 * (3 / 4)) / 6)
    assert result.bcubed.recall == pytest.approx((2 * (2 / 3) + 1 * (1 / 3) + 3 * 1) / 6)
    assert result.purity == pytest.approx(5 / 6)
    by_chance = 6 * 7 / 15
    assert result.ari == pytest.approx((4 - by_chance) / (6.5 - by_chance))
    mutual = 1 / 3 * np.log(2) + 1 / 6 * np.log(1 / 2) + 1 / 2 * np.log(3 / 2)
    of_found = -(1 / 3 * np.log(1 / 3) + 2 / 3 * np.log(2 / 3))
    assert result.information.homogeneity == pytest.approx(mutual / np.log(2))
    assert result.information.completeness == pytest.approx(mutual / of_found)
    assert result.information.nmi == pytest.approx(2 * mutual / (np.log(2) + of_found))


def test_noise_costs_recall_only():
    result = measure(np.array([0, 0, 0]), np.array([-1, -1, -1]))
    assert (result.pairwise.precision, result.pairwise.recall, result.pairwise.f1) == (1, 0, 0)
    assert (result.bcubed.precision, result.purity) == (1, 1)
    assert result.information.homogeneity == 1
    assert result.information.ami == pytest.approx(0, abs=1e-12)


@given(groupings())
def test_against_scikit_learn(both):
    truth, found = both
    result, alone = measure(truth, found), each_alone(found)
    (_, false_positive), (false_negative, true_positive) = pair_confusion_matrix(truth, alone)
    together, belong = true_positive + false_positive, true_positive + false_negative
    assert result.pairwise.precision == pytest.approx(true_positive / together if together else 1)
    assert result.pairwise.recall == pytest.approx(true_positive / belong if belong else 1)
    told = result.information
    for ours, theirs in (
        (result.ari, metrics.adjusted_rand_score),
        (told.nmi, metrics.normalized_mutual_info_score),
        (told.homogeneity, metrics.homogeneity_score),
        (told.completeness, metrics.completeness_score),
        (told.v_measure, metrics.v_measure_score),
    ):
        assert ours == pytest.approx(theirs(truth, alone), abs=1e-9)


@given(groupings())
def test_ami_against_scikit_learn(both):
    truth, found = both
    found = each_alone(found)
    theirs = metrics.adjusted_mutual_info_score(truth, found)
    assume(not contingency(truth, found).is_same)  # there it has 0 of 0, and we have 1
    assert measure(truth, found).information.ami == pytest.approx(theirs, abs=1e-6)


@given(groupings())
def test_against_the_definitions(both):
    truth, found = both
    result, alone = measure(truth, found), each_alone(found)
    same_truth, same_found = truth[:, None] == truth, alone[:, None] == alone
    shared = (same_truth & same_found).sum(axis=1)
    assert result.bcubed.precision == pytest.approx((shared / same_found.sum(axis=1)).mean())
    assert result.bcubed.recall == pytest.approx((shared / same_truth.sum(axis=1)).mean())
    majorities = [np.bincount(truth[alone == group]).max() for group in np.unique(alone)]
    assert result.purity == pytest.approx(sum(majorities) / len(truth))


@given(groupings(), st.randoms(use_true_random=False))
def test_order_of_faces_and_names_of_groups_change_nothing(both, random):
    truth, found = both
    order = random.sample(range(len(truth)), len(truth))
    names = np.array(random.sample(range(10_000), 10))
    renamed = np.where(found < 0, found, names[found])
    other = measure(names[truth[order]], renamed[order])
    assert flat(other) == flat(measure(truth, found))


@given(groupings())
def test_turning_sides_swaps_precision_and_recall(both):
    truth, found = both[0], each_alone(both[1])
    one, other = measure(truth, found), measure(found, truth)
    assert (one.pairwise.precision, one.pairwise.recall) == (other.pairwise.recall, other.pairwise.precision)
    assert (one.bcubed.precision, one.bcubed.recall) == pytest.approx((other.bcubed.recall, other.bcubed.precision))
    told, turned = one.information, other.information
    assert (told.nmi, told.ami, one.ari) == pytest.approx((turned.nmi, turned.ami, other.ari), abs=1e-12)
    assert (told.homogeneity, told.completeness) == pytest.approx((turned.completeness, turned.homogeneity), abs=1e-12)


@given(groupings())
def test_every_measure_is_at_most_1_and_all_but_the_adjusted_at_least_0(both):
    result = measure(*both)
    adjusted = {result.ari, result.information.ami}
    assert all(0 <= number <= 1 or (number in adjusted and number <= 1) for number in flat(result))


def test_chance_is_worth_nothing_where_plain_measures_reward_it():
    random = np.random.default_rng(3)
    result = measure(random.integers(0, 500, 3000), random.integers(0, 500, 3000))
    assert result.information.nmi > 0.6
    assert abs(result.information.ami) < 0.02
    assert abs(result.ari) < 0.01


def test_millions_of_pairs_are_counted_exactly():
    """Two of three million faces are swapped between two groups: a difference of one part in 10^6."""
    truth = np.repeat([0, 1, 2], 1_000_000)
    found = truth.copy()
    found[0], found[-1] = 2, 0
    result = measure(truth, found)
    n = 1_000_000
    pairs = (n - 1) * (n - 2) // 2
    assert result.pairwise.precision == pytest.approx(
        (2 * pairs + n * (n - 1) // 2) / (3 * (n * (n - 1) // 2)), rel=1e-15
    )
    assert 0 < 1 - result.ari < 2e-6
