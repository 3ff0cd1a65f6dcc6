from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.tracking.association import cheapest_pairs, cosine_costs, overlaps, score_fused_costs


@pytest.mark.parametrize(
    ("box", "other", "expected"),
    [
        ([0, 0, 10, 10], [0, 0, 10, 10], 1),
        ([0, 0, 10, 10], [5, 0, 15, 10], 1 / 3),
        ([0, 0, 10, 10], [10, 0, 20, 10], 0),
        ([0, 0, 10, 10], [40, 40, 50, 50], 0),
        ([0, 0, 10, 10], [2, 2, 4, 4], 0.04),
        ([3, 3, 3, 3], [3, 3, 3, 3], 0),
    ],
)
def test_overlaps(box, other, expected):
    assert overlaps(np.array([box], float), np.array([other], float)) == pytest.approx(expected)


def test_costs():
    assert overlaps(np.zeros((0, 4)), np.zeros((3, 4))).shape == (0, 3)
    fused = score_fused_costs(np.array([[1.0, 0.5]]), np.array([0.8, 0.6]))
    np.testing.assert_allclose(fused, [[0.2, 0.7]])
    vectors = np.array([[1.0, 0], [0, 1], [-1, 0]])
    np.testing.assert_allclose(cosine_costs(vectors[:1] * (1 + 1e-9), vectors), [[0, 1, 2]], atol=1e-8)
    assert (cosine_costs(vectors * (1 + 1e-9), vectors) >= 0).all()


@pytest.mark.parametrize(
    ("costs", "limit", "pairs"),
    [
        (np.zeros((0, 3)), 0.5, []),
        (np.zeros((2, 0)), 0.5, []),
        ([[0.1]], 0.5, [(0, 0)]),
        ([[0.5]], 0.5, []),
        ([[0.1, 0.2], [0.2, 0.9]], 1, [(0, 1), (1, 0)]),
        ([[0.1, 0.4], [0.4, 0.9]], 0.5, [(0, 0)]),  # two pairs would stay below the limit by less than the one does
    ],
)
def test_cheapest_pairs(costs, limit, pairs):
    rows, columns = cheapest_pairs(np.array(costs, float), limit)
    assert list(zip(rows.tolist(), columns.tolist(), strict=True)) == pairs


@given(st.integers(1, 4), st.integers(1, 4), st.integers(0, 10_000))
def test_no_other_pairs_stay_further_below_the_limit(rows, columns, seed):
    costs = np.random.default_rng(seed).uniform(0, 1, (rows, columns))
    wide = costs if rows <= columns else costs.T
    saved = np.maximum(0.6 - wide, 0)
    best = max(
        sum(saved[row, one] for row, one in enumerate(way)) for way in permutations(range(wide.shape[1]), len(wide))
    )
    chosen = cheapest_pairs(costs, 0.6)
    assert (costs[chosen] < 0.6).all()
    assert (0.6 - costs[chosen]).sum() == pytest.approx(best)
