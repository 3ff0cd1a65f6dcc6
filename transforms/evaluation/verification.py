"""Same or different: how well the similarity of two faces tells pairs of one person from pairs of two.

Everything is counted at a threshold that some pair has, never interpolated between two of them, and pairs of one
similarity are accepted together or not at all.
"""

from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
FARS = (1e-2, 1e-3, 1e-4)  # false accept rates at which the true accept rate is told
CONFIDENCE = 0.95  # of the intervals


@dataclass(frozen=True, slots=True)
class Point:
    """What a threshold does: pairs with at least that similarity are accepted, taken for one person.

    false_accepts of `different` pairs of two persons, and true_accepts of `same` pairs of one; rates are 0 to 1.
    """

    threshold: float
    false_accepts: int
    different: int
    true_accepts: int
    same: int

    @property
    def far(self) -> float:
        """The false accept rate: the share of the different pairs that is accepted."""
        return self.false_accepts / self.different

    @property
    def tar(self) -> float:
        """The true accept rate: the share of the same pairs that is accepted."""
        return self.true_accepts / self.same

    @property
    def accuracy(self) -> float:
        """The share of all pairs that is decided rightly."""
        return (self.true_accepts + self.different - self.false_accepts) / (self.different + self.same)

    @property
    def mean_error(self) -> float:
        """The mean of the rates of the two errors: different pairs accepted and same ones not."""
        return (self.far + 1 - self.tar) / 2


@dataclass(frozen=True, slots=True, eq=False)
class Roc:
    """What every threshold does, from the highest to the lowest; there are pairs of both kinds.

    threshold (S,): falling; infinity, at which no pair is accepted, then each similarity that a pair has. false_accepts
    and true_accepts (S,): how many of the `different` and `same` pairs have at least that similarity.
    """

    threshold: F64
    false_accepts: I64
    true_accepts: I64

    @property
    def different(self) -> int:
        """How many pairs of two persons there are."""
        return int(self.false_accepts[-1])

    @property
    def same(self) -> int:
        """How many pairs of one person there are."""
        return int(self.true_accepts[-1])

    def point(self, place: int) -> Point:
        """What the threshold at this place does."""
        accepts = int(self.false_accepts[place]), int(self.true_accepts[place])
        return Point(float(self.threshold[place]), accepts[0], self.different, accepts[1], self.same)


@dataclass(frozen=True, slots=True, eq=False)
class Verification:
    """All figures of some pairs; at_far: for each asked false accept rate a Point, or None where the pairs are too few.

    auc: the area under the ROC curve, 0 to 1; equal_error: where both errors are alike; best: the most accurate point.
    """

    roc: Roc
    at_far: dict[float, Point | None]
    auc: float
    equal_error: Point
    best: Point


def verification(similarity: npt.NDArray[Any], same: Bools) -> Verification:
    """All figures of pairs with these similarities (N,), of which `same` (N,) are of one person; as `roc`."""
    curve = roc(similarity, same)
    return Verification(curve, {far: at_far(curve, far) for far in FARS}, area(curve), equal_error(curve), best(curve))


def roc(similarity: npt.NDArray[Any], same: Bools) -> Roc:
    """The ROC curve of pairs with these similarities (N,), of which `same` (N,) are of one person.

    ValueError if there are no pairs of one of the two kinds, or if a similarity is not finite.
    """
    if same.all() or not same.any():
        lacking = "one person" if not same.any() else "two persons"
        raise ValueError(f"there is no pair of {lacking}; pairs of both kinds are needed.")
    values = similarity.astype(np.float64)
    if not np.isfinite(values).all():
        raise ValueError("a similarity is not finite; leave out faces whose vector has no direction.")
    order = np.argsort(-values, kind="stable")
    ordered, accepted = values[order], np.cumsum(same[order])
    last = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))  # of the pairs with one similarity
    return Roc(
        np.append(np.inf, ordered[last]),
        np.append(0, last + 1 - accepted[last]),
        np.append(0, accepted[last]),
    )


def places_at_far(curve: Roc, far: npt.NDArray[Any]) -> I64:
    """The place (K,) in the curve of the lowest threshold whose false accept rate is at most each of these (K,)."""
    return np.searchsorted(curve.false_accepts / curve.different, far, side="right") - 1


def at_far(curve: Roc, far: float) -> Point | None:
    """The point with the largest true accept rate whose false accept rate is at most `far`.

    None where there are fewer than 1/far different pairs: then a single false accept is more than that rate.
    """
    if 1 / curve.different > far:
        return None
    return curve.point(int(places_at_far(curve, np.array([far]))[0]))


def area(curve: Roc) -> float:
    """How often a same pair is more similar than a different one, equal ones counted half: the area under the curve."""
    width = np.diff(curve.false_accepts).astype(np.float64)
    height = curve.true_accepts[1:] + curve.true_accepts[:-1]
    return float(width @ height) / (2 * curve.different * curve.same)


def equal_error(curve: Roc) -> Point:
    """Where the rates of both errors are alike; the equal error rate is its `mean_error`.

    If they cross between two neighbouring thresholds, it is that with the smaller mean of both, the higher one if the
    means are equal (Maio et al. 2002, FVC2000: Fingerprint Verification Competition, section 4).
    """
    # the false accept rate less the false reject rate, as a whole number; it rises from -1 to 1 times the pairs
    excess = curve.false_accepts * curve.same - (curve.same - curve.true_accepts) * curve.different
    behind = int(np.argmax(excess >= 0))
    before = curve.point(behind - 1)
    after = curve.point(behind)
    return before if excess[behind] and before.mean_error <= after.mean_error else after


def best(curve: Roc) -> Point:
    """The most accurate point, that with the fewest false accepts if several are.

    Its threshold lies in the middle between the least similar pair that it accepts and the most similar one that it
    does not, since all between them do the same; it is infinite if it is best to accept no pair.
    """
    place = int(np.argmax(curve.true_accepts - curve.false_accepts))
    point = curve.point(place)
    if place in (0, len(curve.threshold) - 1):
        return point
    below = float(curve.threshold[place + 1])
    middle = below + (point.threshold - below) / 2
    return replace(point, threshold=middle) if middle > below else point  # no number may lie between them


def wilson(count: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share that was counted as `count` of `of`, 0 to 1.

    Wilson 1927, Probable inference, the law of succession, and statistical inference. It takes the pairs for
    independent; pairs that share faces are not quite, and the true interval is then wider.
    """
    if of == 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf(0.5 + CONFIDENCE / 2)
    share = count / of
    centre = (share + z**2 / (2 * of)) / (1 + z**2 / of)
    half = z / (1 + z**2 / of) * (share * (1 - share) / of + z**2 / (4 * of**2)) ** 0.5
    low = 0.0 if count == 0 else max(0.0, centre - half)
    return low, 1.0 if count == of else min(1.0, centre + half)
