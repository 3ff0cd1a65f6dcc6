"""Whose face is whose in a run: the table `identities` in memory, about 70 bytes a face."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from beam_pipelines.browse.stored import Stored
from transforms.tables.lookup import places
from transforms.tables.shards import read_shard, shard_path

I64 = npt.NDArray[np.int64]
F32 = npt.NDArray[np.float32]
Order = Literal["largest", "smallest", "least alike"]
ORDERS: tuple[str, ...] = get_args(Order)


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """The N faces of `identities` and the K identities that they are of.

    face_id (N,); identity (N,), -1 for none; similarity (N,) to the centre, NaN for none; picture (N,) the number of
    the face's row in `faces`, -1 for none. by_identity: the rows of faces with an identity, identity by identity, the
    most similar first; numbers (K,) of the identities, ascending, and bounds (K+1,) of their rows in by_identity.
    """

    face_id: pa.Array
    identity: I64
    similarity: F32
    picture: I64
    by_identity: I64
    numbers: I64
    bounds: I64

    def faces_of(self, number: int) -> I64:
        """The rows of an identity's faces, the most similar to its centre first; none if there is no such identity."""
        place = int(np.searchsorted(self.numbers, number))
        if place == len(self.numbers) or self.numbers[place] != number:
            return self.by_identity[:0]
        return self.by_identity[self.bounds[place] : self.bounds[place + 1]]

    def row_of(self, face_id: str) -> int:
        """The row of a face; -1 if there is none of that id."""
        return int(pc.index(self.face_id, pa.scalar(face_id, self.face_id.type)).as_py())

    def rows_of(self, face_ids: list[str]) -> I64:
        """The rows of faces, -1 for each that is not there."""
        wanted = list(dict.fromkeys(face_ids))
        place = pc.index_in(self.face_id, value_set=pa.array(wanted, self.face_id.type))
        hits = np.flatnonzero(place.is_valid().to_numpy(zero_copy_only=False))
        names = place.take(pa.array(hits)).to_pylist()
        row = {wanted[name]: int(hit) for name, hit in zip(names, hits, strict=True)}
        return np.array([row.get(face, -1) for face in face_ids], np.int64)

    def in_order(self, order: str) -> I64:
        """The places (K,) of the identities, in one of ORDERS; of equal ones the smaller number first."""
        sizes = np.diff(self.bounds)
        if order == "smallest":
            return np.argsort(sizes, kind="stable")
        if order == "least alike":
            return np.argsort(self.mean_similarity(), kind="stable")
        return np.argsort(-sizes, kind="stable")

    def mean_similarity(self) -> F32:
        """The mean similarity (K,) of each identity's faces to its centre."""
        if not len(self.numbers):
            return np.zeros(0, np.float32)
        found = np.nan_to_num(self.similarity[self.by_identity].astype(np.float64))
        return (np.add.reduceat(found, self.bounds[:-1]) / np.diff(self.bounds)).astype(np.float32)


def read_people(stored: Stored) -> People:
    """The table `identities` of a run, with the places of the faces' pictures."""
    table = pa.concat_tables(_columns(stored, "identities", ["face_id", "identity", "similarity"]))
    face_id = table["face_id"].cast(pa.large_string()).combine_chunks()
    identity = table["identity"].fill_null(-1).to_numpy().astype(np.int64)
    similarity = table["similarity"].cast(pa.float32()).fill_null(np.nan).to_numpy()
    picture = np.full(len(face_id), -1, np.int64)
    if stored.has("faces"):
        keys = (
            part["face_id"].cast(pa.large_string()).combine_chunks() for part in _columns(stored, "faces", ["face_id"])
        )
        picture = places(face_id, keys)
    order = np.lexsort((np.arange(len(identity)), -np.nan_to_num(similarity), identity))
    order = order[int(np.searchsorted(identity[order], 0)) :]
    numbers, firsts = np.unique(identity[order], return_index=True)
    bounds = np.append(firsts, len(order)).astype(np.int64)
    return People(face_id, identity, similarity, picture, order, numbers, bounds)


def _columns(stored: Stored, table: str, columns: list[str]) -> Iterator[pa.Table]:
    for name, _, _ in stored.index(table).shards:
        yield read_shard(shard_path(stored.run, table, name), columns)
