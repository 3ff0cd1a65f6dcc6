"""Which rows go when others do: every row has a key, and names by their keys the rows that it was made from.

A column is an id if its name ends in `_id`. What it names is its *kind*: the column's name, but for the few columns of
KINDS. A row goes with any row that one of its ids names, and those that name it go with it.
"""

from collections.abc import Collection, Mapping

import pyarrow as pa
import pyarrow.compute as pc

# columns whose name is not that of the key that they hold
KINDS = {
    "frame_id": "image_id",  # faces of videos have their frame as their image
    "part_id": "shot_id",
    "face_a": "face_id",
    "face_b": "face_id",
    "url": "url",
}
OF_THE_KEY = "original_id"  # the row that this one is like: of its own kind
FILES = ("media", "file", "report", "audio", "lmdb", "path")  # columns that name files, or folders, below the run

Gone = Mapping[str, Collection[str]]  # kind -> ids
Sets = Mapping[str, pa.Array]


def kind_of(column: str, key: str) -> str | None:
    """What a column of a table with this key (its first column) names; None if it is no id."""
    if column in KINDS:
        return KINDS[column]
    if column == OF_THE_KEY:
        return kind_of(key, key)
    return column if column.endswith("_id") else None


def kinds(schema: pa.Schema) -> dict[str, str]:
    """The columns of a table that are ids, each with its kind."""
    found = {f.name: kind_of(f.name, schema.names[0]) for f in schema if _is_text(f.type)}
    return {name: kind for name, kind in found.items() if kind is not None}


def key_kind(schema: pa.Schema) -> str | None:
    """The kind of a table's key; None if its first column is none that other tables name: a number, an edge's end."""
    first = schema.names[0]
    return kinds(schema).get(first) if first.endswith("_id") else None


def file_columns(schema: pa.Schema) -> list[str]:
    """The columns of a table that name files."""
    return [f.name for f in schema if f.name in FILES and _is_text(f.type)]


def as_sets(gone: Gone) -> dict[str, pa.Array]:
    """The ids of each kind as Arrow looks them up."""
    return {kind: pa.array(sorted(ids), pa.string()) for kind, ids in gone.items() if ids}


def rows_gone(table: pa.Table, sets: Sets) -> pa.ChunkedArray:
    """Whether each row (N,) goes: whether one of its ids is among those of its kind."""
    mask = pa.chunked_array([pa.array([False] * len(table), pa.bool_())])
    for name, kind in kinds(table.schema).items():
        if kind in sets:
            mask = pc.or_(mask, pc.is_in(table[name], value_set=sets[kind]))
    return mask


def _is_text(type_: pa.DataType) -> bool:
    return bool(pa.types.is_string(type_) or pa.types.is_large_string(type_))
