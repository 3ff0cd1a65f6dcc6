"""The tables of a run that the stage persons reads, written as a run of the recipe would have left them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from tests.video_rows import face, write_faces
from transforms.persons.settings import EvidenceSettings, PersonSettings
from transforms.tables.person_rows import Clothing
from transforms.tables.rows import Embedding
from transforms.tables.schemas import arrow_schema, derived
from transforms.tables.shards import shard_path, to_table, write_shard
from transforms.tables.video_rows import Frame, Video

FRAMES = 10  # of a video, one a second
ALONE = EvidenceSettings(tracks=False)
PLAIN = PersonSettings(scale="possible", similarity=0.8, min_size=2, evidence=ALONE)


@dataclass(frozen=True)
class Seen:
    """A face: its frame, its place among the frame's faces, its vector, and that of the clothes, if they were seen."""

    number: int
    place: int = 0
    vector: Sequence[float] = (1, 0, 0, 0)
    clothes: Sequence[float] | None = None
    shot: int | None = None


@dataclass(frozen=True)
class Film:
    """A video with its faces; `sampled` are the numbers of its frames, one a second."""

    video_id: str
    faces: Sequence[Seen]
    sampled: Sequence[int] = field(default_factory=lambda: range(FRAMES))
    spans: list[list[float]] | None = None


def write_film(run: str, films: Sequence[Film], name: str = "00000", without: Sequence[str] = ()) -> None:
    """A shard of each table with these films, less the tables `without`."""
    seen = [(film, one) for film in films for one in film.faces]
    rows = [
        face(film.video_id, one.number, one.place, time=float(one.number), shot=one.shot,
             box=np.array((200 * one.place, 0, 200 * one.place + 100, 100), np.float32), label="a label")
        for film, one in seen
    ]  # fmt: skip
    if "faces" not in without:
        write_faces(run, name, rows)
    vectors = {row.face_id: np.array(one.vector, np.float16) for row, (_, one) in zip(rows, seen, strict=True)}
    embeddings = [
        derived(Embedding, row, body_id=None, image_id=row.frame_id, face_score=row.score, face_px=100.0,
                vector=vectors[row.face_id], norm=1.0, model="m")
        for row in rows
    ]  # fmt: skip
    clothes = [
        Clothing(row.face_id, row.video_id, row.box, np.array(one.clothes, np.float16), "colours")
        for row, (_, one) in zip(rows, seen, strict=True)
        if one.clothes is not None
    ]
    frames = [
        Frame(f"{film.video_id}-n{number}", film.video_id, "a label", "{}", "m", number, float(number), "all", n, None,
              1000, 500)
        for film in films
        for n, number in enumerate(film.sampled)
    ]  # fmt: skip
    long = {"vector": pa.list_(pa.float16(), 4)}
    for table, some, schema in (
        ("embeddings", embeddings, arrow_schema(Embedding, **long)),
        ("clothes", clothes, arrow_schema(Clothing, vector=pa.list_(pa.float16(), 2))),
        ("frames", frames, arrow_schema(Frame)),
        ("videos", [_video(film) for film in films], arrow_schema(Video)),
    ):
        if table not in without:
            write_shard(shard_path(run, table, name), to_table(some, schema))


def _video(film: Film) -> Video:
    return Video(
        film.video_id, "u", "a label", "{}", film.spans, "m", 1, "", "mov", "h264", 1000, 500, 0, FRAMES * 25,
        float(FRAMES), 25.0, False, "{}",
    )  # fmt: skip
