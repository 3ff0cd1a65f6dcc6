"""Exact neighbours by cosine similarity: the edges of the graph that clustering works on.

FAISS finds candidates in float32; their similarities are then computed again, pair by pair, in float64, so that which
edges there are depends neither on the size of the blocks nor on the machine's matrix kernels.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

F32 = npt.NDArray[np.float32]
I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]

# Rounding of an inner product of unit vectors in float32: about (d / 16 lanes + 10) * 2^-24, so 6e-6 for d = 1,500.
_TOLERANCE = 1e-5
_SPARE = 8  # neighbours asked for beyond k: those that rounding may have put behind the k-th
_ROWS_AT_A_TIME = 16_384
_SMALL = 1 << 16  # similarities that a plain loop gives sooner than the threads of FAISS or BLAS meet


@dataclass(frozen=True, slots=True, eq=False)
class Edges:
    """Pairs of rows, each unordered pair once, sorted: first < second (M,), similarity (M,) cosines in -1 to 1."""

    first: I32
    second: I32
    similarity: F32

    def __len__(self) -> int:
        return len(self.first)

    def where(self, mask: npt.NDArray[np.bool_]) -> "Edges":
        """The edges that the mask (M,) selects."""
        return Edges(self.first[mask], self.second[mask], self.similarity[mask])


NO_EDGES = Edges(np.zeros(0, np.int32), np.zeros(0, np.int32), np.zeros(0, np.float32))


def _faiss() -> Any:
    try:
        import faiss
    except ImportError as error:
        raise ImportError(
            "Finding identities needs FAISS, which is not installed: pip install 'manyfaces[cpu]'."
        ) from error
    return faiss


def unit(vectors: npt.NDArray[Any]) -> F32:
    """The vectors (N,D) scaled to length 1, float32; what has no direction (zero, NaN, infinite) becomes zero."""
    units = np.empty(vectors.shape, np.float32)
    for start in range(0, len(vectors), _ROWS_AT_A_TIME):
        some = vectors[start : start + _ROWS_AT_A_TIME].astype(np.float64)
        norms = np.linalg.norm(some, axis=1, keepdims=True)
        usable = np.isfinite(norms) & (norms > 0)
        units[start : start + _ROWS_AT_A_TIME] = np.where(usable, some / np.where(usable, norms, 1), 0)
    return units


def pair_similarity(units: F32, first: npt.NDArray[Any], second: npt.NDArray[Any]) -> F32:
    """The cosine (M,) of each pair of rows of `units`, the same whatever other pairs are asked for with it."""
    similarity = np.empty(len(first), np.float32)
    for start in range(0, len(first), _ROWS_AT_A_TIME):
        part = slice(start, start + _ROWS_AT_A_TIME)
        products = units[first[part]].astype(np.float64) * units[second[part]]
        similarity[part] = products.sum(axis=1).clip(-1, 1)
    return similarity


def edges_of(first: npt.NDArray[Any], second: npt.NDArray[Any], similarity: F32) -> Edges:
    """Pairs in any order and direction, some of them twice, as Edges."""
    low, high = np.minimum(first, second).astype(np.int64), np.maximum(first, second).astype(np.int64)
    _, places = np.unique(low << 32 | high, return_index=True)
    return Edges(low[places].astype(np.int32), high[places].astype(np.int32), similarity[places])


def concatenate(parts: list[Edges]) -> Edges:
    """The edges of all parts together."""
    if not parts:
        return NO_EDGES
    return edges_of(
        np.concatenate([part.first for part in parts]),
        np.concatenate([part.second for part in parts]),
        np.concatenate([part.similarity for part in parts]),
    )


def block_edges(units: F32, bounds: I64, start: int, stop: int, k: int, min_similarity: float) -> Edges:
    """The edges that a search for rows start..stop-1 finds.

    units (N,D) lie group by group, and group g is the rows bounds[g]..bounds[g+1]-1 (bounds (G+1,), from 0 to N); rows
    of different groups are no neighbours; there may be fewer rows than stop. k > 0: each row's k nearest (equally near
    ones in row order) with at least min_similarity; k = 0: all with at least that, each pair found from its first row.
    ImportError without FAISS.
    """
    parts = []
    group = int(np.searchsorted(bounds, start, side="right")) - 1
    while group + 1 < len(bounds) and bounds[group] < stop:
        low, high = int(bounds[group]), int(bounds[group + 1])
        first, last = max(start, low), min(stop, high)
        if high - low > 1 and first < last:
            found = _nearest if k else _within
            query, other = found(units[low:high], first - low, last - low, k, np.float32(min_similarity))
            similarity = pair_similarity(units, query + low, other + low)
            keep = _best(query, other, similarity, k) if k else slice(None)
            sure = similarity[keep] >= np.float32(min_similarity)
            parts.append(edges_of((query + low)[keep][sure], (other + low)[keep][sure], similarity[keep][sure]))
        group += 1
    return concatenate(parts)


def find_edges(units: F32, bounds: I64, k: int, min_similarity: float, block: int) -> Edges:
    """The edges of all rows, searched for `block` rows at a time; the result does not depend on `block`."""
    blocks = range(0, len(units), block)
    return concatenate([block_edges(units, bounds, i, min(i + block, len(units)), k, min_similarity) for i in blocks])


def one_group(rows: int) -> I64:
    """The bounds that make all rows one group."""
    return np.array([0, rows], np.int64)


def _within(units: F32, start: int, stop: int, _: int, floor: np.float32) -> tuple[I64, I64]:
    """Candidate pairs (query, other) with query < other."""
    if (stop - start) * (len(units) - start) <= _SMALL:
        similarity = np.einsum("id,jd->ij", units[start:stop], units[start:])
        query, other = np.nonzero(similarity >= float(floor) - _TOLERANCE)
    else:
        index = _faiss().IndexFlatIP(units.shape[1])
        index.add(units[start:])
        limits, _distances, other = index.range_search(units[start:stop], float(floor) - _TOLERANCE)
        query = np.repeat(np.arange(stop - start), np.diff(limits.astype(np.int64)))
    once = other > query
    return query[once] + start, other[once] + start


def _nearest(units: F32, start: int, stop: int, k: int, floor: np.float32) -> tuple[I64, I64]:
    """Candidate pairs (query, other), the k nearest of every query among them."""
    faiss = _faiss()
    wanted = min(len(units), k + 1 + _SPARE)
    similarity, others = faiss.knn(units[start:stop], units, wanted, metric=faiss.METRIC_INNER_PRODUCT)
    near = (similarity >= floor - _TOLERANCE) & (others != np.arange(start, stop)[:, None])
    # Where the last neighbour found may equal the k-th, others beyond it may too: such queries look at every row.
    kth = np.maximum(similarity[:, min(k, wanted - 1)], floor)
    open_end = (similarity[:, -1] >= kth - 2 * _TOLERANCE) & (wanted < len(units))
    near[open_end] = False
    place, column = np.nonzero(near)
    queries, found = [place + start], [others[place, column]]
    for query, limit in _look_again(units, np.flatnonzero(open_end) + start, kth[open_end]):
        queries.append(np.full(len(limit), query))
        found.append(limit)
    return np.concatenate(queries).astype(np.int64), np.concatenate(found).astype(np.int64)


def _look_again(units: F32, queries: I64, floors: F32) -> Iterator[tuple[int, I64]]:
    for query, floor in zip(queries.tolist(), floors.tolist(), strict=True):
        near = units @ units[query] >= floor - 2 * _TOLERANCE
        near[query] = False
        yield query, np.flatnonzero(near)


def _best(query: I64, other: I64, similarity: F32, k: int) -> I64:
    """The places of the k most similar candidates of each query, the earlier row first among equals."""
    order = np.lexsort((other, -similarity, query))
    ordered = query[order]
    is_first = np.r_[True, ordered[1:] != ordered[:-1]] if len(ordered) else np.zeros(0, bool)
    firsts = np.maximum.accumulate(np.where(is_first, np.arange(len(ordered)), 0))
    return order[np.arange(len(ordered)) - firsts < k]
