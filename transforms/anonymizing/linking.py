"""Linking what was found in the frames of a shot: which detections are of one face or plate."""

from collections.abc import Iterator, Sequence

import numpy as np

from model_handlers.interface import Array
from transforms.anonymizing.finding import Hits
from transforms.tracking.association import overlaps
from transforms.tracking.bytetrack import Followed, FrameObjects, follow
from transforms.tracking.tracker_settings import TrackerSettings

MIN_OVERLAP = 0.2  # IoU of the last box of one track and the first of another that goes on with it


def linked(frames: Sequence[Hits], times: Array, max_gap: float) -> list[Followed]:
    """Every detection in exactly one track, by first frame; one that goes with no other is a track of its own.

    times (T,) seconds of the frames, ascending; a track may be out of sight for `max_gap` seconds. Scores do not
    matter: what is good enough to be covered is good enough to be followed. A tracker forgets what it saw in one frame
    alone, so tracks and single detections are then joined where one begins as another has ended.
    """
    span = float(times[-1] - times[0]) if len(times) > 1 else 0.0
    rate = (len(times) - 1) / span if span > 0 else 1.0
    objects = (FrameObjects(hits.boxes, np.ones(len(hits.boxes))) for hits in frames)
    tracks = list(follow(objects, TrackerSettings(lost_seconds=max_gap), rate))
    tracks += _alone(frames, tracks)
    tracks.sort(key=lambda track: (int(track.frames[0]), int(track.rows[0])))
    return _joined(tracks, frames, times, max_gap)


def _alone(frames: Sequence[Hits], tracks: Sequence[Followed]) -> Iterator[Followed]:
    """Each detection that is in no track, as one."""
    taken = {pair for track in tracks for pair in zip(track.frames.tolist(), track.rows.tolist(), strict=True)}
    for place, hits in enumerate(frames):
        for row in range(len(hits.boxes)):
            if (place, row) not in taken:
                yield Followed(np.array([place]), np.array([row]))


def _joined(tracks: Sequence[Followed], frames: Sequence[Hits], times: Array, max_gap: float) -> list[Followed]:
    """The tracks, by first frame; each goes on with the one that overlaps it most of those that have ended."""
    chains: list[list[Followed]] = []
    waiting: list[list[Followed]] = []  # chains that another track may go on with
    for track in tracks:
        begin = int(track.frames[0])
        waiting = [chain for chain in waiting if times[begin] - times[chain[-1].frames[-1]] <= max_gap]
        over = [chain for chain in waiting if chain[-1].frames[-1] < begin]
        if over:
            lasts = np.stack([frames[chain[-1].frames[-1]].boxes[chain[-1].rows[-1]] for chain in over])
            alike = overlaps(lasts, frames[begin].boxes[track.rows[:1]])[:, 0]
            best = int(alike.argmax())
            if alike[best] >= MIN_OVERLAP:
                over[best].append(track)
                continue
        chains.append([track])
        waiting.append(chains[-1])
    return [
        Followed(np.concatenate([one.frames for one in chain]), np.concatenate([one.rows for one in chain]))
        for chain in chains
    ]
