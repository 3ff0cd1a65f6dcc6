"""How well the groups that were found agree with the true ones: the usual measures, exactly, of any number of faces."""

from dataclasses import dataclass
from math import fsum  # exact, so that neither order nor names of groups change a digit

import numpy as np

from transforms.evaluation.chance import expected_mutual_information
from transforms.evaluation.contingency import I64, Contingency, Ints, contingency


@dataclass(frozen=True, slots=True)
class PrecisionRecall:
    """Precision and recall of one way of counting, each 0 to 1."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """Their harmonic mean."""
        return _harmonic_mean(self.precision, self.recall)


@dataclass(frozen=True, slots=True)
class Information:
    """What one grouping tells about the other; 1 is all, and of ami 0 is what chance alone gives.

    nmi, ami: mutual information by the mean of both entropies, plain and adjusted for chance (Vinh, Epps and Bailey
    2010). homogeneity, completeness: how far a face's group tells who it is, and the reverse (Rosenberg and Hirschberg
    2007).
    """

    nmi: float
    ami: float
    homogeneity: float
    completeness: float

    @property
    def v_measure(self) -> float:
        """The harmonic mean of homogeneity and completeness."""
        return _harmonic_mean(self.homogeneity, self.completeness)


@dataclass(frozen=True, slots=True)
class Agreement:
    """All measures: 1 is full agreement.

    pairwise: of the pairs put together, those that belong together, and the reverse. bcubed: the same for each face and
    those in its group, then the mean of all faces (Bagga and Baldwin 1998). purity: the share of faces that are of
    their group's most frequent person. ari: the Rand index adjusted for chance (Hubert and Arabie 1985), 0 for chance.
    """

    pairwise: PrecisionRecall
    bcubed: PrecisionRecall
    purity: float
    ari: float
    information: Information


def measure(truth: Ints, found: Ints) -> Agreement:
    """Compare the groups `found` (N,) with the true ones `truth` (N,), whole numbers of which only equality counts.

    A negative `found` (noise, dropped) is a group of its own for each face: it costs recall, not precision. Where there
    is nothing to be right or wrong about (no faces, no pairs, a single group) a measure is 1. ValueError if the lengths
    differ.
    """
    table = contingency(truth, _each_alone(found))
    if table.total == 0:
        return Agreement(PrecisionRecall(1, 1), PrecisionRecall(1, 1), 1, 1, Information(1, 1, 1, 1))
    return Agreement(_pairwise(table), _bcubed(table), _purity(table), _ari(table), _information(table))


def _each_alone(found: Ints) -> Ints:
    first = int(found.max(initial=-1)) + 1
    return np.where(found < 0, first + np.arange(len(found)), found)


def _pairwise(table: Contingency) -> PrecisionRecall:
    right = _pairs(table.count)
    return PrecisionRecall(_share(right, _pairs(table.column_sizes)), _share(right, _pairs(table.row_sizes)))


def _bcubed(table: Contingency) -> PrecisionRecall:
    of_column, of_row = table.column_sizes[table.column], table.row_sizes[table.row]
    return PrecisionRecall(
        fsum(table.count * (table.count / of_column)) / table.total,
        fsum(table.count * (table.count / of_row)) / table.total,
    )


def _purity(table: Contingency) -> float:
    most = np.zeros(len(table.column_sizes), np.int64)
    np.maximum.at(most, table.column, table.count)
    return int(most.sum()) / table.total


def _ari(table: Contingency) -> float:
    """From counts of pairs, as whole numbers, which floating point could not tell apart where there are many."""
    together, rows, columns = _pairs(table.count), _pairs(table.row_sizes), _pairs(table.column_sizes)
    every = table.total * (table.total - 1) // 2
    if rows == columns == together:
        return 1.0
    by_chance = rows * columns
    return 2 * (together * every - by_chance) / ((rows + columns) * every - 2 * by_chance)


def _information(table: Contingency) -> Information:
    if table.is_same:
        return Information(1.0, 1.0, 1.0, 1.0)
    total = table.total
    of_rows, of_columns = _entropy(table.row_sizes), _entropy(table.column_sizes)
    by_chance = table.row_sizes[table.row] * (table.column_sizes[table.column] / total)
    mutual = max(0.0, fsum(table.count * np.log(table.count / by_chance)) / total)
    expected = expected_mutual_information(table.row_sizes, table.column_sizes)
    mean = (of_rows + of_columns) / 2
    return Information(
        _share(mutual, mean),
        (mutual - expected) / (mean - expected),
        _share(mutual, of_rows),
        _share(mutual, of_columns),
    )


def _entropy(sizes: I64) -> float:
    """In nats."""
    shares = sizes / sizes.sum()
    return max(0.0, -fsum(shares * np.log(shares)))


def _pairs(sizes: I64) -> int:
    return int((sizes * (sizes - 1) // 2).sum())


def _share(part: float, whole: float) -> float:
    """At most 1 whatever the rounding; 1 of nothing."""
    return min(1.0, part / whole) if whole else 1.0


def _harmonic_mean(one: float, other: float) -> float:
    return 2 * one * other / (one + other) if one + other else 0.0
