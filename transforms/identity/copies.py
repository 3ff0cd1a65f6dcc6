"""Vectors that are the same bit by bit, as the copies of one picture have them."""

import numpy as np
import numpy.typing as npt

I64 = npt.NDArray[np.int64]
_ROWS_AT_A_TIME = 16_384


def first_copies(units: npt.NDArray[np.float32], bounds: I64, most: int) -> I64:
    """The rows (B,), ascending, without those that have `most` equal ones before them in their group.

    units (N,D) lie group by group, as `block_edges` takes them. Equal is what has the same bits. Rows are compared by a
    hash, and bit by bit where it is the same; if two hashes meet by chance, a copy more may stay.
    """
    group = np.repeat(np.arange(len(bounds) - 1), np.diff(bounds))
    hashes = row_hashes(units)
    order = np.lexsort((hashes, group))
    new = np.ones(len(order), bool)
    new[1:] = (np.diff(group[order]) != 0) | (hashes[order[1:]] != hashes[order[:-1]])
    for places in _split(np.flatnonzero(~new)):
        new[places] = (units[order[places]] != units[order[places - 1]]).any(axis=1)
    rank = np.arange(len(order)) - np.maximum.accumulate(np.where(new, np.arange(len(order)), 0))
    return np.sort(order[rank < most])


def row_hashes(units: npt.NDArray[np.float32]) -> npt.NDArray[np.uint64]:
    """A number (N,) for each row: its bits, as 32-bit numbers, times odd factors, added up modulo 2^64."""
    factors = np.random.default_rng(0).integers(0, 1 << 63, units.shape[1], np.uint64) * np.uint64(2) + np.uint64(1)
    bits = np.ascontiguousarray(units).view(np.uint32)
    hashes = np.empty(len(units), np.uint64)
    for rows in _split(np.arange(len(units))):
        hashes[rows] = bits[rows[0] : rows[-1] + 1].astype(np.uint64) @ factors
    return hashes


def _split(rows: I64) -> list[I64]:
    return [rows[at : at + _ROWS_AT_A_TIME] for at in range(0, len(rows), _ROWS_AT_A_TIME)]
