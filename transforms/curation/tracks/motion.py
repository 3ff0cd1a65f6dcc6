"""How much a track moves, by its boxes alone: no frame is decoded, and a camera that pans counts as motion too."""

from typing import Any

import numpy as np
import numpy.typing as npt

F32 = npt.NDArray[np.float32]
Numbers = npt.NDArray[Any]

STEP_SECONDS = 0.25  # a box that trembles by a pixel from frame to frame does not seem fast, whatever the frame rate
PERCENTILE = 0.9  # of the steps, as TrackVerse takes it of the optical flow
_LONGEST = 2**46  # nanoseconds that a track may last: 19 hours


def box_motion(times: Numbers, boxes: Numbers, counts: Numbers) -> F32:
    """The motion (N,) of each track: the 90th percentile over its time, in diagonals of its box a second.

    times (M,) seconds, ascending in a track, and boxes (M,4) x1,y1,x2,y2 of N tracks, one behind the other, counts (N,)
    rows each. A track is cut into equal steps of at least a quarter of a second, its box interpolated between the
    frames in which it was found. The motion of a step is the root mean square of what the box's four corners have
    moved (so both where it is and how large it is count), divided by the mean of the box's diagonals at its two ends
    and by its seconds. A track of one frame does not move: 0; so does one whose numbers are not finite.
    """
    moved = np.zeros(len(counts), np.float32)
    ends = np.cumsum(counts, dtype=np.int64)
    starts = ends - counts
    able = np.flatnonzero(counts > 1)
    duration = times[ends[able] - 1].astype(np.float64) - times[starts[able]]
    able = able[(duration > 0) & np.isfinite(duration)]
    if not len(able):
        return moved
    duration = times[ends[able] - 1].astype(np.float64) - times[starts[able]]
    steps = np.maximum(1, np.floor(duration / STEP_SECONDS + 1e-9)).astype(np.int64)
    span = duration / steps
    path = _boxes_at_steps(times, boxes, starts[able], counts[able], steps, span)
    speeds = _speeds(path, np.repeat(span, steps + 1))
    inner = np.ones(len(path), bool)
    inner[np.cumsum(steps + 1) - 1] = False  # the last box of a track begins no step
    moved[able] = _percentile(speeds[inner[:-1]], steps)
    return np.nan_to_num(moved, nan=0, posinf=0)


def _boxes_at_steps(
    times: Numbers, boxes: Numbers, starts: Numbers, counts: Numbers, steps: Numbers, span: Numbers
) -> Numbers:
    """The boxes (P,4) at the ends of all steps, interpolated."""
    track = np.repeat(np.arange(len(steps)), steps + 1)
    number = np.arange(len(track)) - np.repeat(np.cumsum(steps + 1) - (steps + 1), steps + 1)
    passed = number * span[track]  # seconds since the track began
    rows = np.repeat(starts - np.concatenate([[0], np.cumsum(counts)[:-1]]), counts) + np.arange(counts.sum())
    own = np.repeat(np.arange(len(counts)), counts)
    since = times[rows] - times[starts][own]
    # whole nanoseconds: which rows a place is between must not depend on how many tracks come before
    before = np.searchsorted(_key(own, since), _key(track, passed), side="right") - 1
    low = np.concatenate([[0], np.cumsum(counts)[:-1]])[track]
    before = np.clip(before, low, low + counts[track] - 2)
    gap = since[before + 1] - since[before]
    weight = np.clip((passed - since[before]) / np.where(gap > 0, gap, 1), 0, 1)[:, None]
    found = boxes[rows].astype(np.float64)
    between: Numbers = found[before] * (1 - weight) + found[before + 1] * weight
    return between


def _key(track: Numbers, seconds: Numbers) -> Numbers:
    nanoseconds = np.clip(np.rint(np.nan_to_num(seconds) * 1e9), 0, _LONGEST).astype(np.int64)
    return track.astype(np.int64) * (_LONGEST + 1) + nanoseconds


def _speeds(path: Numbers, span: Numbers) -> Numbers:
    """Diagonals a second (P-1,) from each box to the next."""
    size = path[:, 2:] - path[:, :2]
    centre = (path[:, 2:] + path[:, :2]) / 2
    moved = np.sqrt((np.diff(centre, axis=0) ** 2).sum(axis=1) + (np.diff(size, axis=0) ** 2).sum(axis=1) / 4)
    diagonal = np.hypot(size[:, 0], size[:, 1])
    speeds: Numbers = moved / np.maximum((diagonal[1:] + diagonal[:-1]) / 2, 1e-6) / span[:-1]
    return speeds


def _percentile(values: Numbers, counts: Numbers) -> Numbers:
    """The percentile (N,) of each track's values, which stand one behind the other; linear between two of them."""
    track = np.repeat(np.arange(len(counts)), counts)
    ordered = values[np.lexsort((values, track))]
    place = PERCENTILE * (counts - 1)
    low = np.floor(place).astype(np.int64)
    first = np.cumsum(counts) - counts
    lower, upper = ordered[first + low], ordered[first + np.minimum(low + 1, counts - 1)]
    found: Numbers = lower + (upper - lower) * (place - low)
    return found
