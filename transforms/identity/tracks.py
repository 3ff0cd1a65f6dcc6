"""Faces that are followed from frame to frame of a video, by where they are and by what they look like."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from transforms.identity.average_linkage import members
from transforms.identity.knn import F32, I64, unit
from transforms.tables.schemas import Vector
from transforms.tracking.association import overlaps

Pairs = tuple[I64, I64]  # rows (M,) and the rows (M,) that they are the same person as
_ROWS_AT_A_TIME = 256


@dataclass(frozen=True, slots=True, eq=False)
class InFrames:
    """Where N faces are seen.

    video (N,) equal for one video; frame (N,) its number; time (N,) seconds; shot (N,), -1 where it is not known; box
    (N,4) pixels.
    """

    video: I64
    frame: I64
    time: np.ndarray[tuple[int], np.dtype[np.floating]]
    shot: I64
    box: F32


@dataclass(frozen=True, slots=True)
class Follow:
    """When a face of one frame is followed into the next: least IoU, seconds between them at most, least cosine."""

    overlap: float
    seconds: float
    similarity: float


def followed(seen: InFrames, vectors: Vector, how: Follow) -> Iterator[Pairs]:
    """The pairs of rows that are one face in two frames that follow one another in a shot; vectors (N,D).

    Two boxes that overlap each other most are one face, unless they look unlike: over a cut that was not found, the
    next face in the same place is somebody else's.
    """
    _, frame = np.unique(np.stack([seen.video, seen.frame]), axis=1, return_inverse=True)
    for before, after in pairwise(members(frame.reshape(-1))):
        if _follows(seen, int(before[0]), int(after[0]), how.seconds):
            ones, others = mutual_best(seen.box[before], seen.box[after], how.overlap)
            yield _alike(vectors, before[ones], after[others], how.similarity)


def _follows(seen: InFrames, before: int, after: int, longest: float) -> bool:
    """Whether two frames, given by a row of each, lie in one shot, which is known, and near enough."""
    one_shot = seen.video[before] == seen.video[after] and seen.shot[before] == seen.shot[after] >= 0
    return bool(one_shot and seen.time[after] - seen.time[before] <= longest)


def _alike(vectors: Vector, before: I64, after: I64, least: float) -> Pairs:
    cosine = (unit(vectors[before]).astype(np.float64) * unit(vectors[after])).sum(axis=1)
    enough = cosine >= least - 1e-6  # equal vectors may be so little from 1
    return before[enough], after[enough]


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
