"""Rows of the tables of tracks for tests that need no video: small, with every column set."""

from dataclasses import replace

import numpy as np

from transforms.tables.schemas import derived
from transforms.tables.track_rows import PassedShot, ShotObjects, Track
from transforms.tables.video_rows import Video


def video(video_id: str = "v", **changes) -> Video:
    """A video of ten seconds with 25 frames a second."""
    row = Video(
        video_id=video_id,
        url=f"http://127.0.0.1/{video_id}.mp4",
        label=None,
        source="{}",
        spans=None,
        media=f"media/00/{video_id}.mp4",
        bytes=1000,
        sha256="0" * 64,
        container="mov",
        codec="h264",
        width=640,
        height=480,
        rotation=0,
        frames=250,
        seconds=10.0,
        fps=25.0,
        has_audio=False,
        origin="{}",
    )
    return replace(row, **changes)


def shot(video_id: str = "v", number: int = 0, **changes) -> PassedShot:
    """The shot of this number: two seconds, fifty frames."""
    first = 50 * number
    row = derived(
        PassedShot,
        video(video_id),
        shot_id=f"{video_id}-s{number}",
        first_frame=first,
        end_frame=first + 50,
        start=first / 25,
        end=first / 25 + 2,
        filters=[],
        filter_scores=np.empty(0, np.float32),
    )
    return replace(row, **changes)


def track(video_id: str = "v", shot_number: int = 0, number: int = 0, frames: int = 3, **changes) -> Track:
    """A track through every second frame from the shot's first on, of a cat that may be a dog."""
    first = 50 * shot_number
    numbers = list(range(first, first + 2 * frames, 2))
    corner = np.arange(frames, dtype=np.float32)[:, None] + 10 * number
    row = Track(
        track_id=f"{video_id}-s{shot_number}-t{number}",
        shot_id=f"{video_id}-s{shot_number}",
        video_id=video_id,
        label=None,
        source="{}",
        media=f"media/00/{video_id}.mp4",
        width=640,
        height=480,
        first_frame=numbers[0],
        last_frame=numbers[-1],
        start=numbers[0] / 25,
        end=numbers[-1] / 25,
        class_name="cat",
        class_score=float(np.float32(0.45)),
        numbers=numbers,
        times=[one / 25 for one in numbers],
        boxes=np.concatenate([corner, corner + 1, corner + 100.25, corner + 50.5], axis=1).astype(np.float32),
        scores=np.full(frames, 0.8, np.float32),
        objectness=np.full(frames, 0.9, np.float32),
        frame_classes=np.full(frames, 15, np.int32),
        frame_names=["cat"] * frames,
        frame_probabilities=np.full(frames, 0.5, np.float32),
        top_classes=np.array([15, 16], np.int32),
        top_names=["cat", "dog"],
        top_means=np.array([0.5, 0.2], np.float32),
        top_deviations=np.array([0.1, 0.05], np.float32),
        top_weighted_means=np.array([0.45, 0.18], np.float32),
        top_weighted_deviations=np.array([0.09, 0.04], np.float32),
        feature=None,
    )
    return replace(row, **changes)


def shot_objects(video_id: str = "v", number: int = 0, **changes) -> ShotObjects:
    """What was found in a shot of which every second frame was looked at: nothing."""
    numbers = list(range(50 * number, 50 * number + 50, 2))
    row = derived(
        ShotObjects,
        shot(video_id, number),
        numbers=numbers,
        times=[one / 25 for one in numbers],
        counts=np.zeros(len(numbers), np.int32),
        boxes=np.empty((0, 4), np.float32),
        scores=np.empty(0, np.float32),
        objectness=None,
        class_counts=np.empty(0, np.int32),
        classes=np.empty(0, np.int32),
        probabilities=np.empty(0, np.float32),
        features=None,
    )
    return replace(row, **changes)
