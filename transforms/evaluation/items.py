"""Which faces of a run a user's items mean, by whatever name: file name, URL or id."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from transforms.evaluation.item_names import (
    FACE,
    FRAME,
    I8,
    I64,
    ITEM,
    SEVERAL,
    UNKNOWN,
    item_column,
    meaning_of,
)
from transforms.tables.lookup import rows_of
from transforms.tables.shards import column_names, iter_tables

NOT_IN_RUN, AMBIGUOUS, NO_FACE, HAS_FACE = range(4)


@dataclass(frozen=True, slots=True, eq=False)
class NamedFaces:
    """The faces that N names mean.

    state (N,): NOT_IN_RUN, AMBIGUOUS (the name of several items), NO_FACE (an item without a row in `faces`) or
    HAS_FACE. name (F,): places of names, ascending; face_id (F,): their faces, the largest of each name first. A name
    has one face, or, if it is that of a video, one of each frame that has a face; two names may mean the same face.
    """

    state: I8
    name: I64
    face_id: pa.Array


def faces_of(run: str, names: pa.Array) -> NamedFaces:
    """The faces that names (N,) mean: text (large_string), no null and none twice.

    A name is that of an image, a video, a sampled frame or a face: its id, its URL, or the end of the URL's path, such
    as the file's name. An image or a frame means its largest face, a video the largest face of each of its frames.
    """
    meant = meaning_of(run, names)
    item = item_column(run)
    picture = "frame_id" if "frame_id" in column_names(run, "faces") else item
    found = [_NONE]
    for kind, column in ((ITEM, item), (FRAME, "frame_id"), (FACE, "face_id")):
        own = np.flatnonzero(meant.kind == kind)
        if len(own):
            found.append(_faces(run, own, meant.id.take(pa.array(own)), column, picture))
    faces = pa.concat_tables(found)
    order = np.lexsort((-faces["area"].to_numpy(), faces["name"].to_numpy()))
    faces = faces.take(pa.array(order))
    name = faces["name"].to_numpy()
    state = np.full(len(names), NO_FACE, np.int8)
    state[meant.kind == UNKNOWN] = NOT_IN_RUN
    state[meant.kind == SEVERAL] = AMBIGUOUS
    state[name] = HAS_FACE
    return NamedFaces(state, name, faces["face_id"].combine_chunks())


_NONE = pa.table(
    {
        "name": pa.array([], pa.int64()),
        "face_id": pa.array([], pa.large_string()),
        "area": pa.array([], pa.float64()),
    }
)


def _faces(run: str, names: I64, ids: pa.Array, column: str, picture: str) -> pa.Table:
    """The faces of names (N,) that mean what has these ids (N,) in a column of `faces`: name, face_id, area."""
    codes = ids.dictionary_encode()
    rows = [_NONE_READ, *_read(run, codes.dictionary, column, picture)]
    table = pa.concat_tables(rows).sort_by("face_id")  # of two faces of one size, the first by id
    order = np.lexsort((-table["area"].to_numpy(), _codes(table["picture"])))
    of_picture = _codes(table["picture"])[order]
    largest = np.flatnonzero(np.diff(of_picture, prepend=-1))
    table = table.take(pa.array(order[largest]))
    return _each_name(names, codes.indices.to_numpy().astype(np.int64), table)


_NONE_READ = _NONE.rename_columns(["id", "face_id", "area"]).append_column("picture", pa.array([], pa.large_string()))


def _read(run: str, ids: pa.Array, column: str, picture: str) -> Iterator[pa.Table]:
    """The rows of `faces` that have one of the ids in the column: its place, face_id, area, picture."""
    own = "face_id" if column == "face_id" else picture  # a face that is named itself need not be the largest
    parts = iter_tables(run, "faces", list(dict.fromkeys([column, own, "face_id", "box"])))
    for place, rows in rows_of(ids, parts, column):
        corners = rows["box"].combine_chunks().flatten().to_numpy().reshape(-1, 4).astype(np.float64)
        area = (corners[:, 2] - corners[:, 0]) * (corners[:, 3] - corners[:, 1])
        text = [rows[name].cast(pa.large_string()) for name in ("face_id", own)]
        yield pa.table([pa.array(place), text[0], pa.array(area), text[1]], _NONE_READ.column_names)


def _codes(column: pa.ChunkedArray) -> I64:
    codes: I64 = column.combine_chunks().dictionary_encode().indices.to_numpy().astype(np.int64)
    return codes


def _each_name(names: I64, codes: I64, faces: pa.Table) -> pa.Table:
    """The faces once for each name (N,) that means their id, numbered as in codes (N,)."""
    by_code = np.argsort(codes, kind="stable")
    id_ = faces["id"].to_numpy()
    first, end = (np.searchsorted(codes[by_code], id_, side=side) for side in ("left", "right"))
    count = end - first
    row = np.repeat(np.arange(len(id_)), count)
    within = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    name = names[by_code[first[row] + within]]
    return pa.table(
        [pa.array(name, pa.int64()), *faces.take(pa.array(row)).select(["face_id", "area"])], _NONE.column_names
    )
