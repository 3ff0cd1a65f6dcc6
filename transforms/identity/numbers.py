"""The numbers of identities: those that were there keep theirs when faces have come in.

An identity takes the number of the one before with which it has most faces in common. Where several would take the
same number, or several numbers are had by one identity, the most common faces decide, then the smaller number, then the
earlier identity. The others get numbers that no identity of the run has had.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from transforms.identity.knn import I64


@dataclass(frozen=True, slots=True)
class Change:
    """What became of an identity; `faces` are those that it is about.

    merged: `before` is no more, and these of its faces are in `after`; split: these of its faces are in `after` now;
    new: all faces of `after`, none of which had an identity; gone: all faces that `before` had, which have none now.
    """

    kind: str
    before: int | None
    after: int | None
    faces: int


def keep_numbers(found: I64, before: I64, next_number: int) -> I64:
    """The number (K,) of each identity 0..K-1 in `found` (N,), -1 for faces without one.

    before (N,): the number that each face's identity had, -1 for none; numbers from next_number on are new.
    """
    pairs, common = _common(found, before)
    order = np.lexsort((pairs[:, 0], pairs[:, 1], -common))
    numbers = np.full(int(found.max(initial=-1)) + 1, -1, np.int64)
    taken: set[int] = set()
    for identity, number in pairs[order].tolist():
        if numbers[identity] < 0 and number not in taken:
            numbers[identity] = number
            taken.add(number)
    fresh = numbers < 0
    numbers[fresh] = np.arange(next_number, next_number + np.count_nonzero(fresh))
    return numbers


def changes(now: I64, before: I64) -> Iterator[Change]:
    """What became of identities, by numbers: of N faces those they have now, and those they had; -1 for none."""
    pairs, common = _common(now, before)
    there, sizes = np.unique(now[now >= 0], return_counts=True)
    had, had_sizes = np.unique(before[before >= 0], return_counts=True)
    numbers = set(there.tolist())
    of_others = pairs[:, 0] != pairs[:, 1]
    for (after, number), faces in zip(pairs[of_others].tolist(), common[of_others].tolist(), strict=True):
        yield Change("split" if number in numbers else "merged", number, after, faces)
    for after in np.flatnonzero(~np.isin(there, pairs[:, 0])).tolist():
        yield Change("new", None, int(there[after]), int(sizes[after]))
    for number in np.flatnonzero(~np.isin(had, pairs[:, 1])).tolist():
        yield Change("gone", int(had[number]), None, int(had_sizes[number]))


def _common(now: I64, before: I64) -> tuple[I64, I64]:
    """Pairs (P,2) of an identity of now and one of before that have faces in common, and how many (P,)."""
    both = np.stack([now, before], axis=1)[(now >= 0) & (before >= 0)]
    pairs, common = np.unique(both, axis=0, return_counts=True)
    return pairs.reshape(-1, 2), common.astype(np.int64)
