"""How far apart two faces of a video are, by face and by clothes."""

import numpy as np

from transforms.persons.appearances import F32, F64, Appearances

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


def condensed(found: Appearances, face_weight: float, clothing_weight: float) -> F64:
    """The distances of all pairs (N * (N - 1) / 2,), row by row, as scipy's linkage takes them."""
    count = len(found)
    flat = np.empty(count * (count - 1) // 2)
    end = 0
    for start in range(0, count, _ROWS_AT_A_TIME):
        block = distances(found, slice(start, start + _ROWS_AT_A_TIME), face_weight, clothing_weight)
        for row, values in enumerate(block, start):
            flat[end : end + count - row - 1] = values[row + 1 :]
            end += count - row - 1
    return flat


def _squared(units: F32, rows: slice) -> F64:
    """(M,N) squared distances of unit vectors."""
    some, wide = units[rows].astype(np.float64), units.astype(np.float64)
    return np.asarray(np.maximum(2 - 2 * some @ wide.T, 0))
