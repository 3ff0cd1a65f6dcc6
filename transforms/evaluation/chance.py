"""The mutual information that two groupings of such sizes have by chance alone."""

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]

_PAIRS_AT_ONCE = 1 << 18
_NEGLIGIBLE = 1e-40  # of the likeliest count's probability: all beyond it together do not reach the sum's last digit


def expected_mutual_information(row_sizes: I64, column_sizes: I64) -> float:
    """The mean of the mutual information, in nats, of all groupings with these sizes (R,) and (S,), both of N things.

    Vinh, Epps and Bailey 2010, equation 24: a group of a and one of b things have n in common with the probability of
    the hypergeometric distribution. It depends on a and b alone, so that each pair of different sizes is computed
    once: of sizes that add up to N, at most sqrt(2 N) differ.
    """
    total = int(row_sizes.sum())
    a_sizes, a_counts = np.unique(row_sizes, return_counts=True)
    b_sizes, b_counts = np.unique(column_sizes, return_counts=True)
    expected = 0.0
    at_once = max(1, _PAIRS_AT_ONCE // max(1, len(b_sizes)))
    for start in range(0, len(a_sizes), at_once):
        a, b = (some.ravel() for some in np.meshgrid(a_sizes[start : start + at_once], b_sizes, indexing="ij"))
        of_pair = _pair(a, b, total).reshape(-1, len(b_sizes))
        expected += float(a_counts[start : start + at_once] @ of_pair @ b_counts)
    return expected


def _pair(a: I64, b: I64, total: int) -> F64:
    """What each pair (P,) of a group of a and one of b things adds to the mean.

    The probabilities are found from the likeliest count upwards and downwards by their ratios, and divided by their
    sum: factorials of millions would leave half of the digits.
    """
    mode = np.minimum((a + 1) * (b + 1) // (total + 2), np.minimum(a, b))
    weight, information = np.ones(len(a)), _information(mode, a, b, total)
    for step in (1, -1):
        place, n, p = np.arange(len(a)), mode, np.ones(len(a))
        while len(place):
            own_a, own_b = a[place], b[place]
            p = p * _ratio(n, own_a, own_b, total, step)
            n = n + step
            left = p > _NEGLIGIBLE
            place, n, p = place[left], n[left], p[left]
            weight[place] += p
            information[place] += p * _information(n, a[place], b[place], total)
    found: F64 = information / weight
    return found


def _information(n: I64, a: I64, b: I64, total: int) -> F64:
    """n/N log(N n / (a b)) (P,), 0 for none in common."""
    some = np.maximum(n, 1)
    found: F64 = n / total * np.log(some * total / (a * b))
    return found


def _ratio(n: I64, a: I64, b: I64, total: int, step: int) -> F64:
    """By how much likelier n + step in common are than n (P,); 0 where that many cannot be."""
    found: F64
    if step > 0:
        found = (a - n) / (n + 1) * ((b - n) / (total - a - b + n + 1))
    else:
        found = n / (a - n + 1) * ((total - a - b + n) / (b - n + 1))
    return found
