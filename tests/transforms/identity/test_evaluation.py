"""Measures against scikit-learn and against their definitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import normalized_mutual_info_score
from sklearn.metrics.cluster import pair_confusion_matrix

from transforms.identity.evaluation import evaluate

LABELS = st.integers(1, 40).flatmap(
    lambda n: st.tuples(
        st.lists(st.integers(0, 5), min_size=n, max_size=n), st.lists(st.integers(-1, 5), min_size=n, max_size=n)
    )
)


def test_no_faces():
    result = evaluate(np.zeros(0, int), np.zeros(0, int))
    assert (result.pairwise.f1, result.bcubed.f1, result.purity, result.nmi) == (1, 1, 1, 1)


def test_lengths_must_agree():
    with pytest.raises(ValueError, match="3 faces have a cluster but 2"):
        evaluate(np.zeros(2, int), np.zeros(3, int))


def test_one_wrong_face():
    result = evaluate(np.array([0, 0, 0, 1]), np.array([7, 7, 7, 7]))
    assert result.pairwise.precision == 0.5
    assert result.pairwise.recall == 1
    assert result.purity == 0.75
    assert result.bcubed.precision == pytest.approx((3 * 0.75 + 0.25) / 4)
    assert result.bcubed.recall == 1


def test_noise_costs_recall_only():
    result = evaluate(np.array([0, 0, 0]), np.array([-1, -1, -1]))
    assert (result.pairwise.precision, result.pairwise.recall, result.pairwise.f1) == (1, 0, 0)
    assert (result.bcubed.precision, result.purity) == (1, 1)


@given(LABELS)
def test_against_scikit_learn_and_the_definition(labels):
    truth, found = (np.array(values) for values in labels)
    alone = np.where(found < 0, 100 + np.arange(len(found)), found)
    (_, false_positive), (false_negative, true_positive) = pair_confusion_matrix(truth, alone)
    result = evaluate(truth, found)
    together = true_positive + false_positive
    belong = true_positive + false_negative
    assert result.pairwise.precision == pytest.approx(true_positive / together if together else 1)
    assert result.pairwise.recall == pytest.approx(true_positive / belong if belong else 1)
    assert result.nmi == pytest.approx(normalized_mutual_info_score(truth, alone), abs=1e-9)
    same_truth, same_found = truth[:, None] == truth, alone[:, None] == alone
    both = (same_truth & same_found).sum(axis=1)
    assert result.bcubed.precision == pytest.approx((both / same_found.sum(axis=1)).mean())
    assert result.bcubed.recall == pytest.approx((both / same_truth.sum(axis=1)).mean())
