"""The share of right pairs among all pairs of faces in one identity, estimated from their similarities alone.

Two counts are told apart that no label is needed for. How many pairs of one person there are among the faces follows
from the histogram of all similarities (`two_kinds`), whatever was clustered: if identities have more pairs than that,
the rest are wrong. And how many wrong pairs average linkage makes follows from the end of different people's
distribution above the link, for groups as large as those that came out. The first is sharp where models tell people
well apart and says nothing of identities that were torn apart; the second depends on that end's shape.
"""

from dataclasses import dataclass

import numpy as np

from transforms.identity.calibration import TooLittleEvidence, check
from transforms.identity.knn import I64, unit
from transforms.identity.pair_counts import EDGES, chosen_rows, count_pairs
from transforms.identity.two_kinds import TwoKinds, fit
from transforms.tables.schemas import Vector

SAMPLE = 1024  # faces that are compared with all
FEWEST_PAIRS = 30  # in one identity, of the sample
WIDE = 0.1  # between low and high: nothing is told
_STEPS = 2000  # of similarity


@dataclass(frozen=True, slots=True)
class Precision:
    """value: the estimated share of right pairs; low, high: what the count of one person's pairs leaves open."""

    value: float
    low: float
    high: float


def estimate_precision(vectors: Vector, label: I64, link: float | None = None) -> Precision | None:
    """The estimate for vectors (N,D) of faces with the labels (N,), -1: none; None: too little to tell.

    link: the similarity of average linkage, if that found the labels. Faces without a label do not count. Told to
    three digits: the last ones depend on the machine.
    """
    own = np.flatnonzero(label >= 0)
    units, label = unit(vectors[own]), label[own]
    sizes = np.bincount(label)
    try:
        check(units)
    except TooLittleEvidence:
        return None
    counted = count_pairs(units, SAMPLE)
    # of the same sample: what is drawn of large identities then counts on both sides
    paired = float((sizes[label[chosen_rows(units, len(counted))]] - 1).mean())
    if paired * len(counted) / 2 < FEWEST_PAIRS:
        return None
    kinds = fit(counted.counts.mean(axis=0, dtype=np.float64), EDGES, counted.faces)
    low, value, high = (min(1.0, same / paired) for same in _same(kinds))
    if high - low > WIDE:
        return None
    if link is not None:
        pairs = (sizes * (sizes - 1.0)).sum() / 2
        wrong = wrong_groups(kinds, sizes[sizes > 0], counted.faces, link)
        value = float(np.clip(1 - wrong / pairs, low, high))
    return Precision(round(value, 3), round(low, 3), round(high, 3))


def _same(kinds: TwoKinds) -> tuple[float, float, float]:
    """Faces of the same person that the average face has beside it: at least, as fitted, at most.

    Where different people are as many as those of the same person below, the two cannot be told apart; so many may be
    too many or too few.
    """
    at = np.linspace(kinds.floor, 1, _STEPS)
    below = kinds.same - kinds.same_above(at)
    hidden = float(below[int(np.argmax(kinds.different_above(at) <= below))])
    return kinds.same - hidden, kinds.same, kinds.same + hidden


def wrong_groups(kinds: TwoKinds, sizes: I64, faces: int, link: float) -> float:
    """Pairs of faces of different people that average linkage is expected to put together; sizes (K,) of groups.

    Of the mean similarity of two groups of n and m faces the spread is that of single faces, times the square root of
    h(n) h(m), h(n) = r + (1 - r) / n, as in `TwoKinds.different_groups_above`.
    """
    from scipy.special import log_ndtr

    size, count = np.unique(sizes, return_counts=True)
    r = float(np.clip((kinds.same_mean - kinds.middle) / (1 - kinds.middle), 0, 1))
    h = r + (1 - r) / size
    spread = kinds.spread * np.sqrt(np.outer(h, h))
    whole = log_ndtr((kinds.middle - kinds.floor) / kinds.spread)
    # of all pairs those of different people above the floor
    share = kinds.above * (1 - kinds.share) / max(faces - 1, 1)
    above = np.minimum(1, share * np.exp(log_ndtr((kinds.middle - link) / spread) - whole))
    weight = (size * count).astype(np.float64)
    return float((np.outer(weight, weight) * above).sum() / 2)
