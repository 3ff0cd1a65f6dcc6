"""From the faces of a run, their edges and what is known of them to clean identities."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pyarrow as pa

from transforms.identity import columns
from transforms.identity.apart import Mask
from transforms.identity.cleaning import Cleaned, FaceColumns, clean
from transforms.identity.clusters import find_clusters
from transforms.identity.counting import Progress, StageCount
from transforms.identity.estimate import estimate
from transforms.identity.evidence import Evidence, no_evidence, pictures_show, similar
from transforms.identity.evidence_settings import EvidenceSettings
from transforms.identity.knn import I64, NO_EDGES, Edges, edges_of
from transforms.identity.overrides import Overrides, joined_by_hand, known_by_hand, read_overrides, resolve
from transforms.identity.poor_faces import Measured, measured, poor
from transforms.identity.precision import Precision, estimate_precision
from transforms.identity.settings import IdentitySettings
from transforms.identity.similarity import number
from transforms.identity.tracks import Follow, InFrames, followed
from transforms.tables.item_ids import videos_of

_LOG = logging.getLogger("manyfaces.identity")  # told at the end of a command, whatever it logs


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What is known of N faces beside their vectors: evidence, is_poor (N,) and what the user says."""

    evidence: Evidence
    is_poor: Mask
    by_hand: Overrides | None


def needs_faces(settings: IdentitySettings) -> bool:
    """Whether the table faces is read."""
    return settings.evidence.any or settings.clusters.poor.needs_measures


def least_similarity(settings: IdentitySettings) -> float:
    """The similarity of the least similar edges that clustering looks at."""
    clusters = settings.clusters
    return number(clusters.link_similarity if clusters.second_look.similarity == 1 else settings.edges.min_similarity)


def what_is_known(run: str, meta: pa.Table, faces: FaceColumns, edges: Edges, settings: IdentitySettings) -> Known:
    """What tables and files say of the faces (N,); meta has columns of `embeddings`, in the order of the arrays."""
    face_id = columns.as_text(meta["face_id"])
    by_hand = None
    if settings.overrides is not None:
        image_id = columns.as_text(meta["image_id"])
        by_hand = resolve(settings.overrides, read_overrides(settings.overrides), face_id, image_id)
        if by_hand.unknown:
            _LOG.warning(
                "%s: %d lines name faces that this run does not have and do nothing, the first of them line %d.",
                settings.overrides, len(by_hand.unknown), by_hand.unknown[0],
            )  # fmt: skip
    apart = (np.zeros(0, np.int64),) * 2 if by_hand is None else (by_hand.apart[:, 0], by_hand.apart[:, 1])
    found = measured(run, face_id) if needs_faces(settings) else Measured()
    evidence = no_evidence(len(face_id), *apart)
    if settings.evidence.any:
        link, tracks = number(settings.clusters.link_similarity), _tracks(meta, faces, found, settings.evidence)
        evidence = pictures_show(faces.image, found.box, faces.vectors, edges, settings.evidence, link, apart, tracks)
    if by_hand is not None:
        evidence = known_by_hand(evidence, by_hand)
    norm = meta["norm"].to_numpy()
    return Known(evidence, poor(faces.size, faces.score, norm, found, settings.clusters.poor), by_hand)


def _tracks(meta: pa.Table, faces: FaceColumns, found: Measured, settings: EvidenceSettings) -> Edges:
    """The pairs of faces that are followed from one frame into the next; none where tracks are no evidence."""
    if not settings.tracks:
        return NO_EDGES
    if found.number is None or found.time is None or found.shot is None or found.box is None:
        raise ValueError("identity.evidence.tracks: these faces are of no videos; set it to false.")
    rows = np.flatnonzero(np.isfinite(found.number) & columns.usable(faces.vectors))
    if not (found.shot[rows] >= 0).any() and len(rows):
        _LOG.warning("identity.evidence.tracks shows nothing: no shots are known. Set sampling.find_shots to true.")
    shot = np.nan_to_num(found.shot[rows], nan=-1).astype(np.int64)
    video = columns.as_codes(videos_of(meta["image_id"]))[rows]
    seen = InFrames(video, found.number[rows].astype(np.int64), found.time[rows], shot, found.box[rows])
    how = Follow(settings.track_overlap, settings.track_seconds, number(settings.track_similarity))
    parts = [np.stack(pairs) for pairs in followed(seen, faces.vectors[rows], how)]
    first, second = rows[np.concatenate([np.zeros((2, 0), np.int64), *parts], axis=1)]
    return edges_of(first, second, similar(faces.vectors, np.stack([first, second], axis=1)))


def cluster_and_clean(
    faces: FaceColumns, edges: Edges, settings: IdentitySettings, known: Known | None = None
) -> tuple[Cleaned, I64]:
    """Cluster and clean; returns the result and the clusters (N,) before cleaning, called by their first rows."""
    rows = len(faces.vectors)
    known = known or Known(no_evidence(rows), np.zeros(rows, bool), None)
    bad, unwanted = ~columns.usable(faces.vectors), np.zeros(rows, bool)
    if known.by_hand is not None:
        unwanted[known.by_hand.drop] = True
    gone = bad | unwanted
    edges = edges.where(~gone[edges.first] & ~gone[edges.second])
    clusters = find_clusters(faces.vectors, edges, faces.size, known.evidence, known.is_poor, settings.clusters)
    if known.by_hand is not None:
        clusters = joined_by_hand(clusters, known.by_hand)
    clusters = np.where(gone, -1, clusters)
    path = settings.cleaning.validation_identities
    validation = columns.validation_centres(path, faces.vectors.shape[1]) if path and rows else None
    whole = None if known.by_hand is None else known.by_hand.drop_whole
    scenes = known.evidence.scenes() if settings.evidence.pictures or known.by_hand is not None else None
    largest, rules = settings.clusters.keep == "largest", settings.cleaning
    cleaned = clean(faces, clusters, largest, validation, rules, scenes, whole, _estimate(faces, settings))
    cleaned.reason[unwanted] = "by_hand"
    cleaned.reason[bad] = "bad_vector"
    if settings.evidence.pictures:
        cleaned.stages.insert(0, _without_evidence(faces, edges, settings, known))
    return cleaned, clusters


def _without_evidence(faces: FaceColumns, edges: Edges, settings: IdentitySettings, known: Known) -> StageCount:
    """What clusters there are without the evidence, and how pure they are by it."""
    nothing = no_evidence(len(faces.vectors))
    clusters = find_clusters(faces.vectors, edges, faces.size, nothing, known.is_poor, settings.clusters)
    scenes = known.evidence.scenes()
    reason = np.full(len(clusters), "", "<U19")
    progress = Progress(clusters, faces.image, reason, 1, scenes, _estimate(faces, settings))
    progress.count("without_evidence")
    told = estimate(scenes, clusters)
    return replace(progress.stages[0], by_pictures=told.precision, by_pictures_at_least=told.at_least)


def _estimate(faces: FaceColumns, settings: IdentitySettings) -> Callable[[I64], Precision | None]:
    """What estimates how many pairs of faces in one identity are right."""
    link = number(settings.clusters.link_similarity) if settings.clusters.method == "average" else None
    return partial(estimate_precision, faces.vectors, link=link)
