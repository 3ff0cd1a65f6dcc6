"""Which clusters are one person: those whose mean faces, or mean clothes, are near enough."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from transforms.identity.average_linkage import in_order
from transforms.persons.appearances import F32, F64, I64, Appearances
from transforms.persons.evidence import frames_by_group
from transforms.persons.settings import MergingSettings

Mask = npt.NDArray[np.bool_]
_TAKERS_AT_A_TIME = 256


def merge(found: Appearances, clusters: I64, frame: I64, settings: MergingSettings) -> I64:
    """(N,) the clusters 0..K-1 after merging, numbered by their first rows.

    In a pass all clusters are gone through, the largest first, the one with the earlier first row among equals. Each
    goes once through those behind it and takes in what is near it by then: their mean faces are less than
    `face_distance` apart, or their mean clothes less than `clothing_distance`. Its means follow at once, and what it
    took in takes in nothing itself. Two clusters that are seen in one `frame` (N,) are never merged; give all different
    ones to allow it.
    """
    for _ in range(settings.passes):
        merged = _one_pass(found, clusters, frame, settings)
        if merged.max(initial=-1) == clusters.max(initial=-1):
            break
        clusters = merged
    return clusters


def _one_pass(found: Appearances, clusters: I64, frame: I64, settings: MergingSettings) -> I64:
    place = np.argsort(np.argsort(-np.bincount(clusters), kind="stable"))[clusters]  # clusters, numbered by size
    means = _Means(_centres(found.faces, place), _centres(found.clothes, place), settings)
    frames = frames_by_group(frame, place)
    into = np.arange(len(frames))
    for start in range(0, len(into), _TAKERS_AT_A_TIME):
        block = slice(start, start + _TAKERS_AT_A_TIME)
        for taker, near in enumerate(means.near(block), start):  # nothing behind a taker has changed since
            other = taker
            while into[taker] == taker and (other := _next(taker, other, near, into, frames)):
                means.take_in(taker, other)
                frames[taker] |= frames[other]
                into[other] = taker
                near = means.near(slice(taker, taker + 1))[0]
    return in_order(into[place])


def _next(taker: int, behind: int, near: Mask, into: I64, frames: list[set[int]]) -> int:
    """The first cluster behind that place that is near (K,), not taken and never seen with the taker; 0 for none."""
    places = behind + 1 + np.flatnonzero(near[behind + 1 :])
    return next((p for p in places.tolist() if into[p] == p and frames[taker].isdisjoint(frames[p])), 0)


@dataclass(frozen=True, slots=True, eq=False)
class _Centres:
    """Means (K,D) of the unit vectors of each cluster, and how many of its vectors (K,) are not zero."""

    means: F64
    sizes: I64

    def distances(self, some: slice) -> F64:
        """(M,K) from the means of some clusters to those of all; infinite where there is none."""
        squares = np.einsum("kd,kd->k", self.means, self.means)
        apart = np.sqrt(np.maximum(squares[some][:, None] + squares - 2 * self.means[some] @ self.means.T, 0))
        there = self.sizes > 0
        return np.where(there[some][:, None] & there, apart, np.inf)

    def take_in(self, one: int, other: int) -> None:
        """Make the mean of `one` that of both."""
        both = self.sizes[[one, other]]
        if both.any():
            self.means[one] = both @ self.means[[one, other]] / both.sum()
            self.sizes[one] = both.sum()


@dataclass(frozen=True, slots=True, eq=False)
class _Means:
    """The mean faces and clothes of all clusters."""

    faces: _Centres
    clothes: _Centres
    settings: MergingSettings

    def near(self, some: slice) -> Mask:
        """(M,K) whether each of some clusters is near to each of all."""
        by_face = self.faces.distances(some) < self.settings.face_distance
        return by_face | (self.clothes.distances(some) < self.settings.clothing_distance)

    def take_in(self, one: int, other: int) -> None:
        """Make the means of `one` those of both."""
        self.faces.take_in(one, other)
        self.clothes.take_in(one, other)


def _centres(units: F32, clusters: I64) -> _Centres:
    sizes = np.bincount(clusters[units.any(axis=1)], minlength=int(clusters.max(initial=-1)) + 1)
    sums = np.zeros((len(sizes), units.shape[1]))
    np.add.at(sums, clusters, units.astype(np.float64))
    return _Centres(sums / np.maximum(sizes, 1)[:, None], sizes)
