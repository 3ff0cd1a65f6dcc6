"""The nearest of some queries, out of cosines that come tile by tile and are known up to a tolerance.

A query's floor rises as its neighbours are found, so that of most tiles next to nothing is kept; there is no heap.
Exact cosines decide in the end, so that the result depends neither on the tiles nor on how their cosines were rounded.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]
Exact = Callable[[I64, I64], F32]  # places of queries (M,), rows (M,) -> their cosines (M,)

MOST_PAIRS = 1 << 26  # that are held where k is 0: about 5 GB with their face ids, before they are written
_HELD = 1 << 20  # candidates from which on those that are no longer needed are thrown away
_DENSE = 4  # times k: a tile of which more passes first raises the floors by its own cosines


class Shortlist:
    """Candidates of Q queries: all that can be among the k nearest of each, and few others; k = 0: all near enough.

    itself (Q,): the row that a query is, which is no neighbour of it, or -1; `tolerance`: how far a cosine may be off.
    """

    def __init__(self, itself: I64, k: int, min_similarity: float, tolerance: float, exact: Exact) -> None:
        self._itself, self._k, self._tolerance, self._exact = itself, k, tolerance, exact
        self._least = np.float32(min_similarity)
        self._floors = np.full(len(itself), float(self._least) - tolerance, np.float32)
        self._parts: list[tuple[I64, I64, F32]] = []
        self._held = 0
        self._limit = max(_HELD, 4 * len(itself) * k) if k else MOST_PAIRS
        self._near = np.zeros(0, bool)

    def offer(self, similarity: F32, places: I64, rows: I64) -> None:
        """Take the cosines (q,b) of the queries at `places` (q,) and of `rows` (b,); no pair may be offered twice.

        ValueError if k is 0 and more pairs are near enough than can be held.
        """
        near = self._passing(similarity, places)
        if self._k and np.count_nonzero(near) > _DENSE * self._k * len(places):
            raised = _kth_at_least(similarity, self._k + 1) - 2 * self._tolerance
            self._floors[places] = np.maximum(self._floors[places], raised)
            near = self._passing(similarity, places)
        place, column = np.divmod(np.flatnonzero(near), max(1, len(rows)))
        query, row = places[place], rows[column]
        other = row != self._itself[query]
        self._parts.append((query[other], row[other], similarity[place[other], column[other]]))
        self._held += int(np.count_nonzero(other))
        if self._held > self._limit:
            self._shorten()

    def nearest(self) -> tuple[I64, I64, F32]:
        """Places (M,), rows (M,) and cosines (M,) of each query's k nearest, the earlier row first among equals."""
        place, row, _ = self._sorted() if self._k else self._joined()
        similarity = self._exact(place, row)
        best = best_of(place, row, similarity, self._k) if self._k else slice(None)
        sure = similarity[best] >= self._least
        return place[best][sure], row[best][sure], similarity[best][sure]

    def _passing(self, similarity: F32, places: I64) -> npt.NDArray[np.bool_]:
        """Whether each cosine (q,b) reaches its query's floor; the array is written again by the next call."""
        if self._near.size < similarity.size:
            self._near = np.empty(similarity.size, bool)
        near = self._near[: similarity.size].reshape(similarity.shape)
        return np.greater_equal(similarity, self._floors[places][:, None], out=near)

    def _joined(self) -> tuple[I64, I64, F32]:
        if not self._parts:
            return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32)
        place, row, similarity = (np.concatenate(parts) for parts in zip(*self._parts, strict=True))
        return place, row, similarity

    def _sorted(self) -> tuple[I64, I64, F32]:
        """The candidates that are still possible, by query, nearest first; the floors rise to the k-th."""
        place, row, similarity = self._joined()
        # One integer sorts faster than two keys; what is closer than 2^-30 may change places, far within the tolerance.
        order = np.argsort((place << 32) + ((2 - similarity.astype(np.float64)) * 2**30).astype(np.int64))
        place, row, similarity = place[order], row[order], similarity[order]
        firsts = np.searchsorted(place, np.arange(len(self._itself) + 1))
        full = np.flatnonzero(np.diff(firsts) >= self._k)
        kth = similarity[firsts[full] + self._k - 1] - 2 * self._tolerance
        self._floors[full] = np.maximum(self._floors[full], kth)
        possible = similarity >= self._floors[place]
        return place[possible], row[possible], similarity[possible]

    def _shorten(self) -> None:
        if not self._k:
            raise too_many_pairs()
        place, row, similarity = self._sorted()
        if len(place) > self._limit // 2:  # many are about as near as the k-th: only their exact cosines tell
            similarity = self._exact(place, row)
            best = best_of(place, row, similarity, self._k)
            place, row, similarity = place[best], row[best], similarity[best]
        self._parts, self._held = [(place, row, similarity)], len(place)


def too_many_pairs() -> ValueError:
    """What to raise where k is 0 and MOST_PAIRS do not suffice."""
    return ValueError(
        f"more than {MOST_PAIRS:,} pairs of faces of one block are above edges.min_similarity, and edges.k 0 wants "
        "them all; set edges.k to the neighbours wanted of each face (64), raise edges.min_similarity, or set a "
        "smaller edges.block."
    )


def best_of(query: I64, other: I64, similarity: F32, k: int) -> I64:
    """The places of the k most similar candidates of each query, the earlier row first among equals."""
    order = np.lexsort((other, -similarity, query))
    ordered = query[order]
    is_first = np.r_[True, ordered[1:] != ordered[:-1]] if len(ordered) else np.zeros(0, bool)
    firsts = np.maximum.accumulate(np.where(is_first, np.arange(len(ordered)), 0))
    return order[np.arange(len(ordered)) - firsts < k]


def _kth_at_least(similarity: F32, k: int) -> F32:
    """For each row of (q,b) a number that k of its values reach, nearly the k-th largest; -inf if there are too few.

    The k-th largest of the maxima of about 8 k groups of columns: as many values as groups reach it.
    """
    columns = similarity.shape[1]
    together = 1 << max(0, (columns // (8 * k)).bit_length() - 1)
    groups = columns // together
    if groups < k:
        return np.full(len(similarity), -np.inf, np.float32)
    maxima = similarity[:, : groups * together].reshape(-1, together, groups).max(axis=1)
    kth: F32 = np.partition(maxima, groups - k, axis=1)[:, groups - k]
    return kth
