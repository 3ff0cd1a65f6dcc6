"""The run's choices as the JSON files of earlier systems for face datasets: scores, identities, selection.

There an image is called `frames/<emotion>/<video>/frame_<number>_face_<n>.jpg`. Here a face's emotion is the one that
was read off it (`unknown` without a model), and the label of its source stands beside it.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from apache_beam.io.filesystems import FileSystems

from transforms.curation.columns import iter_dicts
from transforms.tables.files import commit_file
from transforms.tables.item_ids import safe_id

FOLDER = "metadata"
NAMES = ("quality_scores.json", "identity_map.json", "selection_results.json")
UNKNOWN = "unknown"
_DIGITS = 6


@dataclass(frozen=True, slots=True)
class PersonFiles:
    """What was written for a person: how many faces it has, and the paths below the run."""

    identity: int
    faces: int
    high_quality: tuple[str, ...]
    temporal: tuple[str, ...]


def person_name(identity: int) -> str:
    """What a person is called: person_0000 and so on, by the number of the identity."""
    return f"person_{identity:04d}"


def write_metadata(run: str, candidates: pa.Table, people: Iterable[PersonFiles]) -> None:
    """Commit the three files; `candidates` as `read_candidates` gives them, `people` by number."""
    emotion = pc.fill_null(candidates["emotion"], UNKNOWN)
    candidates = candidates.set_column(candidates.schema.get_field_index("emotion"), "emotion", emotion)
    made = (quality_scores(candidates), identity_map(candidates), selection_results(people))
    for name, entries in zip(NAMES, made, strict=True):
        _write(run, name, entries)


def quality_scores(candidates: pa.Table) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """`<emotion>/<video>` -> the measures of its candidates; identity_strength is null for faces of nobody."""
    order = [(name, "ascending") for name in ("emotion", "video_id", "number", "face_id")]
    for name, rows in groupby(iter_dicts(candidates.sort_by(order)), key=face_folder):
        yield name, [_measures(row) for row in rows]


def _measures(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "filename": face_file(row),
        "frame_index": row["number"],
        "face_index": _face_index(row),
        "sharpness": _rounded(row["sharpness"]),
        "frontality": _rounded(row["frontality"]),
        "identity_strength": _rounded(row["similarity"]),
        "face_ratio": _rounded(row["face_ratio"]),
        "yaw": _rounded(row["yaw"]),
        "pitch": _rounded(row["pitch"]),
        "roll": _rounded(row["roll"]),
        "composite_score": _rounded(row["composite"]),
        "bg_hash": row["bg_hash"],
        "emotion_score": _rounded(row["emotion_score"]),
        "source_label": row["label"],
    }


def identity_map(candidates: pa.Table) -> Iterator[tuple[str, dict[str, list[str]]]]:
    """Person -> emotion -> the paths of all its candidates."""
    known = candidates.filter(pc.is_valid(candidates["identity"]))
    order = [(name, "ascending") for name in ("identity", "emotion", "video_id", "number", "face_id")]
    for identity, rows in groupby(iter_dicts(known.sort_by(order)), key=lambda row: row["identity"]):
        by_emotion = groupby(rows, key=lambda row: row["emotion"])
        paths = {name: [f"frames/{face_folder(row)}/{face_file(row)}" for row in some] for name, some in by_emotion}
        yield person_name(identity), paths


def selection_results(people: Iterable[PersonFiles]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Person -> what was selected; a person without a sequence has temporal_selected 0."""
    for person in people:
        yield (
            person_name(person.identity),
            {
                "total_faces": person.faces,
                "high_quality_selected": len(person.high_quality),
                "temporal_selected": len(person.temporal),
                "high_quality_files": list(person.high_quality),
                "temporal_files": list(person.temporal),
            },
        )


def face_folder(row: dict[str, Any]) -> str:
    """`<emotion>/<video>` of a face."""
    return f"{safe_id(row['emotion'] or UNKNOWN)}/{safe_id(row['video_id'])}"


def _face_index(row: dict[str, Any]) -> int:
    return int(row["face_id"].rpartition("-f")[2])


def face_file(row: dict[str, Any]) -> str:
    """The name of a face's image in it."""
    return f"frame_{row['number']:05d}_face_{_face_index(row)}.jpg"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, _DIGITS)


def _write(run: str, name: str, entries: Iterable[tuple[str, Any]]) -> None:
    """Commit one JSON object, an entry at a time."""
    with commit_file(FileSystems.join(run, FOLDER, name)) as out:
        between = b"{\n"
        for key, value in entries:
            out.write(between + f"{json.dumps(key)}: {json.dumps(value, indent=1)}".encode())
            between = b",\n"
        out.write(b"{}\n" if between == b"{\n" else b"\n}\n")
