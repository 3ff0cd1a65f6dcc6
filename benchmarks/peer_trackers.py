"""ByteTrack and others by supervision, trackers and ultralytics, on the same detections; those that are installed.

Each peer is made anew for a sequence and called frame by frame, frames without detections too. They run with their own
defaults and, where they have such settings, with ours ("our settings"): the same thresholds and seconds out of sight.
"""

import importlib
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from benchmarks.track_scores import Result
from model_handlers.interface import Array
from transforms.tracking.bytetrack import FrameObjects, follow
from transforms.tracking.tracker_settings import TrackerSettings

Update = Callable[[FrameObjects], tuple[Array, Array]]  # one frame: numbers of tracks, boxes


def ours(frames: Sequence[FrameObjects], frame_rate: float, settings: TrackerSettings) -> Result:
    """What `follow` says, as rows by frame."""
    ids: list[list[int]] = [[] for _ in frames]
    rows: list[list[int]] = [[] for _ in frames]
    for number, track in enumerate(follow(frames, settings, frame_rate)):
        for frame, row in zip(track.frames.tolist(), track.rows.tolist(), strict=True):
            ids[frame].append(number)
            rows[frame].append(row)
    boxes = [found.boxes[chosen] for found, chosen in zip(frames, rows, strict=True)]
    return Result([np.array(each, np.int64) for each in ids], boxes)


def theirs(frames: Sequence[FrameObjects], update: Update) -> Result:
    """What a peer says, as rows by frame."""
    answers = [update(found) for found in frames]
    return Result([ids for ids, _ in answers], [boxes for _, boxes in answers])


def peers(settings: TrackerSettings) -> dict[str, Callable[[float], Update]]:
    """By name, what makes a peer for a sequence of so many frames a second; those that are not installed are absent."""
    found: dict[str, Callable[[float], Update]] = {}
    for module, make in (("supervision", _supervision), ("trackers", _trackers), ("ultralytics", _ultralytics)):
        try:
            importlib.import_module(module)
        except ImportError:
            print(f"benchmarks.tracking: {module} is not installed and not compared with.")
        else:
            found |= make(settings)
    return found


def _supervision(settings: TrackerSettings) -> dict[str, Callable[[float], Update]]:
    import supervision

    def made(frame_rate: float, **options: Any) -> Update:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it will go
            tracker = supervision.ByteTrack(frame_rate=frame_rate, **options)

        def update(found: FrameObjects) -> tuple[Array, Array]:
            answer = tracker.update_with_detections(_detections(found))
            return answer.tracker_id, answer.xyxy

        return update

    same = {
        "track_activation_threshold": settings.high_score,
        "lost_track_buffer": round(settings.lost_seconds * 30),
        "minimum_matching_threshold": settings.max_cost,
    }
    return {
        "supervision ByteTrack": made,
        "supervision ByteTrack, our settings": lambda frame_rate: made(frame_rate, **same),
    }


def _trackers(settings: TrackerSettings) -> dict[str, Callable[[float], Update]]:
    import trackers

    def maker(kind: Any, **options: Any) -> Callable[[float], Update]:
        def made(frame_rate: float) -> Update:
            tracker = kind(frame_rate=frame_rate, **options)

            def update(found: FrameObjects) -> tuple[Array, Array]:
                answer = tracker.update(_detections(found))
                known = answer.tracker_id >= 0
                return answer.tracker_id[known], answer.xyxy[known]

            return update

        return made

    buffer = {"lost_track_buffer": round(settings.lost_seconds * 30), "high_conf_det_threshold": settings.high_score}
    same = buffer | {"track_activation_threshold": settings.new_score}
    still = {"enable_cmc": False}  # no picture is given
    return {
        "trackers ByteTrack": maker(trackers.ByteTrackTracker),
        "trackers ByteTrack, our settings": maker(trackers.ByteTrackTracker, **same),
        "trackers OC-SORT": maker(trackers.OCSORTTracker),
        "trackers OC-SORT, our settings": maker(trackers.OCSORTTracker, **buffer),
        "trackers BoT-SORT": maker(trackers.BoTSORTTracker, **still),
        "trackers BoT-SORT, our settings": maker(trackers.BoTSORTTracker, **still, **same),
    }


def _detections(found: FrameObjects) -> Any:
    import supervision

    return supervision.Detections(
        xyxy=found.boxes.reshape(-1, 4), confidence=found.scores, class_id=np.zeros(len(found.scores), int)
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Results:
    """Detections in the form that ultralytics' trackers read."""

    xywh: Array
    conf: Array
    cls: Array

    def __getitem__(self, chosen: Array) -> "_Results":
        return _Results(self.xywh[chosen], self.conf[chosen], self.cls[chosen])

    def __len__(self) -> int:
        return len(self.conf)


def _ultralytics(settings: TrackerSettings) -> dict[str, Callable[[float], Update]]:
    from ultralytics.trackers.byte_tracker import BYTETracker

    def maker(**options: Any) -> Callable[[float], Update]:
        own = {"track_high_thresh": 0.25, "track_low_thresh": 0.1, "new_track_thresh": 0.25, "match_thresh": 0.8}
        own |= {"track_buffer": 30, "fuse_score": True, "tracker_type": "bytetrack"}

        def made(frame_rate: float) -> Update:
            chosen = own | options
            if options:
                chosen["track_buffer"] = settings.lost_frames(frame_rate)
            tracker = BYTETracker(SimpleNamespace(**chosen))

            def update(found: FrameObjects) -> tuple[Array, Array]:
                boxes = found.boxes.reshape(-1, 4)
                middle, size = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
                results = _Results(np.concatenate([middle, size], axis=1), found.scores, np.zeros(len(boxes)))
                answer = np.asarray(tracker.update(results), np.float64).reshape(-1, 8)
                return answer[:, 4].astype(np.int64), answer[:, :4]

            return update

        return made

    same = {
        "track_high_thresh": settings.high_score,
        "track_low_thresh": settings.low_score,
        "new_track_thresh": settings.new_score,
        "match_thresh": settings.max_cost,
    }
    return {"ultralytics BYTETracker": maker(), "ultralytics BYTETracker, our settings": maker(**same)}
