"""Pairs of different people and of the same one told apart in one histogram of similarities, without labels.

Above a floor the similarities of different people are taken for the upper end of a normal distribution, cut off at the
floor: only the end that matters is fitted, so that a distribution that is skewed as a whole, as of descriptors with a
mean of their own, does not lead astray. Those of the same person are taken for a beta distribution of (1 + cosine) / 2.
Both, and the share of each, are found together by maximum likelihood.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_OTHERS = 200  # of the average face are above the floor
_MOST_SAME = 0.3  # of those above the floor: with more, the floor is lowered until there are enough different ones
_MOST_ABOVE = 0.5  # of all pairs: below the median there is nothing to learn of the upper end
_NARROW, _WIDE = 0.15, 1.3  # times the spread below the median: the limits of the upper end's
_APART = 3.0  # spreads of different people's similarity, at least, from their middle to the same person's mean
_TINY = 1e-12


@dataclass(frozen=True, slots=True)
class TwoKinds:
    """The two kinds of pairs above `floor`, as numbers a face.

    above: other faces above the floor; share: of them the same person's. middle, spread: of the normal distribution
    whose end the different people's similarities are. a, b: of the same person's beta distribution.
    """

    floor: float
    above: float
    share: float
    middle: float
    spread: float
    a: float
    b: float

    @property
    def same(self) -> float:
        """Pictures of the same person that the average face has beside it."""
        return self.above * self.share

    @property
    def same_mean(self) -> float:
        """The mean similarity of the same person's pairs."""
        return 2 * self.a / (self.a + self.b) - 1

    def different_groups_above(self, similarity: npt.ArrayLike) -> Floats:
        """As different_above, of groups by the mean similarity of their pairs instead of single faces.

        What tells two pictures of a person apart averages out. Of n faces a person, the part r + (1 - r) / n of the
        spread of similarities stays, r being the same person's mean on the scale from different people's (0) to 1.
        """
        from scipy.special import log_ndtr

        r = float(np.clip((self.same_mean - self.middle) / (1 - self.middle), 0, 1))
        spread = self.spread * (r + (1 - r) / (1 + self.same))
        whole = log_ndtr((self.middle - self.floor) / self.spread)
        above = np.exp(log_ndtr((self.middle - _floats(similarity)) / spread) - whole)
        return np.asarray(self.above * (1 - self.share) * np.minimum(above, 1))

    def different_above(self, similarity: npt.ArrayLike) -> Floats:
        """How many different people's faces are above these similarities for the average face."""
        return self.above * (1 - self.share) * normal_end(_floats(similarity), self.floor, self.middle, self.spread)

    def same_above(self, similarity: npt.ArrayLike) -> Floats:
        """How many faces of the same person are above these similarities for the average face."""
        return self.same * beta_end(_floats(similarity), self.floor, self.a, self.b)

    def same_quantile(self, share: float) -> float:
        """The similarity below which this share of the same person's pairs above the floor lies."""
        from scipy.special import betainc, betaincinv

        low = betainc(self.a, self.b, (1 + self.floor) / 2)
        return float(2 * betaincinv(self.a, self.b, low + share * (1 - low)) - 1)


def _floats(values: npt.ArrayLike) -> Floats:
    return np.asarray(values, np.float64)


def normal_end(x: Floats, floor: float, middle: float, spread: float) -> Floats:
    """The share above x of a normal distribution that is cut off below the floor."""
    from scipy.special import log_ndtr

    whole = log_ndtr((middle - floor) / spread)
    return np.asarray(np.exp(log_ndtr((middle - np.maximum(x, floor)) / spread) - whole))


def beta_end(x: Floats, floor: float, a: float, b: float) -> Floats:
    """The share above x of a beta distribution of (1 + x) / 2 that is cut off below the floor."""
    from scipy.special import betainc

    # the complement from the other side: 1 - betainc(a, b, x) would be rounded to nothing
    end = betainc(b, a, (1 - np.maximum(x, floor).clip(-1, 1)) / 2)
    return np.asarray(end / max(float(betainc(b, a, (1 - floor) / 2)), np.finfo(np.float64).tiny))


def fit(counts: Floats, edges: Floats, faces: int, start: TwoKinds | None = None) -> TwoKinds:
    """Find both kinds in counts (B,), means over sampled faces, of similarities between edges (B+1,).

    start: an earlier fit of nearly the same counts, whose floor is taken, and which saves the search for a beginning.
    """
    spread = spread_below(counts, edges)
    if start is not None:
        return _fit_from(int(np.searchsorted(edges, start.floor - 1e-9)), counts, edges, spread, start)
    above = np.cumsum(counts[::-1])[::-1] / counts.sum()
    others, most = float(_OTHERS), _MOST_ABOVE * (faces - 1)
    while True:
        found = _fit_from(int(np.argmax(above <= min(others, most) / (faces - 1))), counts, edges, spread, None)
        # a middle far above the floor is no end of a distribution: what is above are the same person's pairs alone
        if (found.share <= _MOST_SAME and found.middle <= found.floor + found.spread) or others >= most:
            return found
        others *= 3


def spread_below(counts: Floats, edges: Floats) -> float:
    """How far the 16th percentile lies below the median, which pairs of the same person hardly reach."""
    below = np.cumsum(counts) / counts.sum()
    low, middle = (float(edges[1:][np.argmax(below >= share)]) for share in (0.1587, 0.5))
    return max(middle - low, float(edges[1] - edges[0]))


def _fit_from(at: int, counts: Floats, edges: Floats, spread: float, start: TwoKinds | None) -> TwoKinds:
    from scipy.optimize import minimize

    counts, edges = counts[at:], edges[at:]
    above = float(counts.sum())
    shares = counts / above
    beginnings = (
        [_begin(edges[0], spread, share, place) for share in (0.02, 0.3) for place in (0.3, 0.7)]
        if start is None
        else [_numbers(start, spread)]
    )
    given = (shares, edges, spread)
    found = [minimize(_surprise, one, given, "L-BFGS-B", options={"maxiter": 300}) for one in beginnings]
    middle, own, share, a, b = _read(min(found, key=lambda one: float(one.fun)).x, spread)
    return TwoKinds(float(edges[0]), above, share, middle, own, a, b)


def _odds(share: float) -> float:
    share = min(max(share, 1e-6), 1 - 1e-6)
    return float(np.log(share / (1 - share)))


def _begin(floor: float, spread: float, share: float, place: float) -> Floats:
    return np.array([floor / spread - 1, _odds(0.6), _odds(share), _odds(place), 0.0])


def _numbers(kinds: TwoKinds, spread: float) -> Floats:
    """What `_read` reads, of an earlier fit."""
    x = kinds.a / (kinds.a + kinds.b)
    mean, low = 2 * x - 1, kinds.middle + _APART * kinds.spread
    wide = 2 * np.sqrt(x * (1 - x) / (kinds.a + kinds.b + 1)) * _APART / (mean - kinds.middle)
    narrow = (kinds.spread / spread - _NARROW) / (_WIDE - _NARROW)
    place = (mean - low) / max(1 - low, _TINY)
    return np.array([kinds.middle / spread, _odds(narrow), _odds(kinds.share), _odds(place), _odds(wide)])


def _read(numbers: Floats, unit: float) -> tuple[float, float, float, float, float]:
    """middle, spread, share, a and b of five numbers without limits; unit: the spread below the median.

    The same person's mean lies at least _APART spreads above the different people's middle, and its own spread is at
    most that distance by _APART: without both the beta distribution would take over what the normal one does not fit,
    and without a limit of its spread the normal one what is the same person's.
    """
    from scipy.special import expit

    narrow, share, place, wide = (float(one) for one in expit(numbers[1:]))
    spread = unit * (_NARROW + (_WIDE - _NARROW) * narrow)
    middle = float(numbers[0]) * unit
    low = min(middle + _APART * spread, 0.999)
    mean = min(low + (1 - low) * place, 0.9999)
    x, own = (1 + mean) / 2, max((mean - middle) / _APART * wide / 2, 1e-4)
    weight = max(x * (1 - x) / own**2 - 1, 2.0)
    return middle, spread, share, x * weight, (1 - x) * weight


def _surprise(numbers: Floats, shares: Floats, edges: Floats, unit: float) -> float:
    """The negative mean log-likelihood."""
    middle, spread, share, a, b = _read(numbers, unit)
    different = -np.diff(normal_end(edges, float(edges[0]), middle, spread))
    same = -np.diff(beta_end(edges, float(edges[0]), a, b))
    return -float((shares * np.log((1 - share) * different + share * same + _TINY)).sum())
