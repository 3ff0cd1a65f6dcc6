import numpy as np
import pytest

from transforms.tables.flat_lists import entries


@pytest.mark.parametrize(
    ("counts", "rows", "found"),
    [
        ([2, 1, 3], [], []),
        ([2, 1, 3], [0], [0, 1]),
        ([2, 1, 3], [2, 0], [3, 4, 5, 0, 1]),
        ([2, 0, 3], [1], []),
        ([2, 0, 3], [1, 2], [2, 3, 4]),
    ],
)
def test_the_entries_of_rows(counts, rows, found):
    assert entries(np.array(counts), np.array(rows, np.int64)).tolist() == found
