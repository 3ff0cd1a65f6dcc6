"""Lists of several rows that stand one behind another in one flat list, with a list of how many each row has."""

import numpy as np

from model_handlers.interface import Array


def entries(counts: Array, rows: Array) -> Array:
    """Where the entries of some rows lie in a flat list that has `counts` (N,) entries of each row, one after another.

    rows (R,) places in `counts`; returns int64, the entries of the first row, then those of the second, ...
    """
    starts, lengths = (np.cumsum(counts) - counts)[rows], counts[rows]
    before = np.cumsum(lengths) - lengths
    places: Array = np.arange(lengths.sum(), dtype=np.int64) + np.repeat(starts - before, lengths)
    return places
