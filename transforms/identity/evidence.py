"""What pictures and the user show by themselves of who is who: faces that are alike, and scenes whose faces are not."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from transforms.identity.apart import Scenes, SeenTogether
from transforms.identity.average_linkage import members
from transforms.identity.clustering import first_rows
from transforms.identity.evidence_settings import EvidenceSettings
from transforms.identity.joining import join_in_order
from transforms.identity.knn import F32, I64, Edges, concatenate, edges_of
from transforms.tracking.association import overlaps

_ROWS_AT_A_TIME = 256


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
    image: I64, box: F32 | None, copies: Edges, settings: EvidenceSettings, apart: tuple[I64, I64]
) -> Evidence:
    """What the pictures show of N faces; image (N,) their pictures, box (N,4) pixels or None where it is not known.

    copies: the edges of at least `copy_similarity`. Two faces of one picture whose boxes overlap are one face that was
    found twice. Two others that are copies make a collage of it, or it has a mirror: such a picture proves nothing.
    Copies in two pictures are the same photograph again, and alike, unless the user keeps them `apart` (P,), (P,).
    """
    twice = found_twice(image, box, settings.same_face_overlap)
    faces = join_in_order(len(image), twice, _user(len(image), apart))
    within = (image[copies.first] == image[copies.second]) & (faces[copies.first] != faces[copies.second])
    repeating = np.unique(image[copies.first[within]])
    alike = join_in_order(len(image), concatenate([twice, copies]), _user(len(image), apart))
    return Evidence(first_rows(alike), np.where(np.isin(image, repeating), -1, image), *apart)


def found_twice(image: I64, box: F32 | None, overlap: float) -> Edges:
    """The pairs of faces of one picture whose boxes overlap by more than this: one face, so at similarity 1."""
    pairs = [(np.zeros(0, np.int64), np.zeros(0, np.int64))]
    if box is not None:
        pairs += [pair for rows in members(image) if len(rows) > 1 for pair in _overlapping(box, rows, overlap)]
    first, second = (np.concatenate(ends) for ends in zip(*pairs, strict=True))
    return edges_of(first, second, np.ones(len(first), np.float32))


def _overlapping(box: F32, rows: npt.NDArray[np.int64], overlap: float) -> Iterator[tuple[I64, I64]]:
    for start in range(0, len(rows), _ROWS_AT_A_TIME):
        some = rows[start : start + _ROWS_AT_A_TIME]
        ones, others = np.nonzero(overlaps(box[some], box[rows]) > overlap)
        once = some[ones] < rows[others]
        yield some[ones][once], rows[others][once]


def _user(rows: int, apart: tuple[I64, I64]) -> SeenTogether:
    return SeenTogether(*Evidence(np.arange(rows), np.full(rows, -1), *apart).scenes().seen(np.arange(rows)))
