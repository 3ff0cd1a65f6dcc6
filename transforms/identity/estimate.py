"""How pure clusters are, estimated without labels: from faces of one picture that came into one cluster."""

from dataclasses import dataclass

import numpy as np

from transforms.identity.apart import Scenes
from transforms.identity.knn import I64


@dataclass(frozen=True, slots=True)
class Estimate:
    """Pairs of faces of one picture: `wrong` of `known` are in one cluster, though they are two people.

    precision: the estimated share of right pairs among all pairs of faces in one cluster, None if no pair is known;
    at_least: what it is at least, at a confidence of 95 %, were the pictures independent of each other.
    """

    wrong: int
    known: int
    precision: float | None
    at_least: float | None


def estimate(scenes: Scenes, labels: I64) -> Estimate:
    """The estimate for clusters (N,), -1: none, that were found without looking at the scenes.

    If two people come into one cluster whether or not they are in one picture, then of all pairs of different people
    the same share is in one cluster as of the known ones: q = wrong / known. There are about T = N (N - 1) / 2 such
    pairs, since nearly all pairs are, so q T of the J pairs that are in one cluster are wrong, and the precision is
    1 - q T / J. The lower limit takes for `wrong` the largest mean of a Poisson variable that is that small in 5 % of
    cases. Where known J is not much more than T nothing can be told: a single pair of faces then moves the
    estimate from 1 to 0. It is too low where people look like those they are pictured with (families, teams), and
    where pictures have mirrors that are not seen as such; too high where wrong joins come of something that
    people of one picture do not share (a blurred video, another photographer).
    """
    from scipy.stats import chi2

    wrong, known = scenes.pairs_within(labels), scenes.pairs_within(np.zeros(len(labels), np.int64))
    sizes = np.bincount(labels[labels >= 0]).astype(np.float64)
    joined, every = float((sizes * (sizes - 1) / 2).sum()), len(labels) * (len(labels) - 1) / 2
    if not known or not joined:
        return Estimate(wrong, known, None, None)
    at_most = float(chi2.ppf(0.95, 2 * (wrong + 1))) / 2
    shares = [max(0.0, 1 - count / known * every / joined) for count in (wrong, at_most)]
    return Estimate(wrong, known, shares[0], shares[1])
