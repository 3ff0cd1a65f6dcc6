"""Figures of same and different pairs against hand-worked cases, their definitions and scikit-learn."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score, roc_curve

from transforms.evaluation.verification import (
    Point,
    area,
    at_far,
    best,
    equal_error,
    places_at_far,
    roc,
    verification,
    wilson,
)

SIMILARITY = st.one_of(st.floats(-1, 1, width=32), st.sampled_from([-0.5, 0.0, 0.25, 0.5]))  # the second makes ties
PAIRS = st.lists(st.tuples(SIMILARITY, st.booleans()), min_size=2, max_size=60).filter(
    lambda pairs: len({same for _, same in pairs}) == 2
)


def arrays(pairs):
    return np.array([value for value, _ in pairs], np.float32), np.array([same for _, same in pairs])


@pytest.mark.parametrize(
    ("same", "words"),
    [([], "no pair of one person"), ([False] * 3, "no pair of one person"), ([True] * 3, "no pair of two persons")],
)
def test_pairs_of_both_kinds_are_needed(same, words):
    with pytest.raises(ValueError, match=words):
        roc(np.linspace(0, 1, len(same)), np.array(same, bool))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_similarity_that_is_no_number_is_refused(value):
    with pytest.raises(ValueError, match="not finite"):
        roc(np.array([0.5, value]), np.array([True, False]))


def test_a_curve_by_hand():
    curve = roc(np.array([0.9, 0.8, 0.8, 0.4, 0.2]), np.array([True, False, True, False, True]))
    assert curve.threshold.tolist() == [np.inf, 0.9, 0.8, 0.4, 0.2]
    assert curve.false_accepts.tolist() == [0, 0, 1, 2, 2]
    assert curve.true_accepts.tolist() == [0, 1, 2, 2, 3]
    assert (curve.different, curve.same) == (2, 3)
    assert area(curve) == pytest.approx((2 + 0.5 + 1) / 6)  # 0.9 beats both, 0.8 ties one and beats one, 0.2 none
    assert best(curve) == Point(pytest.approx(0.85), 0, 2, 1, 3)  # as accurate as 0.8, with fewer false accepts
    assert equal_error(curve) == Point(0.9, 0, 2, 1, 3)  # errors 0 and 2/3, at 0.8 they are 1/2 and 1/3


def test_pairs_that_are_told_apart_without_error():
    found = verification(np.array([0.1, 0.2, 0.8, 0.9]), np.array([False, False, True, True]))
    assert (found.auc, found.best.accuracy, found.equal_error.mean_error) == (1, 1, 0)
    assert found.best.threshold == 0.5
    assert found.equal_error.threshold == 0.8


def test_pairs_that_are_all_told_apart_wrongly():
    found = verification(np.array([0.1, 0.2, 0.8, 0.9]), np.array([True, True, False, False]))
    assert (found.auc, found.equal_error.mean_error) == (0, 1)
    assert (found.best.threshold, found.best.accuracy) == (np.inf, 0.5)  # to accept none is no worse than anything


def test_pairs_of_one_similarity_are_accepted_together():
    found = verification(np.full(10, 0.5), np.arange(10) < 7)
    assert found.roc.threshold.tolist() == [np.inf, 0.5]
    assert found.auc == 0.5
    assert found.best == Point(0.5, 3, 3, 7, 7)
    assert found.equal_error.mean_error == 0.5


def test_a_rate_that_is_too_small_for_the_pairs_is_not_told():
    similarity = np.concatenate([np.linspace(0, 0.5, 1000), np.linspace(0.45, 1, 100)])
    found = verification(similarity, np.arange(1100) >= 1000)
    assert found.at_far[1e-4] is None
    assert found.at_far[1e-3].false_accepts == 1
    assert found.at_far[1e-2].false_accepts == 10
    assert at_far(found.roc, 1 / 1001) is None


def test_a_rate_is_reached_exactly():
    """3 of 3,000 are a rate of 0.001, although 0.001 * 3000 need not be 3 in floating point."""
    for false, different in ((3, 3000), (7, 7000), (29, 29_000)):
        similarity = np.concatenate([np.zeros(different - false), np.full(false, 0.5), [0.4]])
        curve = roc(similarity, np.append(np.zeros(different, bool), True))
        assert at_far(curve, 1e-3) == Point(0.4, false, different, 1, 1)


@given(PAIRS)
def test_against_scikit_learn(pairs):
    similarity, same = arrays(pairs)
    curve = roc(similarity, same)
    far, tar, threshold = roc_curve(same, similarity, drop_intermediate=False)
    np.testing.assert_array_equal(curve.threshold, threshold)
    np.testing.assert_array_equal(curve.false_accepts / curve.different, far)
    np.testing.assert_array_equal(curve.true_accepts / curve.same, tar)
    assert area(curve) == pytest.approx(roc_auc_score(same, similarity), abs=1e-12)


@given(PAIRS, st.sampled_from([1.0, 0.5, 0.1, 0.01]))
def test_every_figure_against_its_definition(pairs, far):
    similarity, same = arrays(pairs)
    curve = roc(similarity, same)
    different = ~same
    steps = [np.inf, *similarity.tolist()]
    rates = [
        (
            (similarity[different] >= step).mean(),
            (similarity[same] >= step).mean(),
            ((similarity >= step) == same).mean(),
        )
        for step in steps
    ]
    found = at_far(curve, far)
    if different.sum() * far < 1:
        assert found is None
    else:
        assert found.tar == max(tar for rate, tar, _ in rates if rate <= far)
        assert found.far <= far
    top = best(curve)
    assert top.accuracy == pytest.approx(max(accuracy for *_, accuracy in rates))
    assert ((similarity >= top.threshold) == same).mean() == pytest.approx(top.accuracy)
    more, less = (
        (similarity[same][:, None] > similarity[different]),
        (similarity[same][:, None] < similarity[different]),
    )
    assert area(curve) == pytest.approx((1 + more.mean() - less.mean()) / 2)


@given(PAIRS)
def test_the_equal_error_rate_is_where_the_errors_cross(pairs):
    similarity, same = arrays(pairs)
    steps = sorted({np.inf, *similarity.tolist()}, reverse=True)
    false = [Fraction(int((similarity[~same] >= step).sum()), int((~same).sum())) for step in steps]
    missed = [Fraction(int((similarity[same] < step).sum()), int(same.sum())) for step in steps]
    equal = [one for one, other in zip(false, missed, strict=True) if one == other]
    around = [sum(both) / 2 for both in zip(false, missed, strict=True)]
    below = sum(one < other for one, other in zip(false, missed, strict=True))
    expected = equal[0] if equal else min(around[below - 1], around[below])
    assert equal_error(roc(similarity, same)).mean_error == pytest.approx(float(expected))


@given(PAIRS, st.randoms())
def test_the_order_of_pairs_changes_nothing(pairs, random):
    one = verification(*arrays(pairs))
    random.shuffle(pairs)
    other = verification(*arrays(pairs))
    assert (one.auc, one.best, one.equal_error, one.at_far) == (other.auc, other.best, other.equal_error, other.at_far)
    np.testing.assert_array_equal(one.roc.threshold, other.roc.threshold)


@given(PAIRS)
def test_what_keeps_the_order_of_similarities_keeps_the_rates(pairs):
    similarity, same = arrays(pairs)
    other = roc(np.argsort(np.argsort(np.unique(similarity)))[np.unique(similarity, return_inverse=True)[1]], same)
    curve = roc(similarity, same)
    np.testing.assert_array_equal(curve.false_accepts, other.false_accepts)
    np.testing.assert_array_equal(curve.true_accepts, other.true_accepts)


@given(PAIRS)
def test_a_curve_rises_from_nothing_to_everything(pairs):
    curve = roc(*arrays(pairs))
    assert (np.diff(curve.threshold) < 0).all()
    assert (np.diff(curve.false_accepts + curve.true_accepts) > 0).all()
    assert (np.diff(curve.false_accepts) >= 0).all()
    assert (np.diff(curve.true_accepts) >= 0).all()
    assert (curve.false_accepts[0], curve.true_accepts[0]) == (0, 0)
    tar = curve.true_accepts[places_at_far(curve, np.logspace(-3, 0, 20))]
    assert (np.diff(tar) >= 0).all()


@given(PAIRS)
def test_to_swap_the_kinds_and_the_sign_is_the_same_question(pairs):
    similarity, same = arrays(pairs)
    assert area(roc(-similarity, ~same)) == pytest.approx(area(roc(similarity, same)))


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=9, unique=True))
def test_the_best_threshold_decides_as_was_counted_however_near_the_similarities_are(values):
    near = np.array(sorted(values))
    assume(len(near) > 1)
    near[1] = np.nextafter(near[0], 2)
    same = np.arange(len(near)) > 0
    top = best(roc(near, same))
    assert ((near >= top.threshold) == same).mean() == top.accuracy == 1


@pytest.mark.parametrize(
    ("count", "of", "interval"),
    [
        (0, 0, (0, 1)),
        (0, 10, (0, 0.27753)),
        (10, 10, (0.72247, 1)),
        (1, 10, (0.01788, 0.40415)),
        (50, 100, (0.40383, 0.59617)),
    ],
)
def test_an_interval_by_the_number_of_pairs(count, of, interval):
    """Values of the score interval as they are tabulated for these counts."""
    assert wilson(count, of) == pytest.approx(interval, abs=1e-5)


@given(st.integers(1, 2000).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_an_interval_holds_its_share_and_narrows_with_more_pairs(counted):
    count, of = counted
    low, high = wilson(count, of)
    assert 0 <= low <= count / of <= high <= 1
    more = wilson(10 * count, 10 * of)
    assert more[1] - more[0] < high - low
