"""Which of some unit vectors are near which: FAISS screens them in float32, and what is close to call is done exactly.

Distances are Euclidean, between unit vectors: d = sqrt(2 - 2 cosine), 0 to 2. All is decided by the cosine of a pair,
computed alike whatever else is compared in the same block, so that the result does not depend on blocks or kernels.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from transforms.identity.knn import F32, pair_similarity

BLOCK = 1024  # vectors that are compared at a time
TOLERANCE = 1e-5  # of an inner product of unit vectors in float32, see transforms/identity/knn.py
Places = npt.NDArray[Any]


def cosine_at(distance: float) -> float:
    """The cosine of two unit vectors at a distance; above 1 for 0, so that nothing is nearer than that."""
    return 1 - distance**2 / 2 if distance > 0 else 2.0


def distance_at(cosine: float) -> float:
    """The distance of two unit vectors of this cosine."""
    return float(np.sqrt(max(0.0, 2 - 2 * cosine)))


def flat_index(dimension: int) -> Any:
    """FAISS's exact index of inner products; ImportError without FAISS."""
    try:
        import faiss
    except ImportError as error:
        raise ImportError(
            "Comparing tracks by their features needs FAISS, which is not installed: pip install 'manyfaces[cpu]'."
        ) from error
    return faiss.IndexFlatIP(dimension)


def best(units: F32, one: int, others: Places) -> tuple[float, int]:
    """The highest cosine that a vector has with others, exactly, and whose place in `others`; -1, -1 if none."""
    if not len(others):
        return -1.0, -1
    about = units[others] @ units[one]
    maybe = np.flatnonzero(about >= about.max() - 2 * TOLERANCE)
    cosines = pair_similarity(units, np.full(len(maybe), one), others[maybe])
    place = int(cosines.argmax())
    return float(cosines[place]), int(maybe[place])


class Taken:
    """The vectors that are taken so far, and whether others are too near to one of them."""

    def __init__(self, units: F32) -> None:
        self._units = units
        self._index = flat_index(units.shape[1])
        self._places: list[int] = []

    def add(self, places: list[int]) -> None:
        """Take these rows of `units` too."""
        if places:
            self._index.add(np.ascontiguousarray(self._units[places]))
            self._places += places

    def near(self, rows: Places, cosine: float) -> npt.NDArray[np.bool_]:
        """Whether each of the rows has a cosine above this with a taken one."""
        if not self._places or not len(rows):
            return np.zeros(len(rows), bool)
        found = self._index.search(np.ascontiguousarray(self._units[rows]), 1)[0][:, 0]
        near: npt.NDArray[np.bool_] = found > cosine
        taken = np.array(self._places)
        for place in np.flatnonzero(np.abs(found - cosine) <= TOLERANCE):
            near[place] = best(self._units, int(rows[place]), taken)[0] > cosine
        return near
