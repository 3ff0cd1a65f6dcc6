"""The contingency table of two groupings of the same things, as far as it is not zero."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

I64 = npt.NDArray[np.int64]
Ints = npt.NDArray[np.integer]


@dataclass(frozen=True, slots=True, eq=False)
class Contingency:
    """How many of N things are in each group of one grouping (a row) and of the other (a column).

    count (C,) of the C cells that are not 0, their row (C,) and column (C,); the sizes of all rows (R,) and columns
    (S,), each of which adds up to N.
    """

    count: I64
    row: I64
    column: I64
    row_sizes: I64
    column_sizes: I64

    @property
    def total(self) -> int:
        """N."""
        return int(self.row_sizes.sum())

    @property
    def is_same(self) -> bool:
        """Whether both groupings have the same groups, whatever they call them."""
        return len(self.count) == len(self.row_sizes) == len(self.column_sizes)


def contingency(rows: Ints, columns: Ints) -> Contingency:
    """The table of the groupings `rows` (N,) and `columns` (N,), whole numbers. ValueError if the lengths differ."""
    if len(rows) != len(columns):
        raise ValueError(f"one grouping is of {len(rows)} things, the other of {len(columns)}; give both for all.")
    row, row_sizes = _numbered(rows)
    column, column_sizes = _numbered(columns)
    wide = max(len(column_sizes), 1)
    cells, count = np.unique(row * wide + column, return_counts=True)
    return Contingency(count.astype(np.int64), cells // wide, cells % wide, row_sizes, column_sizes)


def _numbered(groups: Ints) -> tuple[I64, I64]:
    """The group of each thing (N,) as a number from 0, and the sizes of the groups."""
    _, numbers, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    return numbers.astype(np.int64), sizes.astype(np.int64)
