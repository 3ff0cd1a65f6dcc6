"""COCO's JSON: whole pictures with all their bodies as persons with 17 keypoints, and their faces with 5 landmarks.

Every body and face that was found in a chosen picture is annotated, of whomever it is: a detector that learns from the
files must not take people for background. Whose they are stands beside each annotation as `identity`.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from apache_beam.io.filesystems import FileSystems

from beam_pipelines.errors import ConfigError
from beam_pipelines.exporting.chosen import IDENTITY, Chosen, chosen
from beam_pipelines.exporting.folders import numbered
from beam_pipelines.exporting.source import TRAIN, Source
from transforms.tables.files import commit_file
from transforms.tables.lookup import rows_of
from transforms.tables.shards import iter_tables, shard_names

Json = dict[str, Any]

_ROWS_AT_ONCE = 1024
MIN_VISIBILITY = 0.5  # of a keypoint; below it COCO's flag is 0, not labelled, and the point 0, 0
_BODY_POINTS = (
    *("nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder", "left_elbow"),
    *("right_elbow", "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee", "left_ankle"),
    "right_ankle",
)
_BODY_BONES = (
    *((16, 14), (14, 12), (17, 15), (15, 13), (12, 13), (6, 12), (7, 13), (6, 7), (6, 8), (7, 9), (8, 10), (9, 11)),
    *((2, 3), (1, 2), (1, 3), (2, 4), (3, 5), (4, 6), (5, 7)),
)  # pairs of points, numbered from 1, as COCO's own files have them
_FACE_POINTS = ("image_left_eye", "image_right_eye", "nose", "image_left_mouth", "image_right_mouth")


@dataclass(frozen=True, slots=True)
class _Kind:
    """What becomes annotations: the rows of a table, its points, and the file's name."""

    table: str
    key: str
    points: str
    file: str
    category: Json


_KINDS = (
    _Kind(
        *("bodies", "body_id", "keypoints", "person_keypoints"),
        {"id": 1, "name": "person", "keypoints": list(_BODY_POINTS), "skeleton": [list(bone) for bone in _BODY_BONES]},
    ),
    _Kind(
        *("faces", "face_id", "landmarks", "faces"),
        {"id": 1, "name": "face", "keypoints": list(_FACE_POINTS), "skeleton": []},
    ),
)


def write_coco(source: Source, folder: str) -> int:
    """`images/` and `annotations/person_keypoints_<split>.json`, `faces_<split>.json`; returns the pictures.

    With splits each has its pictures in a folder of its own, `<split>/images`. ConfigError for a run without whole
    pictures. Ids of pictures are in memory, and a million annotations at a time.
    """
    if source.table != "images":
        raise ConfigError(
            "--as coco: it is of whole pictures; choose --table images, which runs of videos do not have."
        )
    kinds = [kind for kind in _KINDS if shard_names(source.run, kind.table)]
    if not kinds:
        raise ConfigError("--as coco: the run has neither bodies nor faces to annotate.")
    return sum(_write_split(source, split, folder, kinds) for split in source.parts())


def _write_split(source: Source, split: str | None, folder: str, kinds: Sequence[_Kind]) -> int:
    name, place = split or TRAIN, FileSystems.join(folder, split) if split else folder
    with ExitStack() as opened:
        outs = [
            opened.enter_context(commit_file(FileSystems.join(folder, "annotations", f"{kind.file}_{name}.json")))
            for kind in kinds
        ]
        for kind, out in zip(kinds, outs, strict=True):
            out.write(
                b'{"info": {"description": "made by manyfaces"}, "licenses": [], "categories": %s, "images": '
                % _line([kind.category])
            )
        pictures = _write_pictures(source, split, place, outs)
        for kind, out in zip(kinds, outs, strict=True):
            out.write(b', "annotations": ')
            _write_list([out], _annotations(source.run, kind, pictures))
            out.write(b"}\n")
    return len(pictures)


def _write_pictures(source: Source, split: str | None, place: str, outs: Sequence[BinaryIO]) -> pa.Array:
    """Write the pictures and the lists of them; returns their ids (N,) in order. They are numbered from 1."""
    ids: list[str] = []

    def entries() -> Iterator[Json]:
        for row, name in numbered(source, split, place):
            ids.append(row[source.key])
            yield {"id": len(ids), "file_name": name, "width": row["width"], "height": row["height"]}

    _write_list(outs, entries())
    return pa.array(ids, pa.large_string())


def _annotations(run: str, kind: _Kind, pictures: pa.Array) -> Iterator[Json]:
    """All rows of a table that are in one of the pictures, whose ids (N,) are these."""
    columns = [kind.key, "image_id", "box", "score", kind.points]
    people = chosen(run, kind.key, None)
    number = 0
    for place, rows in rows_of(pictures, iter_tables(run, kind.table, columns), "image_id"):
        rows = rows.append_column("picture", pa.array(place + 1))
        rows = rows.append_column(IDENTITY, _identities(rows[kind.key], people))
        for batch in rows.to_batches(_ROWS_AT_ONCE):
            for row in batch.to_pylist():
                number += 1
                yield _annotation(kind, number, row)


def _identities(keys: pa.ChunkedArray, people: Chosen | None) -> pa.ChunkedArray:
    """The identity of each row (N,), null where it has none."""
    if people is None:
        return pa.chunked_array([pa.nulls(len(keys), pa.int64())])
    return people.identity.take(pc.index_in(keys.cast(pa.large_string()), value_set=people.keys))


def _annotation(kind: _Kind, number: int, row: Json) -> Json:
    x1, y1, x2, y2 = row["box"]
    points = np.array(row[kind.points], np.float32)
    shown = points[:, 2] >= MIN_VISIBILITY if points.shape[1] == 3 else np.ones(len(points), bool)
    flat = [value for (x, y), good in zip(points[:, :2].tolist(), shown, strict=True) for value in _point(x, y, good)]
    return {
        "id": number,
        "image_id": row["picture"],
        "category_id": kind.category["id"],
        "bbox": _short([x1, y1, x2 - x1, y2 - y1]),
        "area": round((x2 - x1) * (y2 - y1), 2),
        "iscrowd": 0,
        "keypoints": flat,
        "num_keypoints": int(shown.sum()),
        "score": round(row["score"], 4),
        kind.key: row[kind.key],
        IDENTITY: row[IDENTITY],
    }


def _point(x: float, y: float, shown: bool) -> list[float]:
    return [round(x, 2), round(y, 2), 2] if shown else [0, 0, 0]


def _short(values: Sequence[float]) -> list[float]:
    return [round(value, 2) for value in values]


def _write_list(outs: Sequence[BinaryIO], entries: Iterator[Json]) -> None:
    """Write a JSON list into each of the files, an entry a line, as the entries come."""
    between = b"["
    for entry in entries:
        for out in outs:
            out.write(between + b"\n" + _line(entry))
        between = b","
    for out in outs:
        out.write(b"[]" if between == b"[" else b"\n]")


def _line(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()
