"""Exact neighbours by cosine similarity: the edges of the graph that clustering works on.

Products of matrices find candidates in float32; their similarities are then computed again, pair by pair, in float64,
so that which edges there are depends neither on the size of the blocks nor on the machine's matrix kernels.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from transforms.identity.copies import first_copies
from transforms.identity.shortlist import MOST_PAIRS, Shortlist, best_of, too_many_pairs

F32 = npt.NDArray[np.float32]
I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_ROWS_AT_A_TIME = 16_384
_PAIRS_AT_A_TIME = 512  # what is computed for them stays in the processor's cache
_QUERIES, _OTHERS = 1024, 8192  # rows of the two sides of one product, of 32 MB


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


def unit(vectors: npt.NDArray[Any]) -> F32:
    """The vectors (N,D) scaled to length 1, float32; what has no direction (zero, NaN, infinite) becomes zero."""
    units = np.empty(vectors.shape, np.float32)
    for start in range(0, len(vectors), _ROWS_AT_A_TIME):
        some = vectors[start : start + _ROWS_AT_A_TIME].astype(np.float64)
        norms = np.linalg.norm(some, axis=1, keepdims=True)
        usable = np.isfinite(norms) & (norms > 0)
        units[start : start + _ROWS_AT_A_TIME] = np.where(usable, some / np.where(usable, norms, 1), 0)
    return units


def tolerance(dimension: int) -> float:
    """How far the cosine of two unit vectors may be off, if float32 adds it up in whatever order.

    At most d * 2^-24 (Higham, Accuracy and Stability of Numerical Algorithms, 3.1, with the inequality of Cauchy and
    Schwarz), and a little more for lengths that are not quite 1.
    """
    return (dimension + 8) * 2.0**-24


def pair_similarity(units: F32, first: npt.NDArray[Any], second: npt.NDArray[Any], others: F32 | None = None) -> F32:
    """The cosine (M,) of each pair of rows of `units`, the same whatever other pairs are asked for with it.

    `second` are rows of `others`, if these are given.
    """
    others = units if others is None else others
    similarity = np.empty(len(first), np.float32)
    for start in range(0, len(first), _PAIRS_AT_A_TIME):
        part = slice(start, start + _PAIRS_AT_A_TIME)
        products = units[first[part]].astype(np.float64) * others[second[part]]
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


def neighbour_rows(units: F32, bounds: I64, k: int) -> I64:
    """The rows (B,), ascending, that can be among the k nearest of any row; all of them, if k is 0.

    Of equal vectors the first k + 1 can: whatever is as near to a later one has k earlier ones before it.
    """
    return first_copies(units, bounds, k + 1) if k else np.arange(len(units))


def block_edges(
    units: F32,
    bounds: I64,
    start: int,
    stop: int,
    k: int,
    min_similarity: float,
    rows: I64 | None = None,
    is_new: Mask | None = None,
) -> Edges:
    """The edges that a search for rows start..stop-1 finds.

    units (N,D) lie group by group, and group g is the rows bounds[g]..bounds[g+1]-1 (bounds (G+1,), from 0 to N); rows
    of different groups are no neighbours; there may be fewer rows than stop. k > 0: each row's k nearest (equally near
    ones in row order) with at least min_similarity; k = 0: all with at least that, each pair found from its first row.
    `rows` are the `neighbour_rows`, if they are known. is_new (N,): rows that are not new are searched for among new
    ones only, as the edges of the others are known. ValueError if k is 0 and the pairs are too many to hold.
    """
    rows = neighbour_rows(units, bounds, k) if rows is None else rows
    new_rows = rows if is_new is None else rows[is_new[rows]]
    found = []
    group = int(np.searchsorted(bounds, start, side="right")) - 1
    while group + 1 < len(bounds) and bounds[group] < stop:
        low, high = int(bounds[group]), int(bounds[group + 1])
        for at in range(max(start, low), min(stop, high), _QUERIES):
            queries = np.arange(at, min(at + _QUERIES, stop, high))
            fresh = queries if is_new is None else queries[is_new[queries]]
            known = np.setdiff1d(queries, fresh, assume_unique=True)
            for some, others in ((fresh, rows), (known, new_rows)):
                near = others[np.searchsorted(others, low if k else at) : np.searchsorted(others, high)]
                if len(some) and len(near):
                    place, other, similarity = nearest(units[some], units, near, some, k, min_similarity)
                    found.append(edges_of(some[place], other, similarity))
            if not k and sum(map(len, found)) > MOST_PAIRS:
                raise too_many_pairs()
        group += 1
    return concatenate(found)


def nearest_of_each(edges: Edges, k: int) -> Edges:
    """The edges that are among the k most similar of either of their rows, the earlier other row first among equals."""
    ends, others = np.concatenate([edges.first, edges.second]), np.concatenate([edges.second, edges.first])
    stays = np.zeros(len(edges), bool)
    stays[best_of(ends, others, np.tile(edges.similarity, 2), k) % max(1, len(edges))] = True
    return edges.where(stays)


def nearest(queries: F32, units: F32, rows: I64, itself: I64, k: int, min_similarity: float) -> tuple[I64, I64, F32]:
    """Places of queries (M,), their k nearest among `rows` (B,) of `units`, by place, and the cosines (M,).

    itself (Q,): the row that each of the queries (Q,D) is, -1 for none; k = 0: all with at least min_similarity.
    """
    shortlist = Shortlist(
        itself, k, min_similarity, tolerance(units.shape[1]), lambda a, b: pair_similarity(queries, a, b, units)
    )
    places = np.arange(len(queries))
    for similarity, some in _products(queries, units, rows):
        shortlist.offer(similarity, places, some)
    return shortlist.nearest()


def _products(queries: F32, units: F32, rows: I64) -> Iterator[tuple[F32, I64]]:
    """The cosines (Q,b) of the queries to some rows (b,) after the others; each array is written over the last."""
    out = np.empty(len(queries) * min(len(rows), _OTHERS), np.float32)
    for at in range(0, len(rows), _OTHERS):
        some = rows[at : at + _OTHERS]
        gapless = some[-1] - some[0] == len(some) - 1
        tile = units[some[0] : some[-1] + 1] if gapless else units[some]
        similarity = out[: len(queries) * len(some)].reshape(len(queries), len(some))
        yield np.matmul(queries, tile.T, out=similarity), some


def find_edges(units: F32, bounds: I64, k: int, min_similarity: float, block: int) -> Edges:
    """The edges of all rows, searched for `block` rows at a time; the result does not depend on `block`."""
    rows = neighbour_rows(units, bounds, k)
    blocks = range(0, len(units), block)
    return concatenate(
        [block_edges(units, bounds, i, min(i + block, len(units)), k, min_similarity, rows) for i in blocks]
    )


def one_group(rows: int) -> I64:
    """The bounds that make all rows one group."""
    return np.array([0, rows], np.int64)
