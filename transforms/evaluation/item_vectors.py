"""The unit vectors of items, out of the run's table of embeddings: only those that are asked for are kept."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from transforms.evaluation.item_names import I8, I64
from transforms.evaluation.items import AMBIGUOUS, HAS_FACE, NO_FACE, NOT_IN_RUN, faces_of
from transforms.evaluation.verification import Bools
from transforms.identity.columns import as_matrix, usable
from transforms.identity.knn import F32, unit
from transforms.tables.lookup import places
from transforms.tables.shards import read_shard, shard_names, shard_path

TABLE = "embeddings"
NO_VECTOR, UNUSABLE, HAS_VECTOR = range(HAS_FACE + 1, HAS_FACE + 4)
REASONS = {  # why an item has no vector
    NOT_IN_RUN: "not_in_run",
    AMBIGUOUS: "ambiguous",
    NO_FACE: "no_face",
    NO_VECTOR: "no_vector",
    UNUSABLE: "unusable_vector",
}


@dataclass(frozen=True, slots=True, eq=False)
class ItemVectors:
    """The vectors of N items.

    state (N,): HAS_VECTOR, or one of REASONS; unit (N,D): float32, of length 1, zero where there is none; face_id (N,):
    the item's face, the largest of a video; null where it has none.
    """

    state: I8
    unit: F32
    face_id: pa.Array


def item_vectors(run: str, names: pa.Array) -> ItemVectors:
    """The vectors of items (N,): of a video the mean direction of its faces, one of each frame, else of the one face.

    ValueError if the run's vectors have several lengths.
    """
    faces = faces_of(run, names)
    shards, place = _places(run, faces.face_id)
    several = np.bincount(faces.name, minlength=len(names)) > 1
    sums = _sums(run, shards, place, faces.name, several)
    sums[several] = unit(sums[several])
    state = np.where(faces.state == HAS_FACE, NO_VECTOR, faces.state).astype(np.int8)
    state[faces.name[place >= 0]] = UNUSABLE
    state[usable(sums)] = HAS_VECTOR
    largest = np.full(len(names), -1, np.int64)
    largest[faces.name[::-1]] = np.arange(len(faces.name))[::-1]  # of each name it stands first
    return ItemVectors(state, sums, faces.face_id.take(pa.array(largest, mask=largest < 0)))


def _places(run: str, face_ids: pa.Array) -> tuple[list[tuple[str, int, int]], I64]:
    """The table's shards with their first and end row, all counted on, and the row (F,) of each face, or -1."""
    shards: list[tuple[str, int, int]] = []

    def keys() -> Iterator[pa.Array]:
        start = 0
        for name in shard_names(run, TABLE):
            path = shard_path(run, TABLE, name)
            column = read_shard(path, ["face_id"])["face_id"].cast(pa.large_string()).combine_chunks()
            shards.append((path, start, start + len(column)))
            start += len(column)
            yield column

    place = places(face_ids, keys())
    return shards, place


def _sums(run: str, shards: list[tuple[str, int, int]], place: I64, name: I64, several: Bools) -> F32:
    """The sum (N,D) of the unit vectors of the rows place (F,) for each name (F,); whether it has several of them (N,).

    What has no direction adds nothing.
    """
    sums = np.zeros((len(several), 1), np.float32)
    order = np.argsort(place, kind="stable")
    for path, start, end in shards:
        low, high = np.searchsorted(place[order], (start, end))
        own = order[low:high]
        if not len(own):
            continue
        vectors = as_matrix(read_shard(path, ["vector"])["vector"].take(pa.array(place[own] - start)))
        if sums.shape[1] == 1:
            sums = np.zeros((len(several), vectors.shape[1]), np.float32)
        if sums.shape[1] != vectors.shape[1]:
            raise ValueError(f"{run}: the vectors have several lengths; they come from several models.")
        units, to = unit(vectors), name[own]
        many = several[to]
        sums[to[~many]] = units[~many]
        np.add.at(sums, to[many], units[many])
    return sums
