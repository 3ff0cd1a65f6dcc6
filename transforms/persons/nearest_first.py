"""Fewer groups for a clustering that compares all with all: the nearest are joined first, along a kNN graph."""

import numpy as np

from transforms.identity.apart import SeenTogether
from transforms.identity.average_linkage import in_order
from transforms.identity.joining import join_in_order
from transforms.identity.knn import Edges, find_edges, one_group
from transforms.persons.appearances import F32, I64, Appearances

_BLOCK = 4096


def join_nearest(
    found: Appearances, weights: tuple[float, float], frame: I64, group: I64, most: int, neighbours: int
) -> I64:
    """(N,) groups 0..K-1 of faces: each `group` (N,) whole, and joined along the closest edges until K is `most`.

    weights: of faces and of clothes. Two groups that are seen in one `frame` (N,) are not joined. K stays larger if the
    edges, from each face to its nearest `neighbours`, do not lead further. Numbered by their first rows.
    """
    units = joined_halves(found.faces, found.clothes, *weights)
    edges = find_edges(units, one_group(len(units)), neighbours, -1, _BLOCK)
    count = int(group.max(initial=-1)) + 1
    first, second = (group[rows].astype(np.int32) for rows in (edges.first, edges.second))
    between = Edges(first, second, edges.similarity)
    return in_order(join_in_order(count, between, SeenTogether(group, frame), most)[group])


def joined_halves(faces: F32, clothes: F32, face_weight: float, clothing_weight: float) -> F32:
    """(N,D+C) the unit vectors times their weights, one after the other, scaled to unit length."""
    halves = np.concatenate([faces * np.float32(face_weight), clothes * np.float32(clothing_weight)], axis=1)
    lengths = np.linalg.norm(halves, axis=1, keepdims=True)
    return np.asarray(halves / np.maximum(lengths, np.finfo(np.float32).tiny))
