"""Why a run ended without identities, persons or clips: what its tables say, in a sentence or two."""

import copy
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.identity.columns import as_codes, as_matrix, usable
from transforms.identity.knn import F32, I64, unit
from transforms.identity.settings import ClusterSettings, IdentitySettings
from transforms.identity.similarity import number
from transforms.tables.ledger import read_ledger
from transforms.tables.shards import read_shard, shard_names, shard_path

# Of each recipe: the stage that makes what it is for.
_MAKERS = {"webbody": "identity", "face_generation": "identity", "face_clips": "clips", "person_clustering": "persons"}
# The settings that let more through, by stage and reason.
KEYS = {
    ("download", "low_resolution"): "fetch.accept.min_height",
    ("download", "unknown_resolution"): "fetch.unknown_resolution",
    ("bodies", "no_body"): "bodies.min_score",
    ("detections", "no_face"): "detections.min_score",
    ("faces", "no_face"): "faces.min_score",
    ("faces", "small_face"): "faces.min_face_px",
    ("faces", "low_score"): "faces.min_score",
    ("faces", "blurred_face"): "faces.min_sharpness",
    ("faces", "large_yaw"): "faces.max_yaw",
    ("faces", "large_pitch"): "faces.max_pitch",
    ("faces", "low_frontality"): "faces.min_frontality",
    ("shots", "no_shot"): "shots.min_seconds",
    ("spans", "no_face"): "spans.min_score or spans.min_size",
    ("spans", "no_span"): "spans.min_samples, spans.max_jump or spans.max_std",
    ("persons", "small_identity"): "persons.min_size",
    ("identity", "not_largest_cluster"): "identity.clusters.keep",
    ("identity", "unmerged"): "identity.cleaning.merge_similarity",
    ("identity", "ambiguous"): "identity.cleaning.ambiguous_similarity",
    ("identity", "leaked"): "identity.cleaning.leakage_similarity",
}
_MEASURED = re.compile(r"(-?\d+(?:\.\d+)?)\D*, (?:less|more) than (-?\d+(?:\.\d+)?)")  # as the ledger's details have it
_ENTRIES = 100_000  # of a ledger that are searched for the nearest
_COMPARED = 10_000  # faces whose neighbours are looked for: under a second


@dataclass(frozen=True, slots=True)
class Faces:
    """What the identity stage had: faces in all, the best detection score, and how near the `compared` first ones are.

    best: the cosine of the most similar pair; median: of each one's nearest; None where no two may be compared.
    """

    count: int
    compared: int
    best_score: float
    best: float | None
    median: float | None


def causes(run: str, record: Mapping[str, Any]) -> list[str]:
    """Why a finished run came to none of what its recipe is for, in sentences; none if it did, or did not get there."""
    last = _MAKERS.get(record["recipe"])
    stages = record["stages"]
    if last not in stages or stages[last]["kept"]:
        return []
    stage = next((name for name, entry in stages.items() if not entry["kept"] and _entered(entry)), None)
    if stage is None:
        return []
    entry, reasons = stages[stage], stages[stage]["reasons"]
    if stage == "identity" and shard_names(run, "embeddings"):
        settings = _settings(record["config"]["identity"], entry.get("similarities", {}))
        faces = read_faces(run, _entered(entry), settings.edges.within_label)
        return [identity_cause(reasons, faces, settings)]
    return item_cause(stage, reasons, _details(run, stage, _top(reasons)))


def _settings(written: Mapping[str, Any], numbers: Mapping[str, Mapping[str, Any]]) -> IdentitySettings:
    """The settings as they were used: with the numbers that the stage tells of for what was left to the model."""
    used = copy.deepcopy(dict(written))
    for key, told in numbers.items():
        block, _, name = key.partition(".")
        used[block][name] = told["value"]
    return IdentitySettings.model_validate(used)


def item_cause(stage: str, reasons: Mapping[str, int], details: Iterable[str]) -> list[str]:
    """What to change where a stage let no item through; `details` are the ledger's of the most frequent reason."""
    reason = _top(reasons)
    key = KEYS.get((stage, reason))
    if key is None:
        return []
    near = nearest_miss(details)
    told = f"the nearest to passing: {near}; " if near else ""
    return [f"{reason}: {told}more pass with another {key} (--set)."]


def nearest_miss(details: Iterable[str]) -> str | None:
    """Of details like `sharpness 88.3, less than 100` the one that misses its limit least."""
    missed = [(abs(abs(float(m[1])) - float(m[2])), detail) for detail in details if (m := _MEASURED.search(detail))]
    return min(missed)[1] if missed else None


def identity_cause(reasons: Mapping[str, int], faces: Faces, settings: IdentitySettings) -> str:
    """What to change where no face came into an identity."""
    clusters, cleaning = settings.clusters, settings.cleaning
    reason = _top(reasons)
    least = max(clusters.min_size, cleaning.min_images)
    if faces.count < least:
        return (
            f"There are fewer faces than the {least} that an identity must have (identity.clusters.min_size, "
            "identity.cleaning.min_images): use more images of each person."
        )
    if reason == "noise":
        return _noise(faces, settings)
    if reason == "low_face_score":
        return (
            f"The best detection score is {faces.best_score:.3f}, and it must be above "
            f"identity.cleaning.min_face_score {cleaning.min_face_score:g}: lower that with --set, to "
            "what the scores of your face detector are."
        )
    if reason in ("small_identity", "duplicate_face"):
        copies = reasons.get("duplicate_face", 0)
        also = (
            f" after {copies} nearly equal ones were dropped (identity.cleaning.duplicate_similarity "
            f"{number(cleaning.duplicate_similarity):g})"
        )
        return (
            f"What links has faces of fewer than identity.cleaning.min_images {cleaning.min_images} different "
            f"images{also if copies else ''}: use more images of each person, or lower it with --set."
        )
    key = KEYS.get(("identity", reason))
    return f"Most went for {reason}: more stay with another {key} (--set)." if key else f"Most went for {reason}."


def _noise(faces: Faces, settings: IdentitySettings) -> str:
    clusters = settings.clusters
    if faces.best is None or faces.median is None:
        return (
            "No two faces have the same source label, and identity.edges.within_label is true: set it to false, or "
            "give the images of a person one label."
        )
    of = "" if faces.compared == faces.count else f" of the first {faces.compared} faces"
    seen = (
        f"The most similar pair{of} has the cosine {faces.best:.4f}, and half of the faces have a neighbour above "
        f"{faces.median:.4f}"
    )
    link = number(clusters.link_similarity)
    if faces.best < link:
        return (
            f"{seen}; the link threshold identity.clusters.link_similarity is {link:g}: lower it "
            "with --set, as far as your embedding model tells people apart, or use more images of each person."
        )
    return f"{seen}, enough for identity.clusters.link_similarity {link:g}; {_too_few(clusters)}."


def _too_few(clusters: ClusterSettings) -> str:
    """Why faces that are similar enough may still be noise."""
    why = f"but fewer than identity.clusters.min_size {clusters.min_size} link"
    if clusters.method == "dbscan":
        why += f", or none has min_samples {clusters.min_samples} near it, itself included"
    if clusters.small_face_px:
        why += (
            f"; faces below small_face_px {clusters.small_face_px:g} need small_link_similarity "
            f"{clusters.small_link_similarity:g}"
        )
    return why


def read_faces(run: str, count: int, within_label: bool) -> Faces:
    """The facts about the faces in a run's table embeddings, of which there are `count`; the first are compared."""
    parts: list[pa.Table] = []
    for name in shard_names(run, "embeddings"):
        if sum(map(len, parts)) >= _COMPARED:
            break
        parts.append(read_shard(shard_path(run, "embeddings", name), ["label", "face_score", "vector"]))
    table = pa.concat_tables(parts).slice(0, _COMPARED)
    vectors = as_matrix(table["vector"])
    group = as_codes(table["label"]) if within_label else np.zeros(len(table), np.int64)
    good = usable(vectors)
    nearest = nearest_cosines(unit(vectors[good]), group[good])
    found = nearest[np.isfinite(nearest)]
    return Faces(
        count,
        len(table),
        float(pc.max(table["face_score"]).as_py()),
        float(found.max()) if len(found) else None,
        float(np.median(found)) if len(found) else None,
    )


def nearest_cosines(units: F32, group: I64, rows: int = 1024) -> F32:
    """For each unit vector (N,D) the cosine (N,) of the nearest other one of its group (N,); -inf if there is none."""
    nearest = np.full(len(units), -np.inf, np.float32)
    for start in range(0, len(units), rows):
        some = slice(start, min(start + rows, len(units)))
        cosines = np.where(group[some, None] == group, units[some] @ units.T, -np.inf)
        cosines[np.arange(len(cosines)), np.arange(some.start, some.stop)] = -np.inf
        nearest[some] = cosines.max(axis=1)
    return nearest


def _details(run: str, stage: str, reason: str) -> list[str]:
    """The ledger's details of the items that went for this reason, of the first ones of the stage."""
    found: list[str] = []
    seen = 0
    for _, table in read_ledger(run, stage, ["reason", "detail"]):
        found += table.filter(pc.equal(table["reason"], reason))["detail"].drop_null().to_pylist()
        seen += len(table)
        if seen >= _ENTRIES:
            break
    return found


def _entered(entry: Mapping[str, Any]) -> int:
    return sum(int(entry[state]) for state in ("kept", "dropped", "failed"))


def _top(reasons: Mapping[str, int]) -> str:
    return max(reasons, key=lambda code: reasons[code], default="")
