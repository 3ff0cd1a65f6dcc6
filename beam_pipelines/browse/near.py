"""Which faces are near to given ones: by the run's own edges, or by comparing vectors where they are few."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from beam_pipelines.browse.stored import Stored
from transforms.identity.columns import as_matrix, usable
from transforms.identity.knn import unit
from transforms.tables.shards import open_arrow, shard_path

MOST_VECTORS = 200_000  # that are compared with one: about a second on one core
_ROWS_AT_A_TIME = 65_536


@dataclass(frozen=True, slots=True, eq=False)
class Near:
    """Pairs of a face that was asked for, `own` (P,), and another, `other` (P,), the most similar first.

    similarity (P,): cosine, -1 to 1. source: the table that they come from.
    """

    own: list[str]
    other: list[str]
    similarity: list[float]
    source: str


NOTHING_NEAR = Near([], [], [], "")


def by_edges(stored: Stored, faces: list[str], most: int, is_inside: bool = False) -> Near:
    """The `most` similar edges of these faces; edges between two of them only if `is_inside`."""
    wanted = pa.array(faces, pa.string())
    best = pa.table(
        {"own": pa.array([], pa.string()), "other": pa.array([], pa.string()), "s": pa.array([], pa.float32())}
    )
    for edges in _batches(stored, "edges", ["face_a", "face_b", "similarity"]):
        is_own = [pc.is_in(edges[end], value_set=wanted) for end in ("face_a", "face_b")]
        for own, other in ((0, 1), (1, 0)):
            hit = is_own[own] if is_inside else pc.and_(is_own[own], pc.invert(is_own[other]))
            ends = [edges[("face_a", "face_b")[end]].filter(hit) for end in (own, other)]
            found = pa.table({"own": ends[0], "other": ends[1], "s": edges["similarity"].filter(hit)})
            best = pa.concat_tables([best, found.cast(best.schema)])
        if len(best) > 4 * most + 4096:
            best = _first(best, most)
    best = _first(best, most)
    return Near(best["own"].to_pylist(), best["other"].to_pylist(), best["s"].to_pylist(), "edges")


def _first(pairs: pa.Table, most: int) -> pa.Table:
    """The most similar pairs, each once: two blocks may have found the same one."""
    pairs = pairs.group_by(["own", "other"]).aggregate([("s", "max")]).rename_columns(["own", "other", "s"])
    return pairs.sort_by([("s", "descending"), ("other", "ascending")]).slice(0, most)


def by_vectors(stored: Stored, face: str, most: int) -> Near:
    """The faces whose vectors are most similar to that of one face; nothing if it has none, or they are too many."""
    if not stored.has("embeddings") or stored.index("embeddings").rows > MOST_VECTORS:
        return NOTHING_NEAR
    query = _vector(stored, face)
    if query is None:
        return NOTHING_NEAR
    names: list[str] = []
    cosines: list[npt.NDArray[np.float32]] = []
    for table in _batches(stored, "embeddings", ["face_id", "vector"]):
        vectors = as_matrix(pa.chunked_array([table["vector"]]))
        if len(vectors) and vectors.shape[1] == len(query):
            rows = np.flatnonzero(usable(vectors))
            similarity = (unit(vectors[rows]) @ query).astype(np.float32)
            top = np.argsort(-similarity, kind="stable")[: most + 1]
            names += table["face_id"].take(pa.array(rows[top])).to_pylist()
            cosines.append(similarity[top])
    similarity = np.concatenate(cosines)
    order = [place for place in np.argsort(-similarity, kind="stable").tolist() if names[place] != face][:most]
    return Near([face] * len(order), [names[i] for i in order], similarity[order].tolist(), "embeddings")


def _vector(stored: Stored, face: str) -> npt.NDArray[np.float32] | None:
    """The unit vector (D,) of a face; None if it has none with a direction."""
    row = 0
    for keys in _batches(stored, "embeddings", ["face_id"]):
        place = pc.index(keys["face_id"], pa.scalar(face, pa.string())).as_py()
        if place >= 0:
            vectors = as_matrix(stored.take("embeddings", [row + place], ["vector"])["vector"])
            return np.asarray(unit(vectors)[0], np.float32) if usable(vectors)[0] else None
        row += len(keys)
    return None


def _batches(stored: Stored, table: str, columns: list[str]) -> Iterator[pa.RecordBatch]:
    for name, _, _ in stored.index(table).shards:
        with open_arrow(shard_path(stored.run, table, name)) as file:
            yield from pq.ParquetFile(file).iter_batches(_ROWS_AT_A_TIME, columns=columns)
