"""Follows objects through the frames of a sequence (Y. Zhang et al., ByteTrack, 2022).

In each frame the detections of a high score are matched with all tracks, those out of sight too; then those of a low
score, which are often objects half hidden, with the tracks in sight that have none yet. A track begins with a detection
of a high score, and is one when the next frame shows it again (in the first frame: at once).

Classes take no part: a detector calls the same object a car in one frame and a truck in the next, and a track's class
is decided from all of its frames.
"""

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from model_handlers.interface import Array
from transforms.tracking import kalman
from transforms.tracking.association import cheapest_pairs, cosine_costs, overlaps, score_fused_costs
from transforms.tracking.tracker_settings import TrackerSettings

REFERENCE_RATE = 16.0  # frames a second that the reference looks at


@dataclass(frozen=True, slots=True, eq=False)
class FrameObjects:
    """What was found in one frame.

    boxes (N,4) x1,y1,x2,y2 in pixels; scores (N,) 0 to 1; features (N,D), how each looks,
    of unit length, or None; those of a low score are not looked at.
    """

    boxes: Array
    scores: Array
    features: Array | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Followed:
    """One object through the frames of a sequence: T frames in which it was found.

    frames (T,) int64 places of the frames in the sequence, ascending; rows (T,) int64 which of each frame's objects it
    is there.
    """

    frames: Array
    rows: Array


def follow(
    frames: Iterable[FrameObjects], settings: TrackerSettings, frame_rate: float = REFERENCE_RATE
) -> Iterator[Followed]:
    """The tracks of a sequence, each once it has ended: no more is held than those that go on.

    Every frame that was looked at is given, those in which nothing was found too, at `frame_rate` of them a second.
    Boxes without an area are in no track. A track's first detections are part of it, and its history stays with it when
    it is found again. The order of the objects in a frame makes no difference.

    Raises ValueError for boxes or scores that are no numbers, scores that are not 0 to 1, and shapes that disagree.
    """
    lost_frames = settings.lost_frames(frame_rate)
    live = _Live()
    for place, found in enumerate(frames):
        _check(found, place)
        usable = _by_score(found, settings.low_score)
        yield from live.step(place, found, usable, settings, lost_frames)
    yield from live.ended(live.confirmed, settings)


@dataclass(slots=True, eq=False)
class _Path:
    """Where a track was found until now; arrays of numbers, since a track may go on for hours."""

    frames: "array[int]" = field(default_factory=lambda: array("q"))
    rows: "array[int]" = field(default_factory=lambda: array("q"))

    def add(self, frame: int, row: int) -> None:
        self.frames.append(frame)
        self.rows.append(row)

    def followed(self) -> Followed:
        return Followed(np.array(self.frames, dtype=np.int64), np.array(self.rows, dtype=np.int64))


@dataclass(slots=True, eq=False)
class _Live:
    """The N tracks that go on, oldest first, a row of each array a track."""

    states: Array = field(default_factory=lambda: np.zeros((5, 0, 4)))
    last: Array = field(default_factory=lambda: np.zeros(0, dtype=np.int64))  # frame in which it was last found
    confirmed: Array = field(default_factory=lambda: np.zeros(0, dtype=bool))  # found more than once
    total: Array = field(default_factory=lambda: np.zeros(0))  # sum of its scores
    features: Array | None = None  # (N,D)
    paths: list[_Path] = field(default_factory=list)

    def step(
        self, place: int, found: FrameObjects, usable: Array, settings: TrackerSettings, lost_frames: int
    ) -> Iterator[Followed]:
        """Go on by one frame, of whose objects the `usable` rows are looked at; the tracks that end with it."""
        boxes, scores = found.boxes[usable].astype(np.float64), found.scores[usable]
        high, new = np.searchsorted(-scores, [-settings.high_score, -settings.new_score], side="right")
        features = self._features(place, found, usable, settings)
        in_sight = self.last == place - 1
        self.states[kalman.VELOCITY, ~in_sight, kalman.HEIGHT] = 0
        kalman.predict(self.states)

        owner = self._matched(boxes, scores, features, in_sight, int(high), settings)
        seen = np.nonzero(owner >= 0)[0]
        tracks = owner[seen]
        measured = kalman.measured(boxes)
        self.states[:, tracks] = kalman.corrected(self.states[:, tracks], measured[seen])
        self.last[tracks] = place
        self.confirmed[tracks] = True
        self.total[tracks] += scores[seen]
        self._remember(tracks, features, seen, int(high), settings.feature_memory)
        for track, row in zip(tracks.tolist(), usable[seen].tolist(), strict=True):
            self.paths[track].add(place, row)

        missing = place - self.last
        over = np.where(self.confirmed, missing > lost_frames, missing > 0) | self._duplicates(place, settings)
        if over.any():
            yield from self.ended(over & self.confirmed, settings)
            self._keep(~over)
        self._begin(place, usable, measured, scores, features, np.nonzero(owner[:new] < 0)[0])

    def ended(self, over: Array, settings: TrackerSettings) -> Iterator[Followed]:
        """What became of these tracks (N,), those that are surely an object."""
        for track in np.nonzero(over)[0].tolist():
            path = self.paths[track]
            if self.total[track] >= settings.mean_score * len(path.frames):
                yield path.followed()

    def _features(self, place: int, found: FrameObjects, usable: Array, settings: TrackerSettings) -> Array | None:
        if not settings.appearance_weight or not usable.size:
            return None
        if (self.paths or self.features is not None) and (found.features is None) != (self.features is None):
            raise ValueError(f"frame {place}: features must be given in all frames or in none")
        return None if found.features is None else found.features[usable].astype(np.float64)

    def _matched(
        self,
        boxes: Array,
        scores: Array,
        features: Array | None,
        in_sight: Array,
        high: int,
        settings: TrackerSettings,
    ) -> Array:
        """(M,) whose each detection is, -1: nobody's. The first `high` are those of a high score."""
        owner = np.full(len(boxes), -1, dtype=np.int64)
        overlap = overlaps(kalman.boxes_of(self.states), boxes)
        fused = score_fused_costs(overlap[:, :high], scores[:high])

        known = np.nonzero(self.confirmed)[0]
        costs, limit = fused[known], settings.max_cost
        if features is not None and self.features is not None:
            weight = settings.appearance_weight
            looks = cosine_costs(self.features[known], features[:high])
            costs, limit = (1 - weight) * costs + weight * looks, settings.max_mixed_cost
        rows, columns = cheapest_pairs(costs, limit)
        owner[columns] = known[rows]

        waiting = self.confirmed & in_sight
        waiting[known[rows]] = False
        waiting_tracks = np.nonzero(waiting)[0]
        rows, columns = cheapest_pairs(1 - overlap[waiting_tracks, high:], settings.max_low_cost)
        owner[columns + high] = waiting_tracks[rows]

        fresh = np.nonzero(~self.confirmed)[0]
        free = np.nonzero(owner[:high] < 0)[0]
        rows, columns = cheapest_pairs(fused[np.ix_(fresh, free)], settings.max_unconfirmed_cost)
        owner[free[columns]] = fresh[rows]
        return owner

    def _remember(self, tracks: Array, features: Array | None, seen: Array, high: int, memory: float) -> None:
        """Average in how the tracks look now, those of a high score: what is half hidden looks like what hides it."""
        if features is None or self.features is None:
            return
        clear = seen < high
        mixed = memory * self.features[tracks[clear]] + (1 - memory) * features[seen[clear]]
        self.features[tracks[clear]] = mixed / np.maximum(np.linalg.norm(mixed, axis=1, keepdims=True), 1e-12)

    def _duplicates(self, place: int, settings: TrackerSettings) -> Array:
        """(N,) the shorter of each pair, one in sight and one out of sight, that are at the same place."""
        over = np.zeros(len(self.last), dtype=bool)
        in_sight = self.last == place
        lost = np.nonzero(self.confirmed & ~in_sight)[0]
        if not lost.size or settings.max_duplicate_overlap == 1:
            return over
        seen = np.nonzero(self.confirmed & in_sight)[0]
        boxes = kalman.boxes_of(self.states)
        same = np.argwhere(overlaps(boxes[seen], boxes[lost]) > settings.max_duplicate_overlap)
        for one, other in same.tolist():
            shorter = min(seen[one], lost[other], key=lambda track: self.last[track] - self.paths[track].frames[0])
            over[shorter] = True
        return over

    def _keep(self, staying: Array) -> None:
        self.states = self.states[:, staying]
        self.last = self.last[staying]
        self.confirmed = self.confirmed[staying]
        self.total = self.total[staying]
        self.features = None if self.features is None else self.features[staying]
        self.paths = [self.paths[track] for track in np.nonzero(staying)[0].tolist()]

    def _begin(
        self, place: int, usable: Array, measured: Array, scores: Array, features: Array | None, chosen: Array
    ) -> None:
        if not chosen.size:
            return
        self.states = np.concatenate([self.states, kalman.started(measured[chosen])], axis=1)
        self.last = np.append(self.last, np.full(len(chosen), place))
        self.confirmed = np.append(self.confirmed, np.full(len(chosen), place == 0))
        self.total = np.append(self.total, scores[chosen])
        if features is not None:
            new = features[chosen]
            self.features = new if self.features is None else np.concatenate([self.features, new])
        for row in usable[chosen].tolist():
            self.paths.append(_Path())
            self.paths[-1].add(place, row)


def _check(found: FrameObjects, place: int) -> None:
    count = len(found.scores)
    if found.boxes.shape != (count, 4) or found.scores.shape != (count,):
        raise ValueError(
            f"frame {place}: boxes {found.boxes.shape} and scores {found.scores.shape} are not (N,4), (N,)"
        )
    if not np.isfinite(found.boxes).all():
        raise ValueError(f"frame {place}: a box is not finite")
    if found.features is not None and (found.features.ndim != 2 or len(found.features) != count):
        raise ValueError(f"frame {place}: features {found.features.shape} are not (N,D)")
    if not ((found.scores >= 0) & (found.scores <= 1)).all():  # false for NaN
        raise ValueError(f"frame {place}: a score is not 0 to 1")


def _by_score(found: FrameObjects, low: float) -> Array:
    """The rows that are looked at by falling score, then by box: the same ones in whatever order they came."""
    x1, y1, x2, y2 = found.boxes.T
    rows = np.nonzero((found.scores > low) & (x2 > x1) & (y2 > y1))[0]
    return rows[np.lexsort((*found.boxes[rows].T, -found.scores[rows]))]
