"""The faces of a video by person: average linkage with what the film shows, merging, and no small clusters."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from transforms.persons.appearances import I64, Appearances
from transforms.persons.distances import condensed, largest_possible
from transforms.persons.evidence import together
from transforms.persons.hierarchy import average_linkage, members
from transforms.persons.merging import merge
from transforms.persons.nearest_first import join_nearest, means
from transforms.persons.settings import PersonSettings


@dataclass(frozen=True, slots=True, eq=False)
class Grouping:
    """Of N faces: clusters (N,) before merging, and merged (N,) after it, numbered by their first faces.

    persons (N,): 0..P-1 for the faces of merged clusters that are large enough, -1 for all others.
    """

    clusters: I64
    merged: I64
    persons: I64


def group_faces(found: Appearances, settings: PersonSettings) -> Grouping:
    """The persons of a video; the same for any order of the rows, but for their numbers."""
    order = found.order()
    back = np.argsort(order)
    faces = found.take(order)
    clusters = cluster_faces(faces, settings)
    merged = merge(faces, clusters, frames_of(faces, settings), settings.merging)
    return Grouping(clusters[back], merged[back], large_enough(merged, settings.min_size)[back])


def cluster_faces(found: Appearances, settings: PersonSettings) -> I64:
    """(N,) clusters 0..K-1 by average linkage, numbered by their first rows; the rows are sorted as `order` says."""
    group, frame = together(found, settings.evidence), frames_of(found, settings)
    if len(found) <= settings.max_exact_faces:
        return _linked(found, settings, members(frame), members(group))
    weights = settings.face_weight, settings.clothing_weight
    few = join_nearest(found, weights, frame, group, settings.max_exact_faces, settings.neighbours)
    at_once = (np.unique(few[rows]) for rows in members(frame))
    return _linked(means(found, few), settings, at_once)[few]


def frames_of(found: Appearances, settings: PersonSettings) -> I64:
    """(N,) the frame of each face, as evidence: where it does not count, each face has one of its own."""
    return found.frame if settings.evidence.frames else np.arange(len(found), dtype=np.int64)


def large_enough(clusters: I64, least: int) -> I64:
    """(N,) the clusters of at least so many faces, numbered 0..P-1 in their order; -1 for the faces of others."""
    large = np.bincount(clusters, minlength=1) >= least
    return np.where(large, np.cumsum(large) - 1, -1)[clusters].astype(np.int64)


def _linked(found: Appearances, settings: PersonSettings, apart: Iterable[I64] = (), alike: Iterable[I64] = ()) -> I64:
    flat = condensed(found, settings.face_weight, settings.clothing_weight)
    if settings.scale == "largest":
        scale = float(flat.max(initial=0))
    else:
        scale = largest_possible(settings.face_weight, settings.clothing_weight)
    return average_linkage(flat, len(found), (1 - settings.similarity) * scale, apart, alike)
