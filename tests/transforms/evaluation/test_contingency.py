"""The sparse contingency table counts what a plain loop counts."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.evaluation.contingency import contingency


def test_nothing():
    table = contingency(np.zeros(0, int), np.zeros(0, int))
    assert (table.total, len(table.count), table.is_same) == (0, 0, True)


def test_lengths_must_agree():
    with pytest.raises(ValueError, match="of 0 things, the other of 1"):
        contingency(np.zeros(0, int), np.zeros(1, int))


@given(st.lists(st.tuples(st.integers(-3, 4), st.sampled_from([-(2**62), 0, 7, 2**62]))))
def test_against_a_loop(pairs):
    rows, columns = (np.array([pair[side] for pair in pairs], np.int64) for side in (0, 1))
    table = contingency(rows, columns)
    of_rows, of_columns = np.unique(rows), np.unique(columns)
    found = {(of_rows[r], of_columns[c]): n for r, c, n in zip(table.row, table.column, table.count, strict=True)}
    assert found == Counter(pairs)
    assert table.row_sizes.tolist() == [Counter(rows.tolist())[row] for row in of_rows.tolist()]
    assert table.column_sizes.tolist() == [Counter(columns.tolist())[column] for column in of_columns.tolist()]
    assert table.total == len(pairs)
    assert table.is_same == (len(found) == len(of_rows) == len(of_columns))
