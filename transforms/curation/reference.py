"""The folder `reference`: a run's faces and videos in the folders of an earlier system for face datasets.

`raw_videos/<source label>/<video>`, `frames/<emotion>/<video>/` (each candidate's crop, and its vector as .npy),
`processed/person_0000/<emotion>/` (the candidates of a person), `final` and `metadata` as they stand in the run: every
path in those JSON files begins here. It is a folder of its own, since `frames` of a run is a table.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pyarrow as pa
from apache_beam.io.filesystems import FileSystems

from transforms.curation.columns import iter_dicts
from transforms.curation.metadata import FOLDER as METADATA
from transforms.curation.metadata import NAMES, UNKNOWN, face_file, face_folder, person_name
from transforms.tables.files import commit_file, delete_files, link_file
from transforms.tables.item_ids import safe_id
from transforms.tables.pointers import RowReader, locate
from transforms.tables.shards import iter_tables
from transforms.videos.library import file_path

FOLDER = "reference"
TABLES = ("videos", "embeddings")  # what it is made of, beside what the selection reads
_OWN = ["face_id", "video_id", "number", "emotion", "identity", "shard", "row"]
_LINKS = 1000  # files in one piece of work


@dataclass(frozen=True, slots=True)
class Work:
    """Files to write, of one shard: `column` of the rows of a table, or links to files of the run.

    files: the number of a row, or a file's path below the run, and the paths below `reference` that it becomes.
    """

    table: str | None
    column: str
    shard: str
    files: tuple[tuple[Any, tuple[str, ...]], ...]


def plan_reference(run: str, candidates: pa.Table, chosen: list[str]) -> list[Work]:
    """All that is to be written; `candidates` as `read_candidates` gives them, `chosen` the run's files in `final`.

    What stands in the folder and is no part of it is deleted, and the JSON files are up to date afterwards.
    """
    work = [*_crops(candidates), *_vectors(run, candidates), *_links(run, chosen)]
    keep = {path for piece in work for _, paths in piece.files for path in paths}
    top = f"{str(FileSystems.join(run, FOLDER)).rstrip('/')}/"
    found = FileSystems.match([f"{top}**"])[0].metadata_list
    delete_files([one.path for one in found if one.path.removeprefix(top) not in keep])
    for name in NAMES:
        link_file(file_path(run, f"{METADATA}/{name}"), _path(run, f"{METADATA}/{name}"))
    return work


def write_work(work: Work, run: str) -> int:
    """Write the files of one piece of work; returns their number."""
    if work.table is None:
        for source, paths in work.files:
            _give_names(run, file_path(run, source), paths)
        return len(work.files)
    with RowReader(run, work.table, [work.column]) as reader:
        for row, (first, *others) in work.files:
            value = reader.read(work.shard, row)[work.column]
            with commit_file(_path(run, first)) as out:
                if isinstance(value, bytes):
                    out.write(value)
                else:
                    np.lib.format.write_array(out, np.array(value, np.float32), allow_pickle=False)
            _give_names(run, _path(run, first), others)
    return len(work.files)


def _give_names(run: str, source: str, paths: Any) -> None:
    for path in paths:
        link_file(source, _path(run, path))


def _path(run: str, name: str) -> str:
    return file_path(run, f"{FOLDER}/{name}")


def frame_path(face: dict[str, Any]) -> str:
    """Where a candidate's crop stands below `reference`: as the JSON files call it."""
    return f"frames/{face_folder(face)}/{face_file(face)}"


def person_path(face: dict[str, Any]) -> str:
    """Where it stands among those of its person."""
    folder = f"processed/{person_name(face['identity'])}/{safe_id(face['emotion'] or UNKNOWN)}"
    return f"{folder}/{safe_id(face['video_id'])}_{face_file(face)}"


def _crops(candidates: pa.Table) -> Iterator[Work]:
    ordered = candidates.select(_OWN).sort_by([("shard", "ascending"), ("row", "ascending")])
    for shard, faces in groupby(iter_dicts(ordered), key=lambda face: face["shard"]):
        files = []
        for face in faces:
            of_person = () if face["identity"] is None else (person_path(face),)
            files.append((face["row"], (frame_path(face), *of_person)))
        yield Work("faces", "crop", shard, tuple(files))


def _vectors(run: str, candidates: pa.Table) -> Iterator[Work]:
    ids = candidates["face_id"].combine_chunks() if len(candidates) else pa.array([], pa.string())
    there = locate(run, "embeddings", "face_id", ids)
    order = np.lexsort((there.row, there.shard))
    places = zip(there.shard[order].tolist(), there.row[order].tolist(), strict=True)
    faces = iter_dicts(candidates.select(_OWN).take(pa.array(order)))
    for shard, rows in groupby(zip(places, faces, strict=True), key=lambda one: one[0][0]):
        files = [(row, (str(PurePosixPath(frame_path(face)).with_suffix(".npy")),)) for (_, row), face in rows]
        yield Work("embeddings", "vector", there.names[shard], tuple(files))


def _links(run: str, chosen: list[str]) -> Iterator[Work]:
    """The videos, and what was chosen of persons."""
    files = [(name, (name,)) for name in chosen]
    for table in iter_tables(run, "videos", ["video_id", "label", "media"]):
        for video in table.to_pylist():
            folder = safe_id(video["label"] or UNKNOWN)
            name = safe_id(video["video_id"]) + PurePosixPath(video["media"]).suffix
            files.append((video["media"], (f"raw_videos/{folder}/{name}",)))
    for start in range(0, len(files), _LINKS):
        yield Work(None, "", "", tuple(files[start : start + _LINKS]))
