"""What pictures and the user show by themselves of who is who: faces that are alike, and scenes whose faces are not."""

from dataclasses import dataclass

import numpy as np

from transforms.identity.apart import Scenes
from transforms.identity.average_linkage import members
from transforms.identity.clustering import first_rows
from transforms.identity.evidence_settings import EvidenceSettings
from transforms.identity.joining import connected_apart
from transforms.identity.knn import F32, I64, NO_EDGES, Edges, concatenate, edges_of, pair_similarity, unit
from transforms.identity.similarity import number
from transforms.tables.schemas import Vector
from transforms.tracking.association import pair_overlaps

MOST_OF_A_PICTURE = 1000  # faces: half a million pairs


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What is known of N faces without comparing people.

    alike (N,): faces with one number are one person, called by its first row. picture (N,): faces with one number are
    different people unless they are alike; -1 proves nothing. first, second (P,): faces that are different people.
    """

    alike: I64
    picture: I64
    first: I64
    second: I64

    def scenes(self) -> Scenes:
        """The pictures with two people or more, and each pair, as scenes."""
        rows = np.flatnonzero(self.picture >= 0)
        pairs = np.stack([self.first, self.second], axis=1)
        start = int(self.picture.max(initial=-1)) + 1
        named = np.repeat(np.arange(start, start + len(pairs)), 2)
        row, scene = np.r_[rows, pairs.ravel()], np.r_[self.picture[rows], named]
        _, place, counts = np.unique(scene, return_inverse=True, return_counts=True)
        several = counts[place] > 1
        return Scenes(row[several], scene[several], self.alike)


def no_evidence(rows: int, first: I64 | None = None, second: I64 | None = None) -> Evidence:
    """Nothing is known of N faces, but that those of some pairs (P,) are different people."""
    none = np.zeros(0, np.int64)
    every = np.arange(rows, dtype=np.int64)
    return Evidence(every, np.full(rows, -1), none if first is None else first, none if second is None else second)


def pictures_show(
    image: I64,
    box: F32 | None,
    vectors: Vector,
    edges: Edges,
    settings: EvidenceSettings,
    link: float,
    apart: tuple[I64, I64],
    tracks: Edges = NO_EDGES,
) -> Evidence:
    """What the pictures show of N faces; image (N,) their pictures, box (N,4) pixels or None, vectors (N,D).

    Two faces of one picture whose boxes overlap are one face that was found twice. Two others that are as similar as
    `repeat_similarity`, or else `link`, are one person twice, and the picture proves nothing: two people who happen to
    be that similar are rare by the choice of the link, and collages, mirrors and screens are not. Copies in two
    pictures (of the edges, those above `copy_similarity`) are alike, and so are the two faces of each pair of `tracks`,
    unless that would put together two people of a picture, or two whom the user keeps `apart` (P,), (P,): of what
    contradicts itself the least similar pairs are left out.
    """
    image = np.where(np.isin(image, _crowds(image)), -1, image) if settings.pictures else np.full(len(image), -1)
    pairs = within_pictures(image)
    overlap = (
        np.zeros(len(pairs), bool)
        if box is None
        else pair_overlaps(box[pairs[:, 0]], box[pairs[:, 1]]) > settings.same_face_overlap
    )
    twice = edges_of(pairs[overlap, 0], pairs[overlap, 1], np.ones(int(overlap.sum()), np.float32))
    every = np.arange(len(image))
    faces = connected_apart(len(image), twice, Evidence(every, np.full(len(image), -1), *apart).scenes())
    least = link if settings.repeat_similarity is None else settings.repeat_similarity
    others = pairs[faces[pairs[:, 0]] != faces[pairs[:, 1]]]
    repeating = image[others[similar(vectors, others) >= np.float32(least), 0]] if least < 1 else image[:0]
    picture = np.where(np.isin(image, repeating), -1, image)
    again = concatenate([_copies(image, edges, settings), tracks])
    alike = _joined(faces, again, Evidence(every, picture, *apart))
    return Evidence(first_rows(alike), picture, *apart)


def _crowds(image: I64) -> I64:
    """The pictures with so many faces that their pairs are too many to look at; they prove nothing."""
    counts = np.bincount(image[image >= 0])
    return np.flatnonzero(counts > MOST_OF_A_PICTURE)


def _copies(image: I64, edges: Edges, settings: EvidenceSettings) -> Edges:
    if not settings.pictures:
        return NO_EDGES
    copies = edges.where(edges.similarity > np.float32(number(settings.copy_similarity)))
    return copies.where(image[copies.first] != image[copies.second])


def _joined(faces: I64, again: Edges, evidence: Evidence) -> I64:
    """The faces (N,), called by first rows, joined by pairs unless the evidence keeps them apart."""
    first, second = faces[again.first], faces[again.second]
    other = first != second
    nodes = edges_of(first[other], second[other], again.similarity[other])
    scenes = evidence.scenes()
    group, scene = scenes.seen(faces)  # a face that was found twice stands in its picture once
    return connected_apart(len(faces), nodes, Scenes(group, scene, scenes.alike))[faces]


def within_pictures(image: I64) -> I64:
    """The pairs (M,2) of faces of one picture, the earlier first; image (N,), -1: of none."""
    pairs = [np.zeros((0, 2), np.int64)]
    for rows in members(image):
        if len(rows) > 1 and image[rows[0]] >= 0:
            first, second = np.triu_indices(len(rows), 1)
            pairs.append(np.stack([rows[first], rows[second]], axis=1))
    return np.concatenate(pairs)


def similar(vectors: Vector, pairs: I64) -> F32:
    """The cosine (M,) of each pair (M,2)."""
    rows, place = np.unique(pairs, return_inverse=True)
    units, place = unit(vectors[rows]), place.reshape(-1, 2)
    return pair_similarity(units, place[:, 0], place[:, 1])
