"""How well clusters agree with known identities."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.integer]
Numbers = npt.NDArray[np.integer | np.floating]


@dataclass(frozen=True, slots=True)
class Agreement:
    """Precision, recall and F1 of one way of counting, each 0 to 1."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All measures: by pairs of faces, by faces (BCubed), purity, and normalised mutual information, each 0 to 1."""

    pairwise: Agreement
    bcubed: Agreement
    purity: float
    nmi: float


def evaluate(truth: Ints, found: Ints) -> Evaluation:
    """Compare the clusters `found` (N,) with the identities `truth` (N,).

    A negative `found` (noise, dropped) is a cluster of its own for each face: it costs recall, not precision.
    Pairwise: of the pairs put together, those that belong together, and the reverse; 1 where there are no such pairs.
    BCubed: Bagga and Baldwin 1998. NMI: arithmetic mean of the entropies; 1 if both sides are a single group.
    ValueError if the lengths differ.
    """
    if len(truth) != len(found):
        raise ValueError(f"{len(found)} faces have a cluster but {len(truth)} have a true identity; give both for all.")
    if len(truth) == 0:
        return Evaluation(Agreement(1.0, 1.0), Agreement(1.0, 1.0), 1.0, 1.0)
    alone = found < 0
    found = np.where(alone, found.max(initial=0) + 1 + np.arange(len(found)), found)
    both, cells = np.unique(np.stack([truth, found], axis=1), axis=0, return_counts=True)
    _, row = np.unique(both[:, 0], return_inverse=True)
    _, column = np.unique(both[:, 1], return_inverse=True)
    true_sizes, found_sizes = np.bincount(row, weights=cells), np.bincount(column, weights=cells)
    together = _pairs(cells)
    bcubed = Agreement(
        float((cells**2 / found_sizes[column]).sum() / len(truth)),
        float((cells**2 / true_sizes[row]).sum() / len(truth)),
    )
    purest = np.zeros(len(found_sizes), np.int64)
    np.maximum.at(purest, column, cells)
    return Evaluation(
        Agreement(_ratio(together, _pairs(found_sizes)), _ratio(together, _pairs(true_sizes))),
        bcubed,
        float(purest.sum() / len(truth)),
        _nmi(
            cells / len(truth), true_sizes[row] / len(truth), found_sizes[column] / len(truth), true_sizes, found_sizes
        ),
    )


def _pairs(sizes: Numbers) -> float:
    return float((sizes * (sizes - 1) / 2).sum())


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 1.0


def _nmi(joint: Numbers, truth: Numbers, found: Numbers, true_sizes: Numbers, found_sizes: Numbers) -> float:
    mean_entropy = (_entropy(true_sizes) + _entropy(found_sizes)) / 2
    information = float((joint * np.log(joint / (truth * found))).sum())
    return min(1.0, max(0.0, information / mean_entropy)) if mean_entropy else 1.0


def _entropy(sizes: Numbers) -> float:
    shares = sizes / sizes.sum()
    return float(-(shares * np.log(shares)).sum())
