"""Linking what was found in the frames of a shot: which detections are of one face or plate."""

from collections.abc import Iterator, Sequence

import numpy as np

from model_handlers.interface import Array
from transforms.anonymizing.finding import Hits
from transforms.tracking.bytetrack import Followed, FrameObjects, follow
from transforms.tracking.tracker_settings import TrackerSettings


def linked(frames: Sequence[Hits], times: Array, max_gap: float) -> list[Followed]:
    """Every detection in exactly one track, by first frame; one that no track has is a track of its own.

    times (T,) seconds of the frames; a track may be out of sight for `max_gap` seconds. Scores do not matter: what is
    good enough to be covered is good enough to be followed.
    """
    span = float(times[-1] - times[0]) if len(times) > 1 else 0.0
    rate = (len(times) - 1) / span if span > 0 else 1.0
    settings = TrackerSettings(lost_seconds=max_gap)
    objects = (FrameObjects(hits.boxes, np.ones(len(hits.boxes))) for hits in frames)
    tracks = list(follow(objects, settings, rate))
    tracks += _alone(frames, tracks)
    return sorted(tracks, key=lambda track: (int(track.frames[0]), int(track.rows[0])))


def _alone(frames: Sequence[Hits], tracks: Sequence[Followed]) -> Iterator[Followed]:
    """Each detection that is in no track, as one."""
    taken = {pair for track in tracks for pair in zip(track.frames.tolist(), track.rows.tolist(), strict=True)}
    for place, hits in enumerate(frames):
        for row in range(len(hits.boxes)):
            if (place, row) not in taken:
                yield Followed(np.array([place]), np.array([row]))
