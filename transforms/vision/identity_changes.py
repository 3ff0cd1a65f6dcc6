"""Where along a sequence of face embeddings another person begins. Pure functions on arrays."""

import numpy as np

from model_handlers.interface import Array

_NEAR = 3  # samples on each side between which a cut shows at once
_LONG = 4  # windows on each side between which a slow transition shows
_LEAST = 2  # samples on the shorter side of a change


def unit_vectors(vectors: Array) -> Array:
    """The vectors (N,D) at length 1, float32; zero where one is zero or not finite: then far from all."""
    wide = np.asarray(vectors, dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        units = wide / np.linalg.norm(wide, axis=1, keepdims=True)
    return np.where(np.isfinite(units).all(axis=1, keepdims=True), units, 0).astype(np.float32)


def largest_distance(vectors: Array) -> float | None:
    """The largest 1 - cosine between two of the vectors (N,D); None for fewer than two or one without direction."""
    units = unit_vectors(vectors)
    if len(units) < 2 or not units.any(axis=1).all():
        return None
    return float(1 - (units @ units.T)[np.triu_indices(len(units), 1)].min())


def change_points(units: Array, window: int, max_distance: float) -> list[int]:
    """The places in 1..N-1 where another person begins, ascending, of unit vectors (N,D) in the order of time.

    Distances are 1 - cosine. A change is where more than half of the pairs across it are further apart than
    `max_distance`: at once, between the three samples on either side, and lastingly, between those of a window; or,
    for a slow transition, between windows four times as long. Half of a window less one may be blurred or turned away
    and is taken for the person before and after: so is an insert of that length.
    """
    found: list[int] = []
    parts = [(0, len(units))]
    while parts:  # binary segmentation: one change at a time, so that windows never reach over a change
        start, stop = parts.pop()
        change = _clearest(units[start:stop], window, max_distance)
        if change is not None:
            found.append(start + change)
            parts += [(start, start + change), (start + change, stop)]
    return sorted(found)


def _clearest(units: Array, window: int, max_distance: float) -> int | None:
    places = [place for place in range(_LEAST, len(units) - _LEAST + 1) if _differs(units, place, window, max_distance)]
    return max(places, key=lambda place: _contrast(units, place, window), default=None)


def _differs(units: Array, place: int, window: int, max_distance: float) -> bool:
    if _typical(units, place, window) > max_distance and _typical(units, place, _NEAR) > max_distance:
        return True
    long = _LONG * window
    return long <= place <= len(units) - long and _typical(units, place, long) > max_distance


def _sides(units: Array, place: int, reach: int) -> tuple[Array, Array]:
    return units[max(0, place - reach) : place], units[place : place + reach]


def _typical(units: Array, place: int, reach: int) -> float:
    """The distance that more than half of the pairs across the place have at least."""
    before, after = _sides(units, place, reach)
    distances = (1 - before @ after.T).ravel()
    middle = (len(distances) - 1) // 2
    return float(np.partition(distances, middle)[middle])


def _contrast(units: Array, place: int, reach: int) -> float:
    """How much better two groups explain the samples than one: the energy distance, weighted by the groups' sizes."""
    before, after = _sides(units, place, reach)
    across, inside = 1 - (before @ after.T).mean(), [1 - (side @ side.T).mean() for side in (before, after)]
    return float((2 * across - sum(inside)) * len(before) * len(after) / (len(before) + len(after)))
