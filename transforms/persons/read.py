"""The faces of videos out of the run's tables: which shards have them, and one video at a time as arrays."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.identity.columns import as_matrix, usable
from transforms.identity.knn import unit
from transforms.persons.appearances import F32, I64, Appearances
from transforms.persons.screen_time import Moments, moments
from transforms.tables.item_ids import videos_of
from transforms.tables.shards import read_shard, shard_names, shard_path

CLOTHES = "clothes"
_COLUMNS = {
    "embeddings": ["face_id", "image_id", "body_id", "label", "source", "vector"],
    "faces": ["face_id", "video_id", "number", "time", "shot", "box"],
    "frames": ["video_id", "number", "time"],
    "videos": ["video_id", "seconds", "spans"],
    CLOTHES: ["face_id", "video_id", "vector"],
}


@dataclass(frozen=True, slots=True)
class Videos:
    """Videos whose rows stand in the same shards; shards: of each table, `(table, names)`."""

    video_ids: tuple[str, ...]
    shards: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True, eq=False)
class VideoRows:
    """What the tables have of one video.

    meta: its rows of `embeddings`, M, by face id; found: those of them with a usable vector, N, in that order; rows
    (N,): their places in meta; moments: of its sampled frames.
    """

    video_id: str
    meta: pa.Table
    found: Appearances
    rows: I64
    moments: Moments


def tables(with_clothes: bool) -> tuple[str, ...]:
    """The tables that are read."""
    return tuple(name for name in _COLUMNS if with_clothes or name != CLOTHES)


def videos_with_faces(run: str, with_clothes: bool) -> Iterator[Videos]:
    """All videos that have a row in `embeddings`, together where they stand in the same shards; by id."""
    names = tables(with_clothes)
    where: dict[str, dict[str, list[str]]] = {table: defaultdict(list) for table in names}
    for table in names:
        for shard in shard_names(run, table):
            key = "image_id" if table == "embeddings" else "video_id"
            ids = read_shard(shard_path(run, table, shard), [key])[key]
            for video in pc.unique(videos_of(ids) if table == "embeddings" else ids).to_pylist():
                where[table][video].append(shard)
    together: dict[tuple[tuple[str, tuple[str, ...]], ...], list[str]] = defaultdict(list)
    for video in sorted(where["embeddings"]):
        together[tuple((table, tuple(where[table].get(video, ()))) for table in names)].append(video)
    for shards, ids in together.items():
        yield Videos(tuple(ids), shards)


def read_videos(run: str, videos: Videos) -> Iterator[VideoRows]:
    """The rows of each of these videos.

    ValueError if a table lacks what another has, or has a face twice: they are of different states of the run.
    """
    parts = {table: _read(run, table, names) for table, names in videos.shards if names}
    for table in ("faces", "frames", "videos"):
        if table not in parts:
            raise _unlike(run, table, videos.video_ids[0])
    parts["embeddings"] = parts["embeddings"].append_column("video_id", videos_of(parts["embeddings"]["image_id"]))
    for video in videos.video_ids:
        own = {table: part.filter(pc.equal(part["video_id"], video)) for table, part in parts.items()}
        yield _rows(run, video, own)


def _read(run: str, table: str, names: tuple[str, ...]) -> pa.Table:
    shards = (read_shard(shard_path(run, table, name), _COLUMNS[table]) for name in names)
    return pa.concat_tables([shard.replace_schema_metadata() for shard in shards])


def _unlike(run: str, table: str, video: str) -> ValueError:
    return ValueError(
        f"{run}: the table {table} has not what embeddings has of the video {video}; "
        f"delete the folders {table} and embeddings and run again."
    )


def _rows(run: str, video: str, own: Mapping[str, pa.Table]) -> VideoRows:
    meta = own["embeddings"].sort_by("face_id")
    if pc.count_distinct(meta["face_id"]).as_py() < len(meta):
        raise ValueError(f"{run}: embeddings has a face of the video {video} twice; delete the folder and run again.")
    vectors = as_matrix(meta["vector"])
    rows = np.flatnonzero(usable(vectors))
    face_ids = meta["face_id"].take(pa.array(rows)).combine_chunks()
    place = pc.index_in(face_ids, value_set=own["faces"]["face_id"].combine_chunks())
    if place.null_count:
        raise _unlike(run, "faces", video)
    faces, frames = own["faces"].take(place), own["frames"].sort_by("number")
    if not pc.all(pc.is_in(faces["number"], value_set=frames["number"].combine_chunks()), min_count=0).as_py():
        raise _unlike(run, "frames", video)
    found = Appearances(
        tuple(face_ids.to_pylist()),
        faces["number"].to_numpy(),
        faces["time"].to_numpy(),
        faces["shot"].fill_null(-1).to_numpy().astype(np.int64),
        faces["box"].combine_chunks().flatten().to_numpy().reshape(-1, 4),
        unit(vectors[rows]),
        _clothes(own.get(CLOTHES), face_ids),
    )
    if not len(own["videos"]):
        raise _unlike(run, "videos", video)
    (seconds,), (listed,) = (own["videos"][name].slice(0, 1).to_pylist() for name in ("seconds", "spans"))
    sampled = moments(frames["number"].to_numpy(), frames["time"].to_numpy(), seconds, listed)
    return VideoRows(video, meta, found, rows, sampled)


def _clothes(table: pa.Table | None, face_ids: pa.Array) -> F32:
    """(N,C) the unit vectors of the clothes under each face; zero for those that have none."""
    if table is None or not len(table):
        return np.zeros((len(face_ids), 1), np.float32)
    vectors = unit(as_matrix(table["vector"]))
    place = pc.index_in(face_ids, value_set=table["face_id"].combine_chunks())
    clothes = np.zeros((len(face_ids), vectors.shape[1]), np.float32)
    clothes[place.is_valid().to_numpy(zero_copy_only=False)] = vectors[place.drop_null().to_numpy()]
    return clothes
