"""What a film shows by itself of who is who: faces of one frame are apart, an unbroken track is together."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from transforms.identity.average_linkage import in_order, members
from transforms.identity.clustering import connected
from transforms.identity.knn import edges_of
from transforms.persons.appearances import F32, I64, Appearances
from transforms.persons.settings import EvidenceSettings
from transforms.tracking.association import overlaps

Pairs = tuple[I64, I64]  # rows (M,) and the rows (M,) that they are the same person as
_ROWS_AT_A_TIME = 256
_PAIRS_AT_A_TIME = 1_000_000


def together(found: Appearances, settings: EvidenceSettings) -> I64:
    """(N,) groups 0..G-1 of faces that the film shows to be the same person, numbered by their first rows.

    These are the faces of one track, and a face that was found twice in its frame. Two faces of different groups in one
    frame are two people.
    """
    group, waiting, count = np.arange(len(found), dtype=np.int64), [], 0
    for pairs in _pairs(found, settings):
        waiting.append(pairs)
        count += len(pairs[0])
        if count > _PAIRS_AT_A_TIME:
            group, waiting, count = _joined(group, waiting), [], 0
    return in_order(_joined(group, waiting))


def frames_by_group(frame: I64, group: I64) -> list[set[int]]:
    """The frames (N,) in which each group 0..G-1 of rows (N,) is seen."""
    frames: list[set[int]] = [set() for _ in range(int(group.max(initial=-1)) + 1)]
    for one, number in zip(group.tolist(), frame.tolist(), strict=True):
        frames[one].add(number)
    return frames


def _joined(group: I64, pairs: list[Pairs]) -> I64:
    """(N,) the groups after all that these pairs join; their numbers mean nothing."""
    if not pairs:
        return group
    first, second = (group[np.concatenate(rows)] for rows in zip(*pairs, strict=True))
    other = first != second
    graph = edges_of(first[other], second[other], np.ones(int(other.sum()), np.float32))
    return connected(int(group.max()) + 1, graph)[group]


def _pairs(found: Appearances, settings: EvidenceSettings) -> Iterator[Pairs]:
    by_frame = members(found.frame)
    for rows in by_frame if settings.frames else ():
        yield from _found_twice(found.box, rows, settings.same_face_overlap)
    for before, after in pairwise(by_frame) if settings.tracks else ():
        if _follows(found, int(before[0]), int(after[0]), settings.track_seconds):
            ones, others = mutual_best(found.box[before], found.box[after], settings.track_overlap)
            yield _alike(found, before[ones], after[others], settings.track_face_distance)


def _found_twice(box: F32, rows: I64, overlap: float) -> Iterator[Pairs]:
    for start in range(0, len(rows) if len(rows) > 1 else 0, _ROWS_AT_A_TIME):
        some = rows[start : start + _ROWS_AT_A_TIME]
        ones, others = np.nonzero(overlaps(box[some], box[rows]) > overlap)
        yield some[ones], rows[others]


def _follows(found: Appearances, before: int, after: int, longest: float) -> bool:
    """Whether two frames, given by a row of each, lie in one shot, which is known, and near enough."""
    one_shot = found.shot[before] >= 0 and found.shot[before] == found.shot[after]
    return bool(one_shot and found.time[after] - found.time[before] <= longest)


def _alike(found: Appearances, before: I64, after: I64, most: float) -> Pairs:
    """Of pairs of rows those whose faces are no further apart: over a cut that was missed one meets another's."""
    apart = np.linalg.norm(found.faces[before] - found.faces[after], axis=1)
    return before[apart <= most], after[apart <= most]


def mutual_best(boxes: F32, others: F32, least: float) -> Pairs:
    """The places of boxes (N,4) and others (M,4), none empty, that overlap each other most, with IoU `least` or more.

    Of equally good ones the first counts.
    """
    best, overlap = _best(boxes, others)
    back, _ = _best(others, boxes)
    ones = np.flatnonzero((back[best] == np.arange(len(boxes))) & (overlap >= least))
    return ones, best[ones]


def _best(boxes: F32, others: F32) -> tuple[I64, F32]:
    """For each box the place of the other that overlaps it most, and their IoU."""
    places, most = np.empty(len(boxes), np.int64), np.empty(len(boxes), np.float32)
    for start in range(0, len(boxes), _ROWS_AT_A_TIME):
        rows = slice(start, start + _ROWS_AT_A_TIME)
        table = overlaps(boxes[rows], others)
        places[rows], most[rows] = table.argmax(axis=1), table.max(axis=1)
    return places, most
