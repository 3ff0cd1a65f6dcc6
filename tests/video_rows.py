"""Rows of video tables for tests that need no video: small, with every column set."""

from dataclasses import replace

import numpy as np

from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import shard_path, to_table, write_shard
from transforms.tables.video_rows import ListedVideo, VideoFace

BOX = np.array([100, 80, 260, 280], np.float32)
POINTS = np.array([(150, 150), (210, 150), (180, 190), (155, 230), (205, 230)], np.float32)


def source(video_id: str, label: str | None = None) -> ListedVideo:
    return ListedVideo(video_id, f"http://127.0.0.1/{video_id}.mp4", label, "{}", None)


def face(video_id: str = "v", number: int = 0, face_number: int = 0, **changes) -> VideoFace:
    """A face of frame `number`, which is also its place in its segment unless `sample` says another."""
    frame_id = f"{video_id}-n{number}"
    row = VideoFace(
        face_id=f"{frame_id}-f{face_number}",
        frame_id=frame_id,
        video_id=video_id,
        label=None,
        source="{}",
        media=f"media/00/{video_id}.mp4",
        number=number,
        time=number / 25,
        segment="front",
        sample=number,
        shot=None,
        box=BOX,
        score=0.9,
        landmarks=POINTS,
        crop=b"\xff\xd8" + frame_id.encode(),
        crop_bytes=100,
        side=512,
        crop_landmarks=POINTS,
        mesh=None,
        yaw=1.0,
        pitch=2.0,
        roll=3.0,
        sharpness=250.0,
        frontality=0.75,
        face_ratio=0.1,
        composite=0.5,
        emotion="happy",
        emotion_score=0.75,
        bg_hash="00000000000000ff",
    )
    return replace(row, **changes)


def write_manifest(run: str, videos: list[str], per_shard: int = 2) -> None:
    for number, start in enumerate(range(0, max(1, len(videos)), per_shard)):
        rows = [source(video) for video in videos[start : start + per_shard]]
        write_shard(shard_path(run, "manifest", f"{number:05d}"), to_table(rows, arrow_schema(ListedVideo)))


def write_faces(run: str, name: str, rows: list[VideoFace]) -> None:
    write_shard(shard_path(run, "faces", name), to_table(rows, arrow_schema(VideoFace)))
