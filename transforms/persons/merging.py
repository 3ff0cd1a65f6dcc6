"""Which clusters are one person: those whose mean faces, or mean clothes, are near enough."""

from dataclasses import dataclass

import numpy as np

from transforms.persons.appearances import F32, F64, I64, Appearances
from transforms.persons.hierarchy import in_order
from transforms.persons.settings import MergingSettings


def merge(found: Appearances, clusters: I64, frame: I64, settings: MergingSettings) -> I64:
    """(N,) the clusters 0..K-1 after merging, numbered by their first rows.

    In a pass all clusters are gone through, the largest first, the one with the earlier first row among equals. Each
    takes in those behind it that are near it by then: their mean faces are less than `face_distance` apart, or their
    mean clothes less than `clothing_distance`. Its means follow at once, and what it took in is not looked at again in
    this pass. Two clusters that are seen in one `frame` (N,) are never merged; give all different ones to allow it.
    """
    for _ in range(settings.passes):
        merged = _one_pass(found, clusters, frame, settings)
        if merged.max(initial=-1) == clusters.max(initial=-1):
            break
        clusters = merged
    return clusters


def _one_pass(found: Appearances, clusters: I64, frame: I64, settings: MergingSettings) -> I64:
    count = int(clusters.max(initial=-1)) + 1
    faces, clothes = _centres(found.faces, clusters, count), _centres(found.clothes, clusters, count)
    frames: list[set[int]] = [set() for _ in range(count)]
    for cluster, number in zip(clusters.tolist(), frame.tolist(), strict=True):
        frames[cluster].add(number)
    waiting = np.argsort(-np.bincount(clusters, minlength=count), kind="stable")
    into = np.arange(count)
    while len(waiting):
        taker, waiting = int(waiting[0]), waiting[1:]
        place = 0
        while place < len(waiting):
            rest = waiting[place:]
            near = faces.distances(taker, rest) < settings.face_distance
            near |= clothes.distances(taker, rest) < settings.clothing_distance
            fits = [n for n in np.flatnonzero(near).tolist() if frames[taker].isdisjoint(frames[rest[n]])]
            if not fits:
                break
            other = int(rest[fits[0]])
            faces.take_in(taker, other)
            clothes.take_in(taker, other)
            frames[taker] |= frames[other]
            into[other] = taker
            waiting = np.delete(waiting, place + fits[0])
            place += fits[0]
    return in_order(into[clusters])


@dataclass(frozen=True, slots=True, eq=False)
class _Centres:
    """Sums (K,D) of the unit vectors of each cluster, and how many of its vectors (K,) are not zero."""

    sums: F64
    sizes: I64

    def distances(self, one: int, others: I64) -> F64:
        """(M,) from the mean of a cluster to those of others; infinite where there is none."""
        if not self.sizes[one]:
            return np.full(len(others), np.inf)
        means = self.sums[others] / np.maximum(self.sizes[others], 1)[:, None]
        apart = np.linalg.norm(means - self.sums[one] / self.sizes[one], axis=1)
        return np.where(self.sizes[others] > 0, apart, np.inf)

    def take_in(self, one: int, other: int) -> None:
        """Add the vectors of `other` to those of `one`."""
        self.sums[one] += self.sums[other]
        self.sizes[one] += self.sizes[other]


def _centres(units: F32, clusters: I64, count: int) -> _Centres:
    sums = np.zeros((count, units.shape[1]))
    np.add.at(sums, clusters, units.astype(np.float64))
    return _Centres(sums, np.bincount(clusters[units.any(axis=1)], minlength=count))
