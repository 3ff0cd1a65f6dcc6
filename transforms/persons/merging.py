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
    `face_distance` apart, or their mean clothes less than `clothing_distance` and their mean faces less than
    `clothing_face_distance`. Its means follow at once, and what it took in takes in nothing itself. Two clusters that
    are seen in one `frame` (N,) are never merged; give all different ones to allow it.
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
        for taker, near in enumerate(means.near(block, start), start):  # what is behind a taker has not changed since
            other, places = taker, start + np.flatnonzero(near)
            while into[taker] == taker and (other := _next(taker, other, places, into, frames)):
                means.take_in(taker, other)
                frames[taker] |= frames[other]
                into[other] = taker
                places = other + np.flatnonzero(means.near(slice(taker, taker + 1), other)[0])
    return in_order(into[place])


def _next(taker: int, behind: int, places: I64, into: I64, frames: list[set[int]]) -> int:
    """The first of these near clusters behind that one that is not taken and never seen with the taker; 0 for none."""
    free = (int(p) for p in places[places > behind] if into[p] == p)
    return next((p for p in free if frames[taker].isdisjoint(frames[p])), 0)


@dataclass(frozen=True, slots=True, eq=False)
class _Centres:
    """Means (K,D) of the unit vectors of each cluster, their squares (K,), and how many vectors (K,) are not zero."""

    means: F64
    squares: F64
    sizes: I64

    def distances(self, some: slice, first: int) -> F64:
        """(M,K-first) from the means of some clusters to those from `first` on; infinite where there is none."""
        products = self.means[some] @ self.means[first:].T
        apart = np.sqrt(np.maximum(np.add.outer(self.squares[some], self.squares[first:]) - 2 * products, 0))
        return np.where(np.logical_and.outer(self.sizes[some] > 0, self.sizes[first:] > 0), apart, np.inf)

    def take_in(self, one: int, other: int) -> None:
        """Make the mean of `one` that of both."""
        both = self.sizes[[one, other]]
        if both.any():
            self.means[one] = both @ self.means[[one, other]] / both.sum()
            self.squares[one] = self.means[one] @ self.means[one]
            self.sizes[one] = both.sum()


@dataclass(frozen=True, slots=True, eq=False)
class _Means:
    """The mean faces and clothes of all clusters."""

    faces: _Centres
    clothes: _Centres
    settings: MergingSettings

    def near(self, some: slice, first: int) -> Mask:
        """(M,K-first) whether some clusters are near to those from `first` on."""
        apart = self.faces.distances(some, first)
        by_clothes = self.clothes.distances(some, first) < self.settings.clothing_distance
        return (apart < self.settings.face_distance) | (by_clothes & (apart < self.settings.clothing_face_distance))

    def take_in(self, one: int, other: int) -> None:
        """Make the means of `one` those of both."""
        self.faces.take_in(one, other)
        self.clothes.take_in(one, other)


def _centres(units: F32, clusters: I64) -> _Centres:
    sizes = np.bincount(clusters[units.any(axis=1)], minlength=int(clusters.max(initial=-1)) + 1)
    means = np.zeros((len(sizes), units.shape[1]))
    np.add.at(means, clusters, units.astype(np.float64))
    means /= np.maximum(sizes, 1)[:, None]
    return _Centres(means, np.einsum("kd,kd->k", means, means), sizes)
