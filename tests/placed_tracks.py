"""Rows of `tracks` for tests: small, with every column set."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import shard_path, to_table, write_shard
from transforms.tables.track_rows import Track

SIZE = (320, 240)  # of the frames: width, height
FPS = 25


def track(
    number: int = 0,
    video_id: str = "v",
    numbers: Sequence[int] = range(10),
    boxes: Sequence[Sequence[float]] | np.ndarray = ((60, 50, 160, 150),),
    shot: int = 0,
    **changes,
) -> Track:
    """A track found in the frames `numbers`; `boxes` are one for each, or one for all."""
    numbers = list(numbers)
    count = len(numbers)
    ones = np.ones(count, np.float32)
    row = Track(
        track_id=f"{video_id}-s{shot}-t{number}",
        shot_id=f"{video_id}-s{shot}",
        video_id=video_id,
        label="street",
        source="{}",
        media=f"media/00/{video_id}.mp4",
        width=SIZE[0],
        height=SIZE[1],
        first_frame=numbers[0],
        last_frame=numbers[-1],
        start=numbers[0] / FPS,
        end=numbers[-1] / FPS,
        class_name="traffic light",
        class_score=0.75,
        numbers=numbers,
        times=[one / FPS for one in numbers],
        boxes=np.broadcast_to(np.asarray(boxes, np.float32), (count, 4)),
        scores=ones,
        objectness=ones,
        frame_classes=np.zeros(count, np.int32),
        frame_names=["traffic light"] * count,
        frame_probabilities=ones,
        top_classes=np.zeros(1, np.int32),
        top_names=["traffic light"],
        top_means=np.ones(1, np.float32),
        top_deviations=np.zeros(1, np.float32),
        top_weighted_means=np.ones(1, np.float32),
        top_weighted_deviations=np.zeros(1, np.float32),
        feature=None,
    )
    return replace(row, **changes)


def write_tracks(run: str, name: str, rows: Sequence[Track]) -> None:
    write_shard(shard_path(run, "tracks", name), to_table(rows, arrow_schema(Track)))
