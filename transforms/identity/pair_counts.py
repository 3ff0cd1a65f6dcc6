"""How similar faces are to all others: a histogram for each face of a sample, without keeping a pair."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from transforms.identity.copies import row_hashes
from transforms.identity.knn import F32, I64

BINS = 2000  # of equal width, from -1 to 1
EDGES = np.linspace(-1, 1, BINS + 1)
_MOST_FACES, _MOST_PAIRS = 2048, 1 << 30
_FEWEST_FACES = 256
_QUERIES, _OTHERS = 128, 8192  # rows and columns of a block of similarities


@dataclass(frozen=True, slots=True, eq=False)
class PairCounts:
    """counts (n,BINS): how many of the `faces` - 1 others are how similar to each of n; best (n,): the nearest."""

    faces: int
    counts: npt.NDArray[np.int32]
    best: F32

    def __len__(self) -> int:
        return len(self.counts)


def chosen_rows(units: F32, most: int) -> I64:
    """At most `most` rows of the vectors (N,D): the same vectors in the same order, whatever the order of the rows.

    They are drawn by a sum of the vectors' bits, so that a list that grows keeps most of its sample.
    """
    mixed = row_hashes(units)
    mixed = (mixed ^ (mixed >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
    return np.argsort(mixed ^ (mixed >> np.uint64(32)), kind="stable")[:most].astype(np.int64)


def count_pairs(units: F32, most: int = _MOST_FACES) -> PairCounts:
    """The similarities of a sample of the faces to all others; units (N,D) of length 1.

    The sample is as large as 2^30 pairs allow: 2,048 faces of 500,000, and all if there are not so many.
    """
    total = len(units)
    rows = chosen_rows(units, min(most, max(_FEWEST_FACES, _MOST_PAIRS // max(total, 1))))
    counts = np.zeros((len(rows), BINS), np.int32)
    best = np.full(len(rows), -1, np.float32)
    for start in range(0, len(rows), _QUERIES):
        asked = rows[start : start + _QUERIES]
        part = slice(start, start + len(asked))
        offset = np.arange(len(asked))[:, None] * BINS
        for low in range(0, total, _OTHERS):
            similarity = units[asked] @ units[low : low + _OTHERS].T
            own = np.flatnonzero((asked >= low) & (asked < low + _OTHERS))
            similarity[own, asked[own] - low] = -2  # a face is no neighbour of its own
            best[part] = np.maximum(best[part], similarity.max(axis=1))
            place = ((similarity + 1) * (BINS / 2)).astype(np.int32).clip(0, BINS - 1) + offset
            counts[part] += np.bincount(place.ravel(), minlength=len(asked) * BINS).reshape(-1, BINS).astype(np.int32)
            counts[start + own, 0] -= 1
    return PairCounts(total, counts, best.clip(-1, 1))
