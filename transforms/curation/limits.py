"""Which faces and videos stay below a limit: pure functions on columns."""

from typing import Any

import numpy as np
import numpy.typing as npt

I64 = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


def beyond_first(group: I64, most: int) -> Mask:
    """Whether each row (N,) stands behind `most` earlier rows of its group; groups are numbers from 0."""
    order = np.argsort(group, kind="stable")
    ordered = group[order]
    firsts = np.searchsorted(ordered, ordered)
    beyond = np.zeros(len(group), bool)
    beyond[order] = np.arange(len(group)) - firsts >= most
    return beyond


def taken(sizes: npt.NDArray[Any], limit: int) -> Mask:
    """Whether each of the sizes (N,), in their order, comes before the limit: those before it have less in all."""
    before: Mask = np.cumsum(sizes) - sizes < limit
    return before
