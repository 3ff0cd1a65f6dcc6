"""How far apart two faces of a video are, by face and by clothes; and two groups of faces."""

import numpy as np

from transforms.persons.appearances import F32, F64, I64, Appearances

_ROWS_AT_A_TIME = 256


def distances(found: Appearances, rows: slice, face_weight: float, clothing_weight: float) -> F64:
    """The distances (M,N) of some rows to all: Euclidean, of unit vectors times their weights, one after the other.

    Where clothes are seen of one of two faces at most, they are taken to differ as much as the faces do.
    """
    faces = _squared(found.faces, rows)
    total = face_weight**2 * faces
    if clothing_weight:
        dressed = np.asarray(found.clothes.any(axis=1))
        both = dressed[rows][:, None] & dressed
        total += clothing_weight**2 * np.where(both, _squared(found.clothes, rows), faces)
    return np.asarray(np.sqrt(total))


def largest_possible(face_weight: float, clothing_weight: float) -> float:
    """The distance of two faces whose vectors point in opposite directions."""
    return 2 * float(np.hypot(face_weight, clothing_weight))


def sums_between(found: Appearances, group: I64, face_weight: float, clothing_weight: float) -> tuple[F64, float]:
    """(G,G) the sum of the distances of all pairs of faces of two groups, and the largest distance of two faces.

    group (N,): 0..G-1, each of which has a face. The matrix is symmetric to the last bit; 16 bytes x G x G of memory.
    """
    order = np.argsort(group, kind="stable")
    faces, sorted_ = found.take(order), group[order]
    starts = np.flatnonzero(np.diff(sorted_, prepend=-1))
    sums, largest = np.zeros((len(starts), len(starts))), 0.0
    for start in range(0, len(faces), _ROWS_AT_A_TIME):
        rows = slice(start, start + _ROWS_AT_A_TIME)
        block = distances(faces, rows, face_weight, clothing_weight)
        largest = max(largest, float(block.max()))
        groups, firsts = np.unique(sorted_[rows], return_index=True)
        sums[groups] += np.add.reduceat(np.add.reduceat(block, starts, axis=1), firsts, axis=0)
    sums += sums.T
    sums /= 2
    return sums, largest


def _squared(units: F32, rows: slice) -> F64:
    """(M,N) squared distances of vectors (N,D); in float64 those of equal ones are below 1e-15."""
    wide = units.astype(np.float64)
    squares = np.einsum("nd,nd->n", wide, wide)
    return np.asarray(np.maximum(squares[rows, None] + squares - 2 * wide[rows] @ wide.T, 0))
