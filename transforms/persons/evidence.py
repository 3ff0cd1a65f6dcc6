"""What a film shows by itself of who is who: faces of one frame are apart, an unbroken track is together."""

from collections.abc import Iterator

import numpy as np

from transforms.identity.average_linkage import in_order, members
from transforms.identity.clustering import connected
from transforms.identity.knn import edges_of
from transforms.identity.tracks import Follow, InFrames, Pairs, followed
from transforms.persons.appearances import F32, I64, Appearances
from transforms.persons.settings import EvidenceSettings
from transforms.tracking.association import overlaps

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
    for rows in members(found.frame) if settings.frames else ():
        yield from _found_twice(found.box, rows, settings.same_face_overlap)
    if settings.tracks:
        seen = InFrames(np.zeros_like(found.frame), found.frame, found.time, found.shot, found.box)
        cosine = 1 - settings.track_face_distance**2 / 2  # of two unit vectors so far apart
        yield from followed(seen, found.faces, Follow(settings.track_overlap, settings.track_seconds, cosine))


def _found_twice(box: F32, rows: I64, overlap: float) -> Iterator[Pairs]:
    for start in range(0, len(rows) if len(rows) > 1 else 0, _ROWS_AT_A_TIME):
        some = rows[start : start + _ROWS_AT_A_TIME]
        ones, others = np.nonzero(overlaps(box[some], box[rows]) > overlap)
        yield some[ones], rows[others]
