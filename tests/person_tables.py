"""A run of the recipe person_clustering as tables alone: two videos whose faces are patches of one colour."""

from dataclasses import dataclass

import cv2
import numpy as np

from tests.video_rows import face, write_faces
from transforms.tables.person_rows import Person
from transforms.tables.rows import Identity
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import shard_path, to_table, write_shard
from transforms.tables.video_rows import Frame, Video

RED, GREEN, BLUE = (20, 20, 220), (20, 200, 20), (220, 20, 20)  # BGR
SECONDS = 10.0


@dataclass(frozen=True)
class Planted:
    """A face: its video, the second and frame in which it is, its place there, its colour, its cluster, its person."""

    video: str
    second: int
    place: int
    colour: tuple[int, int, int]
    cluster: str | None
    person: int | None

    @property
    def face_id(self) -> str:
        return f"{self.video}-n{self.second}-f{self.place}"


# of video a: two clusters of red that became person 1, green who comes and goes, one blue face of nobody, a bad vector
FACES = [
    *(Planted("a", n, 0, RED, "a-n0-f0", 1) for n in range(3)),
    *(Planted("a", n, 0, RED, "a-n3-f0", 1) for n in range(3, 5)),
    *(Planted("a", n, 1, GREEN, "a-n4-f1", 0) for n in (4, 5, 9)),
    Planted("a", 7, 0, BLUE, "a-n7-f0", None),
    Planted("a", 8, 0, BLUE, None, None),
    Planted("b", 2, 0, BLUE, "b-n2-f0", None),
]
SPANS = {1: [[0.0, 4.5]], 0: [[3.5, 5.5], [8.5, 9.5]]}


def crop(colour: tuple[int, int, int]) -> bytes:
    return cv2.imencode(".jpg", np.full((64, 64, 3), colour, np.uint8))[1].tobytes()


def person(identity: int, rank: int, face_id: str, **changes) -> Person:
    own = [one for one in FACES if one.person == identity]
    spans = SPANS[identity]
    values = {
        "identity": identity,
        "video_id": "a",
        "label": "mood",
        "rank": rank,
        "key": True,
        "faces": len(own),
        "clusters": len({one.cluster for one in own}),
        "seconds": sum(end - start for start, end in spans),
        "start": spans[0][0],
        "end": spans[-1][1],
        "spans": spans,
        "face_id": face_id,
    }
    return Person(**values | changes)


PERSONS = [person(1, 1, "a-n2-f0"), person(0, 2, "a-n9-f1")]


def video(video_id: str) -> Video:
    return Video(
        video_id, "http://127.0.0.1/v.mp4", "mood", "{}", None, f"media/00/{video_id}.mp4", 1, "0" * 64, "mov", "h264",
        640, 360, 0, 10, SECONDS, 1.0, False, "{}",
    )  # fmt: skip


def frame(video_id: str, second: int) -> Frame:
    return Frame(
        f"{video_id}-n{second}", video_id, "mood", "{}", f"media/00/{video_id}.mp4", second, float(second), "whole",
        second, 0, 640, 360,
    )  # fmt: skip


def write_tables(run: str, faces: list[Planted] = FACES, persons: list[Person] = PERSONS) -> None:
    """All tables that the stage pictures reads; the faces stand in two shards, not in order."""
    for number, name in enumerate(("00000", "r0001-faces-00000")):
        rows = [
            face(one.video, one.second, one.place, time=float(one.second), crop=crop(one.colour))
            for one in faces[::-1][number::2]
        ]
        write_faces(run, name, rows)
    identities = [
        Identity(
            one.face_id, None, f"{one.video}-n{one.second}", "mood", "{}", one.cluster, one.person,
            None if one.cluster is None else 0.9,
            "" if one.person is not None else "small_identity" if one.cluster else "bad_vector",
        )
        for one in sorted(faces, key=lambda one: one.face_id)
    ]  # fmt: skip
    videos = ("a", "b", "c")
    tables = {
        "identities": (identities, Identity),
        "persons": (persons, Person),
        "videos": ([video(name) for name in videos], Video),
        "frames": ([frame(name, second) for name in videos for second in range(10)], Frame),
    }
    for name, (rows, kind) in tables.items():
        write_shard(shard_path(run, name, "00000"), to_table(rows, arrow_schema(kind)))
