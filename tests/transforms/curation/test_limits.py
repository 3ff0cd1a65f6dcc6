import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.curation.limits import beyond_first, taken


def ints(*values):
    return np.array(values, np.int64)


@pytest.mark.parametrize(
    ("groups", "most", "expected"),
    [
        ((), 1, []),
        ((0,), 1, [False]),
        ((0, 0, 0), 2, [False, False, True]),
        ((1, 0, 1, 0, 1), 1, [False, False, True, True, True]),
        ((5, 5, 2, 5), 2, [False, False, False, True]),
    ],
)
def test_rows_beyond_the_first_of_their_group(groups, most, expected):
    assert beyond_first(ints(*groups), most).tolist() == expected


@given(st.lists(st.integers(0, 5)), st.integers(1, 4))
def test_every_group_keeps_its_first_rows(groups, most):
    beyond = beyond_first(np.array(groups, np.int64), most)
    for group in set(groups):
        own = [b for g, b in zip(groups, beyond.tolist(), strict=True) if g == group]
        assert own == [place >= most for place in range(len(own))]


@pytest.mark.parametrize(
    ("sizes", "limit", "expected"),
    [
        ((), 1, []),
        ((5,), 1, [True]),  # the first is always taken: nothing came before it
        ((5, 5, 5), 10, [True, True, False]),
        ((5, 5, 5), 11, [True, True, True]),
        ((0, 0, 10, 0), 10, [True, True, True, False]),
    ],
)
def test_what_comes_before_the_limit_is_taken(sizes, limit, expected):
    assert taken(ints(*sizes), limit).tolist() == expected
