"""What is wrong with a grouping: identities of several people, people in several identities, people that were lost."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from transforms.evaluation.contingency import contingency
from transforms.evaluation.labelled_faces import LabelledFaces

I64 = npt.NDArray[np.int64]

MERGED, SPLIT, LOST = "merged", "split", "lost"


@dataclass(frozen=True, slots=True)
class Mistake:
    """A group that is not as it should be.

    group: the number of a MERGED identity, else the place of a person; faces: labelled ones in it. parts: what it
    consists of and how many faces each has, most first: people (places) of MERGED, identities (numbers) of SPLIT.
    wrong_pairs: pairs of its faces that are in different parts; of LOST all its pairs, which were not found.
    """

    kind: str
    group: int
    faces: int
    parts: tuple[tuple[int, int], ...]
    wrong_pairs: int


def mistakes(faces: LabelledFaces) -> list[Mistake]:
    """All mistakes of the identities, of each kind the worst first: merged, then split, then lost."""
    kept = faces.identity >= 0
    person, identity = faces.person[kept], faces.identity[kept]
    return [
        *_mixed(MERGED, identity, person),
        *_mixed(SPLIT, person, identity),
        *_lost(faces.person, np.setdiff1d(faces.person, person)),
    ]


def _mixed(kind: str, groups: I64, others: I64) -> Iterator[Mistake]:
    """Of the groups (N,) those with several of the others (N,), most pairs of different ones first."""
    table = contingency(groups, others)
    of_group, of_other = np.unique(groups), np.unique(others)
    right = np.bincount(table.row, weights=_pairs(table.count), minlength=len(of_group)).astype(np.int64)
    wrong = _pairs(table.row_sizes) - right
    first = np.searchsorted(table.row, np.arange(len(of_group) + 1))
    for place in np.lexsort((of_group, -wrong))[: np.count_nonzero(wrong)]:
        own = slice(first[place], first[place + 1])
        count, other = table.count[own], of_other[table.column[own]]
        order = np.lexsort((other, -count))
        parts = tuple(zip(other[order].tolist(), count[order].tolist(), strict=True))
        yield Mistake(kind, int(of_group[place]), int(table.row_sizes[place]), parts, int(wrong[place]))


def _lost(person: I64, lost: I64) -> Iterator[Mistake]:
    """The people of whose faces none is in an identity, those with most faces first."""
    count = np.bincount(person, minlength=int(lost.max(initial=-1)) + 1)[lost]
    for place in np.lexsort((lost, -count)):
        faces = int(count[place])
        yield Mistake(LOST, int(lost[place]), faces, (), faces * (faces - 1) // 2)


def _pairs(sizes: I64) -> I64:
    return sizes * (sizes - 1) // 2
