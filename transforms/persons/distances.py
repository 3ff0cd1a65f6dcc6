"""How far apart two faces of a video are, by face and by clothes; and two groups of faces."""

import numpy as np

from transforms.persons.appearances import F32, F64, I64, Appearances

_ROWS_AT_A_TIME = 256


def distances(found: Appearances, rows: slice, columns: slice, face_weight: float, clothing_weight: float) -> F64:
    """The distances (M,K) of some faces to others: Euclidean, of unit vectors times their weights, put together.

    Where clothes are seen of one of two faces at most, they are taken to differ as much as the faces do.
    """
    faces = _squared(found.faces, rows, columns)
    total = face_weight**2 * faces
    if clothing_weight:
        dressed = np.asarray(found.clothes.any(axis=1))
        both = dressed[rows][:, None] & dressed[columns]
        total += clothing_weight**2 * np.where(both, _squared(found.clothes, rows, columns), faces)
    return np.asarray(np.sqrt(total))


def largest_possible(face_weight: float, clothing_weight: float) -> float:
    """The distance of two faces whose vectors point in opposite directions."""
    return 2 * float(np.hypot(face_weight, clothing_weight))


def sums_between(found: Appearances, group: I64, face_weight: float, clothing_weight: float) -> tuple[F64, float]:
    """(G,G) the sum of the distances of all pairs of faces of two groups, and the largest distance of two faces.

    group (N,): 0..G-1, each of which has a face. The matrix is symmetric to the last bit; 16 bytes x G x G of memory.
    """
    order = np.argsort(group, kind="stable")
    faces, groups = found.take(order), group[order]
    starts = np.flatnonzero(np.diff(groups, prepend=-1))
    sums, largest = np.zeros((len(starts), len(starts))), 0.0
    for start in range(0, len(faces), _ROWS_AT_A_TIME):
        rows = slice(start, start + _ROWS_AT_A_TIME)
        block = np.triu(distances(faces, rows, slice(start, None), face_weight, clothing_weight), 1)  # each pair once
        largest = max(largest, float(block.max()))
        first, last = groups[rows][[0, -1]]
        inside = np.maximum(starts[first:] - start, 0)
        by_group = np.add.reduceat(np.add.reduceat(block, inside, axis=1), inside[: last + 1 - first], axis=0)
        sums[first : last + 1, first:] += by_group
    sums += sums.T
    return sums, largest


def _squared(units: F32, rows: slice, columns: slice) -> F64:
    """(M,K) squared distances of some of the vectors (N,D) to others; in float64, where equal ones are 1e-15 apart."""
    some, others = units[rows].astype(np.float64), units[columns].astype(np.float64)
    squares = (np.einsum("nd,nd->n", one, one) for one in (some, others))
    return np.asarray(np.maximum(np.add.outer(*squares) - 2 * some @ others.T, 0))
