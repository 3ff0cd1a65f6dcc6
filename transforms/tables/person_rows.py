"""The rows of the tables of the recipe person_clustering; see `schemas` for how a row type is declared."""

from dataclasses import dataclass

import pyarrow as pa

from transforms.tables.schemas import BOX, F32, Vector, column
from transforms.tables.video_rows import SPANS


@dataclass(frozen=True, slots=True, eq=False)
class Clothing:
    """A row of `clothes`: what the clothes under a face look like."""

    face_id: str = column(pa.string(), "key: the face")
    video_id: str = column(pa.string(), "the video")
    clothes_box: F32 = column(BOX, "where the clothes are, pixels of the frame; it may reach beyond its sides")
    vector: Vector = column(pa.list_(pa.float16()), "fixed-size list, float16, as the descriptor gives it")
    descriptor: str = column(pa.string(), "name of the model, or `colours`")


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """A row of `persons`: a person of one video, and when it is seen."""

    identity: int = column(pa.int64(), "key: its number in `identities`")
    video_id: str = column(pa.string(), "the video")
    label: str | None = column(pa.string(), "source label of the video", nullable=True)
    rank: int = column(pa.int32(), "place among the persons of its video by time on screen, from 1")
    key: bool = column(pa.bool_(), "whether it is one of the video's key persons")
    faces: int = column(pa.int64(), "faces of it")
    clusters: int = column(pa.int64(), "clusters that were merged into it")
    seconds: float = column(pa.float64(), "time on screen: the sum of its spans")
    start: float = column(pa.float64(), "when it is first seen, seconds")
    end: float = column(pa.float64(), "when it is last seen, seconds")
    spans: list[list[float]] = column(SPANS, "(S,2) when it is seen, start and end in seconds")
    face_id: str = column(pa.string(), "the face nearest to the mean of its faces")


@dataclass(frozen=True, slots=True, eq=False)
class PersonPicture:
    """A row of `person_pictures`: the picture of a face, as a file."""

    face_id: str = column(pa.string(), "key: the face")
    identity: int = column(pa.int64(), "the person")
    video_id: str = column(pa.string(), "the video")
    file: str = column(pa.string(), "path of the picture below the run's folder")
