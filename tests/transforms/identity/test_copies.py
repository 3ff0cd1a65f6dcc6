"""Equal vectors: which of them are left."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.identity import copies
from transforms.identity.copies import first_copies


def test_no_rows():
    assert first_copies(np.zeros((0, 3), np.float32), np.array([0, 0]), 1).tolist() == []


@given(st.lists(st.integers(0, 3), max_size=30), st.integers(1, 4), st.integers(0, 30), st.booleans())
def test_the_first_of_each_group_stay(values, most, cut, same_hash):
    units = np.array([[value, 1.0] for value in values], np.float32).reshape(-1, 2)
    bounds = np.array([0, min(cut, len(values)), len(values)])
    expected = []
    for low, high in ((bounds[0], bounds[1]), (bounds[1], bounds[2])):
        expected += [row for row in range(low, high) if values[low:row].count(values[row]) < most]
    with pytest.MonkeyPatch.context() as patch:
        if same_hash:  # rows that only their bits tell apart: none may be lost, but copies may stay
            patch.setattr(copies, "row_hashes", lambda units: np.zeros(len(units), np.uint64))
            assert set(first_copies(units, bounds, most)) >= set(expected)
        else:
            assert first_copies(units, bounds, most).tolist() == expected


def test_a_last_bit_makes_another_vector():
    one = np.float32(0.6)
    units = np.array([[one, 0.8], [np.nextafter(one, np.float32(1)), 0.8], [one, 0.8]], np.float32)
    assert first_copies(units, np.array([0, 3]), 1).tolist() == [0, 1]
