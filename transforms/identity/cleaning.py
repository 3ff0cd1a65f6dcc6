"""Cleaning clusters into identities: one small rule after another, each of which drops faces or joins identities.

Throughout, `identity` (N,) is the identity of every face, called by a row number, or -1 once the face is dropped.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from transforms.identity.apart import Mask, Scenes, no_scenes, share_a_scene
from transforms.identity.clustering import first_rows, in_largest
from transforms.identity.counting import Progress, StageCount, image_counts
from transforms.identity.knn import F32, I64, block_edges, unit
from transforms.identity.merging import UNMERGED, closest_to, merge_similar, pairs_above
from transforms.identity.precision import Precision
from transforms.identity.settings import CleanSettings
from transforms.identity.similarity import number
from transforms.tables.schemas import Vector

_ROWS_AT_A_TIME = 16_384
_IDENTITIES_AT_A_TIME = 256


@dataclass(frozen=True, slots=True, eq=False)
class FaceColumns:
    """What cleaning knows of N faces, sorted by face id.

    vectors (N,D) as the model gave them; group (N,) source label, -1 for none; image (N,) image; score (N,); size (N,)
    the shorter side of the face, pixels.
    """

    vectors: Vector
    group: I64
    image: I64
    score: F32
    size: F32


@dataclass(frozen=True, slots=True, eq=False)
class Cleaned:
    """The result: identity (N,) 0..K-1 by first face, -1 if dropped; similarity (N,) to the centre, NaN for noise.

    reason (N,) the code of the step that dropped the face, empty if kept; merged (N,) the cluster that each row's
    cluster went into, to the end (its own if it merged with none), -1 for noise; stages in their order.
    """

    identity: I64
    similarity: F32
    reason: npt.NDArray[np.str_]
    merged: I64
    stages: list[StageCount]


def low_score(score: F32, above: float) -> Mask:
    """Whether each face's score is not strictly above the limit."""
    return ~(score > np.float32(above))


def centres(identity: I64, vectors: Vector) -> tuple[I64, F32]:
    """The identities (K,), ascending, and the sum (K,D) of the raw vectors of each: its centre, up to length."""
    order = np.argsort(identity, kind="stable")
    order = order[int(np.searchsorted(identity[order], 0)) :]
    names, place = np.unique(identity[order], return_inverse=True)
    sums = np.zeros((len(names), vectors.shape[1]), np.float32)
    for start in range(0, len(order), _ROWS_AT_A_TIME):
        places = place[start : start + _ROWS_AT_A_TIME]
        firsts = np.flatnonzero(np.diff(places, prepend=-1))
        rows = vectors[order[start : start + _ROWS_AT_A_TIME]].astype(np.float64)
        sums[places[firsts]] += np.add.reduceat(rows, firsts, axis=0)
    return names, sums


def similarity_to_centre(identity: I64, vectors: Vector) -> F32:
    """The cosine (N,) of each face to the centre of its identity; NaN for faces without one."""
    names, sums = centres(identity, vectors)
    units = unit(sums)
    similarity = np.full(len(identity), np.nan, np.float32)
    kept = np.flatnonzero(identity >= 0)
    for start in range(0, len(kept), _ROWS_AT_A_TIME):
        rows = kept[start : start + _ROWS_AT_A_TIME]
        own = units[np.searchsorted(names, identity[rows])].astype(np.float64)
        similarity[rows] = (own * unit(vectors[rows])).sum(axis=1).clip(-1, 1)
    return similarity


def merged_identity(identity: I64, vectors: Vector, settings: CleanSettings, seen: tuple[I64, I64]) -> I64:
    """The identity of every face after merging similar identities; -1 where merging never reached a similar one.

    seen: identities (L,) and the scenes (L,) of each; two with a scene in common never merge.
    """
    names, sums = centres(identity, vectors)
    there = np.isin(seen[0], names)
    places = np.searchsorted(names, seen[0][there]), seen[1][there]
    group = merge_similar(sums, number(settings.merge_similarity), settings.max_component, places)
    return _mapped(identity, names, np.where(group == UNMERGED, -1, names[group]))


def ambiguous(identity: I64, image: I64, vectors: Vector, similarity: float, seen: tuple[I64, I64]) -> Mask:
    """Whether each face's identity has the fewer images of two identities with centres above `similarity`.

    Two that have a scene in common are two people, however alike; seen as in `merged_identity`. All pairs are judged at
    once, on the same counts; of two equal ones the later is ambiguous. What remains has no pair above `similarity`:
    there is no upper limit, since after merging such pairs have merged or can no longer.
    """
    names, sums = centres(identity, vectors)
    pairs = pairs_above(sums, similarity)
    ends = names[pairs.first], names[pairs.second]
    pairs = pairs.where(~share_a_scene(*ends, seen, seen))
    images = image_counts(identity, image)[names]
    loses = np.zeros(len(names), bool)
    loses[np.where(images[pairs.first] < images[pairs.second], pairs.first, pairs.second)] = True
    return _of_identity(identity, names, loses)


def leaked(identity: I64, vectors: Vector, validation: F32, similarity: float) -> Mask:
    """Whether each face's identity is above `similarity` to one of the validation centres (V,D), unit vectors."""
    names, sums = centres(identity, vectors)
    return _of_identity(identity, names, closest_to(sums, validation) > np.float32(similarity))


def duplicates(identity: I64, vectors: Vector, similarity: float) -> Mask:
    """Whether each face is above `similarity` to an earlier face of its identity that is kept."""
    order = np.argsort(identity, kind="stable")
    order = order[int(np.searchsorted(identity[order], 0)) :]
    bounds = np.append(np.flatnonzero(np.diff(identity[order], prepend=-1)), len(order)).astype(np.int64)
    drop = np.zeros(len(identity), bool)
    for low in range(0, len(bounds) - 1, _IDENTITIES_AT_A_TIME):
        some = bounds[low : low + _IDENTITIES_AT_A_TIME + 1]
        rows = order[some[0] : some[-1]]
        pairs = block_edges(unit(vectors[rows]), some - some[0], 0, len(rows), 0, similarity)
        pairs = pairs.where(pairs.similarity > np.float32(similarity))
        drop[rows] = _later_of(len(rows), pairs.first.astype(np.int64), pairs.second.astype(np.int64))
    return drop


def _later_of(rows: int, first: I64, second: I64) -> Mask:
    """Go through the rows in order and drop each that is paired with an earlier row that was not dropped."""
    drop = np.zeros(rows, bool)
    order = np.argsort(second, kind="stable")
    later, starts = np.unique(second[order], return_index=True)
    for row, earlier in zip(later.tolist(), np.split(first[order], starts[1:]), strict=len(later) > 0):
        drop[row] = not drop[earlier].all()
    return drop


def _mapped(identity: I64, names: I64, new: I64) -> I64:
    if len(names) == 0:
        return identity
    return np.where(identity < 0, -1, new[np.searchsorted(names, identity).clip(max=len(names) - 1)])


def _of_identity(identity: I64, names: I64, mask: Mask) -> Mask:
    return _mapped(identity, names, mask.astype(np.int64)) > 0


def clean(
    faces: FaceColumns,
    clusters: I64,
    largest_only: bool,
    validation: F32 | None,
    rules: CleanSettings,
    scenes: Scenes | None = None,
    unwanted: I64 | None = None,
    estimate: Callable[[I64], Precision | None] = lambda identity: None,
) -> Cleaned:
    """Apply all rules in their order.

    clusters (N,): the cluster of each face, called by its first row, -1 for noise; largest_only: of each source label
    only the largest cluster is kept; validation (V,D): unit centres of the validation identities, or None. Clusters
    with different people of one of the scenes never merge, and are not ambiguous. unwanted (R,): faces whose identities
    are dropped. estimate: as in `Progress`.
    """
    apart = no_scenes(len(clusters)) if scenes is None else scenes
    now = Progress(clusters.copy(), faces.image, np.full(len(clusters), "", "<U19"), rules.min_images, scenes, estimate)
    now.reason[clusters < 0] = "noise"
    now.count("clusters")
    if largest_only:
        now.drop(~in_largest(clusters, faces.group), "not_largest_cluster")
        now.count("largest_cluster")
    now.drop(low_score(faces.score, rules.min_face_score), "low_face_score")
    now.close("face_score")
    merged = merged_identity(now.identity, faces.vectors, rules, apart.seen(clusters))
    into = _followed(clusters, now.identity, merged)
    now.drop(merged < 0, "unmerged")
    now.identity = merged
    now.close("merging")
    if unwanted is not None and len(unwanted):
        now.drop(np.isin(into, into[unwanted]), "by_hand")
        now.close("by_hand")
    alike = number(rules.ambiguous_similarity)
    now.drop(ambiguous(now.identity, faces.image, faces.vectors, alike, apart.seen(into)), "ambiguous")
    now.close("ambiguity")
    if validation is not None:
        now.drop(leaked(now.identity, faces.vectors, validation, number(rules.leakage_similarity)), "leaked")
    now.close("leakage")
    now.drop(duplicates(now.identity, faces.vectors, number(rules.duplicate_similarity)), "duplicate_face")
    now.close("duplicates")
    return _result(faces, clusters, into, now)


def _followed(clusters: I64, before: I64, after: I64) -> I64:
    """For every face the cluster that its cluster went into; clusters that merging did not see stay themselves."""
    went = np.arange(len(clusters), dtype=np.int64)
    moved = after >= 0
    went[before[moved]] = after[moved]
    return np.where(clusters < 0, -1, went[clusters])


def _result(faces: FaceColumns, clusters: I64, into: I64, now: Progress) -> Cleaned:
    in_cluster = similarity_to_centre(clusters, faces.vectors)
    in_identity = similarity_to_centre(now.identity, faces.vectors)
    firsts = first_rows(now.identity)
    _, number = np.unique(firsts[firsts >= 0], return_inverse=True)
    identity = np.full(len(firsts), -1, np.int64)
    identity[firsts >= 0] = number
    return Cleaned(identity, np.where(identity < 0, in_cluster, in_identity), now.reason, into, now.stages)
