"""What a film shows by itself of who is who: faces of one frame are apart, an unbroken track is together."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from transforms.persons.appearances import F32, I64, Appearances
from transforms.persons.hierarchy import members
from transforms.persons.settings import EvidenceSettings
from transforms.tracking.association import overlaps

Pair = tuple[int, int]
_ROWS_AT_A_TIME = 256


def together(found: Appearances, settings: EvidenceSettings) -> I64:
    """(N,) for each face the first row of those that the film shows to be the same person; itself if there are none.

    These are the faces of one track, and a face that was found twice in its frame. Two faces of different groups in one
    frame are two people.
    """
    pairs = list(_pairs(found, settings))
    if not pairs:
        return np.arange(len(found), dtype=np.int64)
    first, second = np.array(pairs, dtype=np.int64).T
    graph = coo_array((np.ones(len(first), np.int8), (first, second)), shape=(len(found), len(found)))
    group = connected_components(graph, directed=False)[1]
    _, firsts = np.unique(group, return_index=True)
    return np.asarray(firsts[group], np.int64)


def _pairs(found: Appearances, settings: EvidenceSettings) -> Iterator[Pair]:
    by_frame = members(found.frame)
    for rows in by_frame if settings.frames else ():
        yield from _found_twice(found.box, rows, settings.same_face_overlap)
    for before, after in pairwise(by_frame) if settings.tracks else ():
        if _follows(found, int(before[0]), int(after[0]), settings.track_seconds):
            for row, other in mutual_best(overlaps(found.box[before], found.box[after]), settings.track_overlap):
                yield int(before[row]), int(after[other])


def _found_twice(box: F32, rows: I64, overlap: float) -> Iterator[Pair]:
    for start in range(0, len(rows), _ROWS_AT_A_TIME):
        some = rows[start : start + _ROWS_AT_A_TIME]
        ones, others = np.nonzero(overlaps(box[some], box[rows]) > overlap)
        yield from (
            (int(some[one]), int(rows[other]))
            for one, other in zip(ones, others, strict=True)
            if some[one] < rows[other]
        )


def _follows(found: Appearances, before: int, after: int, longest: float) -> bool:
    """Whether two frames, given by a row of each, lie in one shot, which is known, and near enough."""
    one_shot = found.shot[before] >= 0 and found.shot[before] == found.shot[after]
    return bool(one_shot and found.time[after] - found.time[before] <= longest)


def mutual_best(table: F32, least: float) -> list[Pair]:
    """The places (row, column) of a table (N,M) that are the largest of their row and column, and at least `least`."""
    best, back = table.argmax(axis=1), table.argmax(axis=0)
    return [(row, int(other)) for row, other in enumerate(best) if back[other] == row and table[row, other] >= least]
