"""How pure clusters are, estimated without labels: from faces of one picture that came into one cluster."""

from dataclasses import dataclass

import numpy as np

from transforms.identity.apart import Scenes
from transforms.identity.knn import I64


@dataclass(frozen=True, slots=True)
class Estimate:
    """Pairs of faces of one picture: `wrong` of `known` are in one cluster, though they are two people.

    precision: the estimated share of right pairs among all pairs of faces in one cluster, None if no pair is known;
    at_least: what it is at least, were the pictures independent of each other: each size of clusters at 95 %.
    """

    wrong: int
    known: int
    precision: float | None
    at_least: float | None


def estimate(scenes: Scenes, labels: I64) -> Estimate:
    """The estimate for clusters (N,), -1: none, that were found without looking at the scenes.

    Each known pair has two ends. If of the E ends m are in a cluster, and all its faces were of different people, then
    of pairs put together at random m^2 / 2E would have both ends in it. If v have, the share v / (m^2 / 2E) of its
    pairs of faces is wrong. That is added up over clusters of about one size (1, 2-3, 4-7, ...), since a cluster alone
    has too few pairs, and weighed by all pairs of faces in those. For the lower limit v is the largest mean of a
    Poisson variable that is that small in 5 % of cases; where m is too small the limit is 0, and nothing is told.

    It is too low where people look like those they are pictured with (families, teams), and where pictures repeat
    somebody and are not seen to; too high where two who are taken for one are never in one picture, as those of other
    times, places or crowds, or where just the pictures that show such two are taken for such that repeat somebody.
    """
    from scipy.stats import chi2

    people = np.unique(np.stack([scenes.scene, scenes.alike[scenes.row]], axis=1), axis=0)
    _, place, counts = np.unique(people[:, 0], return_inverse=True, return_counts=True)
    ends, own = counts[place] - 1.0, labels[people[:, 1]]
    sizes = np.bincount(labels[labels >= 0], minlength=len(labels)).astype(np.float64)
    mine = np.bincount(own[own >= 0], ends[own >= 0], len(labels))
    within, together = np.unique(np.stack([people[:, 0], own], axis=1)[own >= 0], axis=0, return_counts=True)
    wrong = np.bincount(within[:, 1], together * (together - 1) / 2, len(labels))
    known, pairs = int(ends.sum()) // 2, sizes * (sizes - 1) / 2
    if not known or not pairs.any():
        return Estimate(int(wrong.sum()), known, None, None)
    size = np.log2(np.maximum(sizes, 1)).astype(np.int64)
    v, possible, all_pairs = (np.bincount(size, each) for each in (wrong, mine**2 / (2 * ends.sum()), pairs))
    shares = [
        np.divide(count, possible, out=np.full(len(v), unknown), where=possible > 0).clip(0, 1)
        for count, unknown in ((v, 0.0), (chi2.ppf(0.95, 2 * (v + 1)) / 2, 1.0))
    ]
    precision, at_least = (float(1 - share @ all_pairs / all_pairs.sum()) for share in shares)
    return Estimate(int(wrong.sum()), known, precision, max(0.0, at_least))
