"""Finding duplicates among very many strings in little memory: 128-bit hashes, sorted once."""

import hashlib
import tempfile
from typing import Any

import numpy as np

Hashes = np.ndarray[Any, np.dtype[np.uint64]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]


class HashList:
    """A growing list of the 128-bit hashes of strings, on disk; None stands for a row that has none."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `take`

    def append(self, text: str | None) -> None:
        """Add the hash of a string (16 zero bytes for None)."""
        self._file.write(bytes(16) if text is None else hashlib.blake2b(text.encode(), digest_size=16).digest())

    def take(self) -> Hashes:
        """All of them, (n,2); the list is closed by it."""
        with self._file as file:
            file.seek(0)
            return np.fromfile(file, dtype=np.uint64).reshape(-1, 2)


def repeated(hashes: Hashes) -> Mask:
    """(n,) true where an earlier row of (n,2) has the same hash; rows of zeros are no hashes and repeat nothing."""
    order = np.argsort(hashes[:, 0], kind="stable")
    ordered = hashes[order, 0]
    after = ordered[1:] == ordered[:-1]
    del ordered
    mask = np.zeros(len(hashes), dtype=np.bool_)
    # rows that share their first half, in order: nearly always true duplicates, compared in full
    starts = np.flatnonzero(after & ~np.concatenate(([False], after[:-1]))) if len(after) else np.empty(0, np.intp)
    for start in starts.tolist():
        end = start + 1
        while end < len(order) and after[end - 1]:
            end += 1
        rows = order[start:end]
        _, earliest = np.unique(hashes[rows, 1], return_index=True)
        mask[rows] = True
        mask[rows[earliest]] = False
    return mask & hashes.any(axis=1)


def matched(known: Hashes, listed: Hashes) -> tuple[Mask, Mask]:
    """Pair equal rows of (K,2) and (n,2), the first of each with the first; whether each has one, (K,) and (n,)."""
    both = np.concatenate([known, listed])
    order = np.lexsort((both[:, 1], both[:, 0]))  # stable: of equal rows the known ones come first
    is_first = np.ones(len(order), dtype=np.bool_)
    ordered = both[order, 0]
    is_first[1:] = ordered[1:] != ordered[:-1]
    ordered = both[order, 1]
    is_first[1:] |= ordered[1:] != ordered[:-1]
    del both, ordered
    small = np.int32 if len(order) < 2**31 else np.int64
    starts = np.flatnonzero(is_first).astype(small)
    sizes = np.diff(starts, append=small(len(order)))
    # of the rows equal to each: how many are known, and which of them all it is
    known_before = np.append(0, np.cumsum(order < len(known), dtype=small))
    here = np.repeat(known_before[starts + sizes] - known_before[starts], sizes)
    place = np.arange(len(order), dtype=small) - np.repeat(starts, sizes)
    del known_before
    paired = np.where(place < here, place < np.repeat(sizes, sizes) - here, place - here < here)
    found = np.empty(len(order), dtype=np.bool_)
    found[order] = paired
    return found[: len(known)], found[len(known) :]
