"""Stage tracks: the objects of each shot -> tracks."""

from collections.abc import Iterator, Sequence
from functools import partial

import apache_beam as beam
import numpy as np

from model_handlers.interface import Array
from transforms.flow.stages import RowStage
from transforms.flow.steps import enter, leave, step
from transforms.tables.flat_lists import entries
from transforms.tables.reasons import Rejected
from transforms.tables.schemas import derived
from transforms.tables.track_rows import ShotObjects, Track
from transforms.tracking.bytetrack import REFERENCE_RATE, Followed, FrameObjects, follow
from transforms.tracking.classes import class_statistics, likeliest
from transforms.tracking.track_settings import TrackSettings


def find_tracks(settings: TrackSettings, vocabulary: tuple[str, ...]) -> RowStage:
    """The stage tracks: each object followed through its shot; `vocabulary` has the names of the detector's classes."""
    return RowStage(
        name="tracks",
        reads="objects",
        row_in=ShotObjects,
        writes="tracks",
        row_out=Track,
        transform=partial(FindTracks, settings=settings, vocabulary=vocabulary),
        settings={"tracks": settings},
        much_python=True,
    )


class FindTracks(beam.PTransform):
    """Item[ShotObjects] -> Outcome[Track]."""

    def __init__(self, run: str, settings: TrackSettings, vocabulary: tuple[str, ...]) -> None:
        super().__init__()
        self._settings, self._vocabulary = settings, vocabulary

    def expand(self, items: beam.PCollection) -> beam.PCollection:
        """Each shot by itself: a tracker knows nothing of another."""
        find = partial(track_rows, self._settings, self._vocabulary)
        return items | "Enter" >> enter() | "Track" >> step(find) | "Leave" >> leave(ShotObjects)


def track_rows(settings: TrackSettings, vocabulary: Sequence[str], shot: ShotObjects) -> tuple[Track, ...]:
    """The rows of a shot's tracks by first frame; Rejected `no_track` if none is long and large enough."""
    boxes = shot.boxes.reshape(-1, 4)
    first = np.cumsum(shot.counts) - shot.counts  # row of each frame's first object
    followed = list(follow(_frames(shot, boxes), settings.tracker, frame_rate(shot.times)))
    kept, short, small = [], 0, 0
    for one in sorted(followed, key=lambda one: (int(one.frames[0]), int(one.rows[0]))):
        if shot.times[one.frames[-1]] - shot.times[one.frames[0]] < settings.min_seconds:
            short += 1
        elif _area(boxes[first[one.frames] + one.rows], shot) < settings.min_area:
            small += 1
        else:
            kept.append(one)
    if not kept:
        detail = f"{len(followed)} tracks; {short} shorter than {settings.min_seconds:g} s"
        raise Rejected("no_track", f"{detail}, {small} with less than {settings.min_area:g} of the frame's area")
    return tuple(
        _row(shot, f"{shot.shot_id}-t{number}", one, first[one.frames] + one.rows, vocabulary)
        for number, one in enumerate(kept)
    )


def frame_rate(times: Sequence[float]) -> float:
    """Frames a second that were looked at, by the median of the time between them; REFERENCE_RATE for a single one."""
    return 1 / float(np.median(np.diff(times))) if len(times) > 1 else REFERENCE_RATE


def _frames(shot: ShotObjects, boxes: Array) -> Iterator[FrameObjects]:
    """What the tracker sees: every frame that was looked at, those without an object too."""
    ends = np.cumsum(shot.counts)
    for start, end in zip(ends - shot.counts, ends, strict=True):
        features = None if shot.features is None else shot.features[start:end].astype(np.float32)
        yield FrameObjects(boxes[start:end], shot.scores[start:end], features)


def _area(boxes: Array, shot: ShotObjects) -> float:
    sizes = boxes[:, 2:] - boxes[:, :2]
    return float(sizes.prod(axis=1).mean()) / (shot.width * shot.height)


def _row(shot: ShotObjects, track_id: str, one: Followed, rows: Array, vocabulary: Sequence[str]) -> Track:
    """The row of one track, whose objects are these `rows` (N,) of the shot's."""
    found = entries(shot.class_counts, rows)
    counts, classes, probabilities = shot.class_counts[rows], shot.classes[found], shot.probabilities[found]
    weights = np.ones(len(rows), np.float32) if shot.objectness is None else shot.objectness[rows]
    likely = class_statistics(counts, classes, probabilities, weights)
    frame_classes, frame_probabilities = likeliest(counts, classes, probabilities)
    names = [vocabulary[number] for number in likely.classes]
    times = [shot.times[place] for place in one.frames]
    numbers = [shot.numbers[place] for place in one.frames]
    return derived(
        Track,
        shot,
        track_id=track_id,
        first_frame=numbers[0],
        last_frame=numbers[-1],
        start=times[0],
        end=times[-1],
        class_name=names[0],
        class_score=float(likely.weighted_means[0]),
        numbers=numbers,
        times=times,
        boxes=shot.boxes.reshape(-1, 4)[rows],
        scores=shot.scores[rows],
        objectness=weights,
        frame_classes=frame_classes,
        frame_names=[vocabulary[number] for number in frame_classes],
        frame_probabilities=frame_probabilities,
        top_classes=likely.classes,
        top_names=names,
        top_means=likely.means,
        top_deviations=likely.deviations,
        top_weighted_means=likely.weighted_means,
        top_weighted_deviations=likely.weighted_deviations,
        feature=None if shot.features is None else mean_feature(shot.features[rows]),
    )


def mean_feature(features: Array) -> Array | None:
    """(D,) float32: the mean of unit vectors (N,D), of unit length again; None if all are zero, or cancel out."""
    mean: Array = features.astype(np.float32).mean(axis=0)
    length = float(np.linalg.norm(mean))
    return mean / length if length > 0 else None
