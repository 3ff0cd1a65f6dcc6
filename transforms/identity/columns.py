"""Columns of the run's tables as arrays: vectors without a copy, ids as Arrow, labels and images as numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from transforms.identity.knn import F32, I64, Mask, unit
from transforms.tables.files import open_binary
from transforms.tables.schemas import Vector
from transforms.tables.shards import read_column

_ROWS_AT_A_TIME = 65_536


@dataclass(frozen=True, eq=False)  # without slots: shared between threads through a weak reference
class SearchColumns:
    """What the search for edges needs: face_id (N,), units (N,D) and bounds of groups (G+1,), group by group.

    is_new (N,): faces that were in no search before; None: all.
    """

    face_id: pa.Array
    units: F32
    bounds: I64
    is_new: Mask | None = None


def as_text(column: pa.ChunkedArray) -> pa.Array:
    """The strings in one array, of any total size."""
    return column.cast(pa.large_string()).combine_chunks()


def as_codes(column: pa.ChunkedArray) -> I64:
    """A number (N,) for each string, equal for equal ones; -1 for null. Only equality means anything."""
    codes: I64 = as_text(column).dictionary_encode().indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return codes.astype(np.int64)


def as_matrix(column: pa.ChunkedArray) -> Vector:
    """A column of vectors as (N,D), in its own float type. ValueError for missing vectors or several lengths."""
    if len(column) == 0:
        return np.zeros((0, 1), np.float16)
    parts = [_matrix(chunk) for chunk in column.chunks if len(chunk)]
    if len({part.shape[1] for part in parts}) > 1:
        raise ValueError("the vectors have several lengths; they come from several models and cannot be compared.")
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _matrix(chunk: Any) -> Vector:
    if chunk.null_count:
        raise ValueError("a vector is missing.")
    lengths = pc.unique(pc.list_value_length(chunk)).to_pylist()
    if len(lengths) != 1 or not lengths[0]:
        raise ValueError("the vectors have several lengths, or none; they cannot be compared.")
    values = chunk.flatten()
    if values.null_count or not pa.types.is_floating(values.type):
        raise ValueError(f"a vector must be a list of numbers without gaps, not {chunk.type}.")
    return values.to_numpy(zero_copy_only=True).reshape(len(chunk), lengths[0])  # type: ignore[no-any-return]


def usable(vectors: Vector) -> npt.NDArray[np.bool_]:
    """Whether each vector (N,D) has a direction: finite and not zero."""
    found = np.zeros(len(vectors), bool)
    for start in range(0, len(vectors), _ROWS_AT_A_TIME):
        some = vectors[start : start + _ROWS_AT_A_TIME]
        found[start : start + len(some)] = np.isfinite(some).all(axis=1) & (some != 0).any(axis=1)
    return found


def sorted_by_face(run: str, columns: list[str], shards: Sequence[str] | None = None) -> pa.Table:
    """Columns of `embeddings`, or of some shards of it, sorted by face id (which is one of them).

    ValueError if a face stands there twice.
    """
    table = read_column(run, "embeddings", columns, shards)
    table = table.set_column(table.schema.get_field_index("face_id"), "face_id", as_text(table["face_id"]))
    table = table.take(pc.sort_indices(table["face_id"]))
    if len(table) > 1:
        twice = pc.equal(table["face_id"].slice(1), table["face_id"].slice(0, len(table) - 1))
        if pc.any(twice).as_py():
            face = table["face_id"].slice(1).filter(twice)[0].as_py()
            raise ValueError(
                f"{run}: the face {face} stands twice in the table embeddings; delete the shards and embed again."
            )
    return table


def search_columns(
    run: str, within_label: bool, known: Sequence[str] = (), new: Sequence[str] | None = None
) -> SearchColumns:
    """The usable vectors of the run, sorted by label (if faces are searched within it) and face id.

    Of some shards only, if `new` are given: those of `known` shards have been searched before.
    """
    table = sorted_by_face(run, ["face_id", "label", "vector"], None if new is None else [*known, *new])
    vectors = as_matrix(table["vector"])
    group = as_codes(table["label"]) if within_label else np.zeros(len(table), np.int64)
    order = np.argsort(group, kind="stable")
    order = order[usable(vectors)[order]]
    firsts = np.flatnonzero(np.diff(group[order], prepend=-2))
    face_id = as_text(table["face_id"]).take(pa.array(order))
    is_new = None
    if known:
        searched = as_text(read_column(run, "embeddings", ["face_id"], known)["face_id"])
        is_new = ~pc.is_in(face_id, value_set=searched).to_numpy(zero_copy_only=False)
    return SearchColumns(face_id, unit(vectors[order]), np.append(firsts, len(order)).astype(np.int64), is_new)


def validation_centres(path: str, dimension: int) -> F32:
    """The unit centres (V,D) of the validation identities in a file.

    `.npy`: an array (V,D) of one centre each, or of vectors, each then guarded against by itself; `.parquet`: columns
    `identity` and `vector`, whose vectors are summed by identity. ValueError, in one sentence, if it cannot be that.
    """
    try:
        sums = _read_npy(path) if path.endswith(".npy") else _read_parquet(path)
    except (ValueError, KeyError, OSError, pa.ArrowException) as error:
        raise ValueError(
            f"validation_identities {path} cannot be read: {error} It must be a .npy array of centres, or a .parquet "
            "file with the columns identity and vector."
        ) from error
    if sums.ndim != 2 or sums.shape[1] != dimension or not np.isfinite(sums).all():
        raise ValueError(
            f"validation_identities {path} has the shape {sums.shape}; finite vectors of the length {dimension}, as "
            "the embedding model of the run gives them, are needed."
        )
    return unit(sums)


def _read_npy(path: str) -> Vector:
    with open_binary(path) as file:
        array = np.lib.format.read_array(file, allow_pickle=False)
    if not np.issubdtype(array.dtype, np.floating):
        raise ValueError(f"its numbers are {array.dtype}, not floating point.")
    return array


def _read_parquet(path: str) -> Vector:
    with open_binary(path) as file:
        table = pq.read_table(pa.PythonFile(file, mode="r"), columns=["identity", "vector"])
    if len({"identity", "vector"}.intersection(table.column_names)) < 2:
        raise ValueError("the columns identity and vector are not both there.")
    code = table["identity"].combine_chunks().dictionary_encode().indices
    if code.null_count:
        raise ValueError("an identity is missing.")
    vectors = as_matrix(table["vector"])
    place = code.to_numpy(zero_copy_only=False)
    sums = np.zeros((int(place.max(initial=-1)) + 1, vectors.shape[1]))
    np.add.at(sums, place, vectors.astype(np.float64))
    return sums
