"""The faces of each video with their clusters and persons, out of the run's tables, as pictures of them need them."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.identity.columns import as_codes
from transforms.persons.appearances import F64, I64
from transforms.persons.screen_time import Moments, moments
from transforms.tables.person_rows import Person
from transforms.tables.pointers import Pointers
from transforms.tables.shards import iter_rows, read_column, read_shard, shard_names, shard_path

_OF_FACES = ["face_id", "video_id", "number", "time"]
_OF_IDENTITIES = ["face_id", "cluster", "identity"]


@dataclass(frozen=True, slots=True, eq=False)
class Gallery:
    """The N faces of a video, by time, and its persons, by rank.

    frame (N,) numbers of their frames; time (N,) seconds; cluster (N,) before merging, -1 for a face without; person
    (N,) its place in `persons`, -1 for nobody's; crops: where their pictures stand in `faces`; seconds: of the video.
    """

    video_id: str
    label: str | None
    seconds: float
    moments: Moments
    face_id: tuple[str, ...]
    frame: I64
    time: F64
    cluster: I64
    person: I64
    crops: Pointers
    persons: tuple[Person, ...]


def read_galleries(run: str) -> Iterator[Gallery]:
    """All videos that have a face in `identities`, by id; about 150 bytes a face are in memory.

    ValueError if `faces` has not every face of `identities`: the tables are of different states of the run.
    """
    names = shard_names(run, "faces")
    faces = _by_video(_faces(run, names))
    frames = _by_video(read_column(run, "frames", ["video_id", "number", "time"]))
    videos = read_column(run, "videos", ["video_id", "label", "seconds", "spans"]).to_pylist()
    persons: dict[str, list[Person]] = {}
    for shard in shard_names(run, "persons"):
        for person in iter_rows(shard_path(run, "persons", shard), Person):
            persons.setdefault(person.video_id, []).append(person)
    for video in sorted(videos, key=lambda one: one["video_id"]):
        name = video["video_id"]
        if name in faces:
            own = sorted(persons.get(name, ()), key=lambda one: one.rank)
            yield _gallery(video, faces[name], frames[name], own, names)


def _faces(run: str, names: list[str]) -> pa.Table:
    """The faces of `identities` with what `faces` says of them, and where they stand there."""
    parts = []
    for place, name in enumerate(names):
        part = read_shard(shard_path(run, "faces", name), _OF_FACES).replace_schema_metadata()
        part = part.append_column("shard", pa.array(np.full(len(part), place, np.int32)))
        parts.append(part.append_column("row", pa.array(np.arange(len(part), dtype=np.int32))))
    found = read_column(run, "identities", _OF_IDENTITIES)
    faces = pa.concat_tables(parts)
    rows = pc.index_in(found["face_id"], value_set=faces["face_id"].combine_chunks())
    if rows.null_count:
        raise ValueError(f"{run}: faces has not every face of identities; delete the folder identities and run again.")
    faces = faces.take(rows)
    for name in ("cluster", "identity"):
        faces = faces.append_column(name, found[name])
    return faces


def _by_video(table: pa.Table) -> dict[str, pa.Table]:
    """The rows of each video, by frame and what else tells them apart."""
    keys = [name for name in ("video_id", "number", "face_id") if name in table.column_names]
    table = table.sort_by([(key, "ascending") for key in keys])
    _, first = np.unique(as_codes(table["video_id"]), return_index=True)
    bounds = [*sorted(first.tolist()), len(table)]
    return {table["video_id"][start].as_py(): table.slice(start, end - start) for start, end in pairwise(bounds)}


def _gallery(
    video: dict[str, Any], faces: pa.Table, frames: pa.Table, persons: list[Person], names: list[str]
) -> Gallery:
    place = {person.identity: number for number, person in enumerate(persons)}
    return Gallery(
        video_id=video["video_id"],
        label=video["label"],
        seconds=video["seconds"],
        moments=moments(frames["number"].to_numpy(), frames["time"].to_numpy(), video["seconds"], video["spans"]),
        face_id=tuple(faces["face_id"].to_pylist()),
        frame=faces["number"].to_numpy(),
        time=faces["time"].to_numpy(),
        cluster=as_codes(faces["cluster"]),
        person=np.array([place.get(one, -1) for one in faces["identity"].to_pylist()], np.int64),
        crops=Pointers(names, faces["shard"].to_numpy(), faces["row"].to_numpy()),
        persons=tuple(persons),
    )
