"""The faces of a video by person: average linkage with what the film shows, merging, and no small clusters."""

from dataclasses import dataclass

import numpy as np

from transforms.identity.average_linkage import average_linkage, in_order, members
from transforms.persons.appearances import I64, Appearances
from transforms.persons.distances import largest_possible, sums_between
from transforms.persons.evidence import together
from transforms.persons.merging import merge
from transforms.persons.nearest_first import join_nearest
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
    """The persons of a video; the same for any order of the rows."""
    order = found.order()
    back = np.argsort(order)
    faces = found.take(order)
    clusters = cluster_faces(faces, settings)
    merged = merge(faces, clusters, frames_of(faces, settings), settings.merging)
    return Grouping(clusters[back], merged[back], large_enough(merged, settings.min_size)[back])


def cluster_faces(found: Appearances, settings: PersonSettings) -> I64:
    """(N,) clusters 0..K-1 by average linkage, numbered by their first rows; the rows are sorted as `order` says.

    What the film shows to be one person is one from the start. If that leaves more than `max_groups`, the nearest are
    joined first; of those that must all stay apart (more faces than that in one frame) the last ones stay alone.
    """
    frame, group, most = frames_of(found, settings), together(found, settings.evidence), settings.max_groups
    if group.max(initial=-1) >= most:
        weights = settings.face_weight, settings.clothing_weight
        group = join_nearest(found, weights, frame, group, most, settings.neighbours)
    rows = np.flatnonzero(group < most)
    clusters = group.copy()
    clusters[rows] = _linked(found.take(rows), frame[rows], group[rows], settings)
    return in_order(clusters)


def frames_of(found: Appearances, settings: PersonSettings) -> I64:
    """(N,) the frame of each face, as evidence: where it does not count, each face has one of its own."""
    return found.frame if settings.evidence.frames else np.arange(len(found), dtype=np.int64)


def large_enough(clusters: I64, least: int) -> I64:
    """(N,) the clusters of at least so many faces, numbered 0..P-1 in their order; -1 for the faces of others."""
    large = np.bincount(clusters, minlength=1) >= least
    return np.where(large, np.cumsum(large) - 1, -1)[clusters].astype(np.int64)


def _linked(found: Appearances, frame: I64, group: I64, settings: PersonSettings) -> I64:
    sums, largest = sums_between(found, group, settings.face_weight, settings.clothing_weight)
    for rows in members(frame):
        at_once = np.unique(group[rows])
        sums[np.ix_(at_once, at_once)] = np.inf
    possible = largest_possible(settings.face_weight, settings.clothing_weight)
    scale = largest if settings.scale == "largest" else possible
    return average_linkage(sums, np.bincount(group), (1 - settings.similarity) * scale)[group]
