"""Fewer faces for a clustering that compares all with all: the nearest are joined first, along a kNN graph."""

import numpy as np

from transforms.identity.knn import find_edges, one_group
from transforms.persons.appearances import F32, F64, I64, Appearances
from transforms.persons.hierarchy import in_order

_BLOCK = 4096


def join_nearest(
    found: Appearances, weights: tuple[float, float], frame: I64, group: I64, most: int, neighbours: int
) -> I64:
    """(N,) groups 0..K-1 of faces: those of one `group` (N,), then along the closest edges until K is at most `most`.

    weights: of faces and of clothes. Two groups that are seen in one `frame` (N,) are not joined. K is larger than
    `most` if the edges, from each face to its nearest `neighbours`, do not lead further.
    """
    parent = group.copy()
    frames = _frames_of(frame, group)
    left = len(frames)
    units = joined_halves(found.faces, found.clothes, *weights)
    edges = find_edges(units, one_group(len(units)), neighbours, -1, _BLOCK)
    for edge in np.lexsort((edges.second, edges.first, -edges.similarity)).tolist():
        if left <= most:
            break
        into, gone = sorted((_root(parent, int(edges.first[edge])), _root(parent, int(edges.second[edge]))))
        if into != gone and frames[into].isdisjoint(frames[gone]):
            parent[gone] = into
            frames[into] |= frames.pop(gone)
            left -= 1
    return in_order(np.array([_root(parent, row) for row in range(len(parent))], np.int64))


def joined_halves(faces: F32, clothes: F32, face_weight: float, clothing_weight: float) -> F32:
    """(N,D+C) the unit vectors times their weights, one after the other, scaled to unit length."""
    halves = np.concatenate([faces * np.float32(face_weight), clothes * np.float32(clothing_weight)], axis=1)
    lengths = np.linalg.norm(halves, axis=1, keepdims=True)
    return np.asarray(halves / np.maximum(lengths, np.finfo(np.float32).tiny))


def means(found: Appearances, group: I64) -> Appearances:
    """A row for each group 0..K-1: its mean face and clothes, of unit length; all else is its first face's."""
    _, first = np.unique(group, return_index=True)
    one = found.take(first.astype(np.int64))
    return Appearances(
        one.face_id, one.frame, one.time, one.shot, one.box, _mean(found.faces, group), _mean(found.clothes, group)
    )


def _mean(units: F32, group: I64) -> F32:
    sums: F64 = np.zeros((int(group.max(initial=-1)) + 1, units.shape[1]))
    np.add.at(sums, group, units.astype(np.float64))
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    return np.asarray(sums / np.maximum(lengths, np.finfo(np.float64).tiny)).astype(np.float32)


def _frames_of(frame: I64, group: I64) -> dict[int, set[int]]:
    frames: dict[int, set[int]] = {}
    for one, number in zip(group.tolist(), frame.tolist(), strict=True):
        frames.setdefault(one, set()).add(number)
    return frames


def _root(parent: I64, row: int) -> int:
    while parent[row] != row:
        parent[row] = parent[parent[row]]
        row = int(parent[row])
    return row
