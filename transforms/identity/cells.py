"""Approximate neighbours: faces are sorted into cells, and each is compared with those of the cells nearest to it.

A cell is what is nearest to one of the centres that spherical k-means finds: 16 sqrt(N) of them for N faces, of which
32 are looked at. So a search takes about N sqrt(N) comparisons instead of N^2. (Cells of centres would make it N log N,
but centres are no more alike than persons are: a face's nearest one was missed too often.)

Which cell a face belongs to is decided by exact cosines, and sums are added in the order of rows: every worker finds
the same cells, on whatever machine, and looks in the same ones.
"""

from dataclasses import dataclass

import numpy as np

from transforms.identity.knn import F32, I64, Edges, concatenate, edges_of, nearest, pair_similarity, tolerance, unit
from transforms.identity.shortlist import MOST_PAIRS, Shortlist, too_many_pairs

CELLS_OF_ROOT = 16  # times the root of the number of faces
CELLS_LOOKED_AT = 32
_SAMPLE_OF_A_CELL = 16  # faces that centres are found with, for each of them
_ROUNDS = 5
_SEED = 0
_QUERIES = 65_536
_QUERIES_OF_CENTRES = 1024


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """The rows low..high-1 of some unit vectors in C cells, with their unit centres (C,D).

    members (B,): the rows that can be neighbours, cell by cell, ascending in each; cell c is
    members[starts[c]:starts[c+1]] (starts (C+1,)).
    """

    low: int
    high: int
    centres: F32
    members: I64
    starts: I64


def find_cells(units: F32, low: int, high: int, rows: I64) -> Cells:
    """The cells of the rows low..high-1 of `units` (N,D); `rows` (B,) ascending, those that can be neighbours."""
    rows = rows[np.searchsorted(rows, low) : np.searchsorted(rows, high)]
    centres = find_centres(units[low:high], min(high - low, int(CELLS_OF_ROOT * (high - low) ** 0.5)))
    _, cell = nearest_centres(units, rows, centres, 1)
    starts = np.searchsorted(np.sort(cell), np.arange(len(centres) + 1))
    return Cells(low, high, centres, rows[np.argsort(cell, kind="stable")], starts.astype(np.int64))


def find_centres(units: F32, count: int) -> F32:
    """At most `count` centres of unit vectors (N,D), by k-means on a sample; those nearest to none are dropped."""
    drawn = np.random.default_rng(_SEED).permutation(len(units))[: count * _SAMPLE_OF_A_CELL]
    centres = units[drawn[:count]]
    sample = np.sort(drawn)
    for _ in range(_ROUNDS):
        _, cell = nearest_centres(units, sample, centres, 1)
        order = np.argsort(cell, kind="stable")
        _, firsts = np.unique(cell[order], return_index=True)
        cells = np.split(sample[order], firsts[1:])
        centres = unit(np.stack([units[rows].astype(np.float64).sum(axis=0) for rows in cells]))
    return centres


def nearest_centres(units: F32, rows: I64, centres: F32, count: int) -> tuple[I64, I64]:
    """Places among `rows` (Q,) of units (N,D), and the `count` centres nearest to each: (M,) and (M,), by place."""
    places, found = [], []
    for at in range(0, len(rows), _QUERIES_OF_CENTRES):
        some = units[rows[at : at + _QUERIES_OF_CENTRES]]
        place, centre, _ = nearest(some, centres, np.arange(len(centres)), np.full(len(some), -1), count, -1)
        places.append(place + at)
        found.append(centre)
    return np.concatenate(places), np.concatenate(found)


def nearest_in_cells(
    queries: F32, itself: I64, units: F32, cells: Cells, looked_at: int, k: int, min_similarity: float
) -> tuple[I64, I64, F32]:
    """As `knn.nearest`, but of the rows of `units` only those in the `looked_at` cells nearest to each query."""
    shortlist = Shortlist(
        itself, k, min_similarity, tolerance(units.shape[1]), lambda a, b: pair_similarity(queries, a, b, units)
    )
    place, cell = nearest_centres(queries, np.arange(len(queries)), cells.centres, looked_at)
    order = np.argsort(cell, kind="stable")
    names, firsts = np.unique(cell[order], return_index=True)
    for name, places in zip(names.tolist(), np.split(place[order], firsts[1:]), strict=True):
        rows = cells.members[cells.starts[name] : cells.starts[name + 1]]
        shortlist.offer(queries[places] @ units[rows].T, places, rows)
    return shortlist.nearest()


def cell_edges(units: F32, cells: Cells, start: int, stop: int, k: int, min_similarity: float) -> Edges:
    """The edges that a search for rows start..stop-1, all of them in the cells, finds: as `block_edges`, or fewer."""
    found = []
    for at in range(start, stop, _QUERIES):
        end = min(at + _QUERIES, stop)
        place, other, similarity = nearest_in_cells(
            units[at:end], np.arange(at, end), units, cells, CELLS_LOOKED_AT, k, min_similarity
        )
        found.append(edges_of(place + at, other, similarity))
        if not k and sum(map(len, found)) > MOST_PAIRS:
            raise too_many_pairs()
    return concatenate(found)
