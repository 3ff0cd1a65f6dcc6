"""The expected mutual information against all groupings, scikit-learn, and exact fractions."""

from fractions import Fraction
from itertools import permutations
from math import comb, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import mutual_info_score
from sklearn.metrics.cluster import contingency_matrix
from sklearn.metrics.cluster import expected_mutual_information as of_scikit_learn

from transforms.evaluation import chance
from transforms.evaluation.chance import expected_mutual_information


def sizes(groups) -> np.ndarray:
    return np.unique(groups, return_counts=True)[1]


@pytest.mark.parametrize(
    ("rows", "columns"),
    [([], []), ([1], [1]), ([5], [5]), ([5], [1, 2, 2]), ([7], [1] * 7)],
)
def test_one_group_tells_nothing(rows, columns):
    assert expected_mutual_information(np.array(rows, int), np.array(columns, int)) == 0


def test_groups_of_one_tell_everything():
    assert expected_mutual_information(np.ones(9, int), np.ones(9, int)) == pytest.approx(log(9), rel=1e-14)


@pytest.mark.parametrize(
    ("rows", "columns"),
    [([0, 0, 1, 1, 2], [0, 1, 1, 1, 0]), ([0, 0, 0, 1, 1, 1], [0, 0, 0, 0, 1, 2]), ([0, 1], [0, 1])],
)
def test_it_is_the_mean_over_all_orders(rows, columns):
    every = [mutual_info_score(rows, order) for order in permutations(columns)]
    expected = expected_mutual_information(sizes(rows), sizes(columns))
    assert expected == pytest.approx(np.mean(every), rel=1e-12)


@given(st.integers(1, 60).flatmap(lambda n: st.tuples(*[st.lists(st.integers(0, 9), min_size=n, max_size=n)] * 2)))
def test_against_scikit_learn(both):
    rows, columns = both
    theirs = of_scikit_learn(contingency_matrix(rows, columns, sparse=True), len(rows))
    assert expected_mutual_information(sizes(rows), sizes(columns)) == pytest.approx(theirs, abs=1e-10)


def exactly(rows, columns) -> float:
    """The formula with whole binomials: no rounding but that of the logarithm and of the last sum."""
    total = sum(rows)
    parts = []
    for a in rows:
        for b in columns:
            every = comb(total, b)
            for n in range(max(1, a + b - total), min(a, b) + 1):
                share = Fraction(comb(a, n) * comb(total - a, b - n) * n, every * total)
                parts.append(float(share) * log(Fraction(n * total, a * b)))
    return sum(sorted(parts, key=abs))


@pytest.mark.parametrize(
    ("rows", "columns"),
    [
        ([400, 3, 1000], [1, 2, 1400]),
        ([700, 700, 3], [1000, 403]),
        ([2] * 50 + [300], [5] * 60 + [100]),
        ([999, 1], [999, 1]),
    ],
)
def test_large_groups_keep_all_digits(rows, columns):
    assert expected_mutual_information(np.array(rows), np.array(columns)) == pytest.approx(
        exactly(rows, columns), rel=1e-12
    )


def test_pairs_of_sizes_are_taken_a_few_at_a_time(monkeypatch):
    rows, columns = np.array([1, 2, 3, 4, 5, 6, 7]), np.array([9, 8, 6, 5])
    whole = expected_mutual_information(rows, columns)
    monkeypatch.setattr(chance, "_PAIRS_AT_ONCE", 4)
    assert expected_mutual_information(rows, columns) == pytest.approx(whole, rel=1e-14)
