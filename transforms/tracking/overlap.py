"""How much two tracks are in the same place at the same time, and which tracks of a video show what another one shows.

The overlap is the spatio-temporal IoU: the areas that two tracks share, added up over time, divided by the areas that
either has, added up likewise. Its instants are all times at which one of the two was found. A track exists from its
first time to its last, and between two of them its box is interpolated; outside it has no box, and the area of the
other one counts in full. So the overlap is symmetric, 1 for a track and itself, and 0 for two that never meet.

TrackVerse's rule (extract_tracks.py) takes the instants of the first track only, and of the second one the box of the
nearest time: a second track that lives much longer costs nothing there, and the order of two tracks changes the result.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from model_handlers.interface import Array
from transforms.tracking.box_path import boxes_at


@dataclass(frozen=True, slots=True, eq=False)
class TrackPath:
    """Where a track of a video was found: `times` (N,) seconds, ascending, `boxes` (N,4) pixels; and its rank."""

    track_id: str
    times: Array
    boxes: Array
    class_score: float

    @property
    def rank(self) -> tuple[float, float, str]:
        """Of two tracks that show the same the one of the lower rank stays: longer, surer of its class, by its id."""
        return float(self.times[0] - self.times[-1]), -self.class_score, self.track_id


def track_overlap(times: Array, boxes: Array, other_times: Array, other_boxes: Array) -> float:
    """The spatio-temporal IoU of two tracks of a video, 0 to 1; 0 too where neither has an area.

    `times` (N,) seconds, ascending, with `boxes` (N,4); the other's are (M,) and (M,4).
    """
    if times[0] > other_times[-1] or times[-1] < other_times[0]:
        return 0.0
    instants = np.union1d(times, other_times)
    one, other = _while_it_exists(times, boxes, instants), _while_it_exists(other_times, other_boxes, instants)
    shared = _areas(np.hstack([np.maximum(one[:, :2], other[:, :2]), np.minimum(one[:, 2:], other[:, 2:])])).sum()
    either = _areas(one).sum() + _areas(other).sum() - shared
    return float(shared / either) if either > 0 else 0.0


def _while_it_exists(times: Array, boxes: Array, instants: Array) -> Array:
    """The track's box (M,4) at each instant; one without an area before its first time and after its last."""
    found = boxes_at(times, boxes, instants)
    found[(instants < times[0]) | (instants > times[-1])] = 0
    return found


def _areas(boxes: Array) -> Array:
    return np.asarray(np.prod(np.maximum(boxes[:, 2:] - boxes[:, :2], 0), axis=1))


def duplicates(tracks: Sequence[TrackPath], max_overlap: float) -> dict[str, str]:
    """The tracks of a video that show what another one shows: the id of each, and of the one that stays for it.

    Two tracks show the same if their overlap is above `max_overlap`. Taken by rank, a track goes if one that stays
    shows the same; so whatever goes has its like among those that stay. The order of `tracks` is of no account.
    """
    near: dict[int, list[int]] = {}
    for one, other in _near(tracks):
        near.setdefault(one, []).append(other)
        near.setdefault(other, []).append(one)
    stays_for: dict[int, int | None] = {}
    for number in sorted(near, key=lambda number: tracks[number].rank):
        stay = [other for other in near[number] if other in stays_for and stays_for[other] is None]
        stay.sort(key=lambda other: tracks[other].rank)
        alike = (other for other in stay if _overlap(tracks[number], tracks[other]) > max_overlap)
        stays_for[number] = next(alike, None)
    return {tracks[one].track_id: tracks[other].track_id for one, other in stays_for.items() if other is not None}


def _overlap(one: TrackPath, other: TrackPath) -> float:
    return track_overlap(one.times, one.boxes, other.times, other.boxes)


def _near(tracks: Sequence[TrackPath]) -> Iterator[tuple[int, int]]:
    """The pairs of tracks that live at one time and whose boxes, over all their lives, have a place in common.

    By their beginnings: each is compared with those that are still there, all of them in one step.
    """
    begins = np.array([track.times[0] for track in tracks], np.float64)
    ends = np.array([track.times[-1] for track in tracks], np.float64)
    extents = np.array([_extent(track.boxes) for track in tracks], np.float64).reshape(-1, 4)
    there = np.empty(0, np.int64)
    for number in np.argsort(begins, kind="stable").tolist():
        there = there[ends[there] >= begins[number]]
        others, own = extents[there], extents[number]
        meet = (others[:, :2] < own[2:]).all(axis=1) & (own[:2] < others[:, 2:]).all(axis=1)
        for other in there[meet].tolist():
            yield other, number
        there = np.append(there, number)


def _extent(boxes: Array) -> Array:
    return np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)])
