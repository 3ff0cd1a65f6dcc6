"""A run judged by labels: agreement before and after cleaning, coverage, and the worst mistakes."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from transforms.evaluation.agreement import Agreement, measure
from transforms.evaluation.labelled_faces import Counts, LabelledFaces
from transforms.evaluation.mistakes import Mistake, mistakes

I64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Judged:
    """One grouping against the labels.

    faces: that were compared; people: whose they are; identities: groups that they were found in; coverage: the share
    of the labelled items that reached one; coverage_of_several: the same of the faces whose person has two or more,
    since a person's only face cannot be in a group. 1 if there is no such face.
    """

    faces: int
    people: int
    identities: int
    coverage: float
    coverage_of_several: float
    agreement: Agreement


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What labels say of a run.

    before: the clusters before cleaning or merging; after: the identities; both of all labelled faces, where one that
    is in no group is alone. kept: the identities, of the faces that have one. mistakes: those of the identities.
    """

    counts: Counts
    before: Judged
    after: Judged
    kept: Judged
    mistakes: tuple[Mistake, ...]


def judge(faces: LabelledFaces) -> Evaluation:
    """Evaluate the labelled faces of a run."""
    counts, kept, person = faces.counts, faces.identity >= 0, faces.person
    before = counts.covered_before / max(counts.in_run, 1), _of_several(person, faces.cluster)
    after = counts.covered_after / max(counts.in_run, 1), _of_several(person, faces.identity)
    return Evaluation(
        counts,
        _judged(person, faces.cluster, *before),
        _judged(person, faces.identity, *after),
        _judged(person[kept], faces.identity[kept], *after),
        tuple(mistakes(faces)),
    )


def _judged(person: I64, found: I64, coverage: float, of_several: float) -> Judged:
    groups = len(np.unique(found[found >= 0]))
    return Judged(len(person), len(np.unique(person)), groups, coverage, of_several, measure(person, found))


def _of_several(person: I64, found: I64) -> float:
    several = np.bincount(person)[person] > 1
    return float((found[several] >= 0).mean()) if several.any() else 1.0
