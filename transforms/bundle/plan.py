"""The plan of a bundle: which image has which number, stands in which file, and where its bytes are.

Images are numbered 0..N-1 by (identity, face_id), but a file takes them in the order in which the bodies lie in their
table, so that writing a file is one pass over a run of consecutive shards, and files can be written in parallel. The
plan is the table `bundle_index`, one shard a file.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from transforms.tables.files import open_binary
from transforms.tables.pointers import Pointers, locate
from transforms.tables.schemas import arrow_schema, column
from transforms.tables.shards import read_shard, shard_names, shard_path, write_shard

INDEX = "bundle_index"
_KEPT = ["identity", "face_id", "body_id", "image_id", "label", "source"]
_TEXT = pa.large_string()  # while joining, a column of ids may pass 2 GB


@dataclass(frozen=True, slots=True, eq=False)
class BundleEntry:
    """A row of `bundle_index`: an image of the bundle and where its bytes are; shards hold it in the file's order."""

    record: int = column(pa.int64(), "key: 0..N-1 by (identity, face_id); the number of the image in every format")
    identity: int = column(pa.int64(), "the class: the number of the identity")
    face_id: str = column(pa.string(), "the face")
    body_id: str = column(pa.string(), "the body")
    image_id: str = column(pa.string(), "the image")
    label: str | None = column(pa.string(), "source label", nullable=True)
    source: str = column(pa.string(), "other columns of the manifest, JSON")
    file: int = column(pa.int32(), "number of the bundle file")
    face_shard: str = column(pa.string(), "shard of `faces` that has the face")
    face_row: int = column(pa.int32(), "row in that shard, from 0")
    body_shard: str = column(pa.string(), "shard of `bodies` that has the body")
    body_row: int = column(pa.int32(), "row in that shard, from 0")


def file_name(number: int) -> str:
    """The name of a bundle file, and of its shards in the tables of the bundle."""
    return f"{number:06d}"


def kept_faces(run: str) -> pa.Table:
    """The faces that cleaning kept, by (identity, face_id): record, and the columns of _KEPT.

    Some numbers may lack, of identities that are no more. ValueError for a face that stands twice.
    """
    faces = _read_kept(run)
    order = pc.sort_indices(faces, [("identity", "ascending"), ("face_id", "ascending")])
    faces = faces.take(order).combine_chunks()
    _check_faces(run, faces)
    return faces.add_column(0, "record", pa.array(np.arange(len(faces), dtype=np.int64)))


def _read_kept(run: str) -> pa.Table:
    schema = pa.schema([("identity", pa.int64()), *((name, _TEXT) for name in _KEPT[1:])])
    parts = [schema.empty_table()]
    for name in shard_names(run, "identities"):
        with open_binary(shard_path(run, "identities", name)) as file:
            parquet = pq.ParquetFile(pa.PythonFile(file, mode="r"))
            for batch in parquet.iter_batches(1 << 16, columns=[*_KEPT, "reason"]):
                kept = pc.and_(pc.equal(batch["reason"], ""), pc.is_valid(batch["identity"]))
                parts.append(pa.table(batch.filter(kept).select(_KEPT)).cast(schema))
    return pa.concat_tables(parts)


def _check_faces(run: str, faces: pa.Table) -> None:
    if len(faces) and pc.count_distinct(faces["face_id"]).as_py() != len(faces):
        raise ValueError(f"{run}: a face stands twice in the table identities; run the stage identity again.")


def write_index(run: str, records_per_file: int) -> int:
    """Write `bundle_index`; returns the number of files of the bundle (0 if no face was kept)."""
    faces = kept_faces(run)
    body = locate(run, "bodies", "body_id", _one(faces["body_id"]))
    face = locate(run, "faces", "face_id", _one(faces["face_id"]))
    order = np.lexsort((face.row, face.shard, body.row, body.shard))
    files = -(-len(order) // records_per_file)
    for number in range(files):
        chosen = order[number * records_per_file : (number + 1) * records_per_file]
        path = shard_path(run, INDEX, file_name(number))
        write_shard(path, _index_shard(faces, face, body, chosen, number))
    return files


def mend_index(run: str) -> None:
    """Have the entries of the index point to where their rows are now; shards of which none moved stay as they are."""
    shards = {name: read_shard(shard_path(run, INDEX, name)) for name in shard_names(run, INDEX)}
    if not any(map(len, shards.values())):
        return
    entries = pa.concat_tables(shards.values())
    now = entries
    for prefix, table in (("face", "faces"), ("body", "bodies")):
        key = f"{prefix}_id"
        for name, values in _places(locate(run, table, key, _one(entries[key].cast(_TEXT))), prefix).items():
            now = now.set_column(now.schema.get_field_index(name), now.schema.field(name), values)
    start = 0
    for name, shard in shards.items():
        mended = now.slice(start, len(shard))
        start += len(shard)
        if not mended.equals(shard):
            write_shard(shard_path(run, INDEX, name), mended.cast(arrow_schema(BundleEntry)))


def _places(pointers: Pointers, prefix: str) -> dict[str, pa.Array]:
    """The columns of the index that say where rows are: shard and row."""
    names = pa.DictionaryArray.from_arrays(pa.array(pointers.shard), pa.array(pointers.names, pa.string()))
    return {f"{prefix}_shard": names.cast(pa.string()), f"{prefix}_row": pa.array(pointers.row)}


def _index_shard(faces: pa.Table, face: Pointers, body: Pointers, chosen: np.ndarray, number: int) -> pa.Table:
    entries = faces.take(pa.array(chosen))
    columns = {name: entries[name] for name in faces.column_names}
    columns["file"] = pa.array(np.full(len(chosen), number, np.int32))
    for prefix, pointers in (("face", face), ("body", body)):
        columns |= _places(Pointers(pointers.names, pointers.shard[chosen], pointers.row[chosen]), prefix)
    schema = arrow_schema(BundleEntry)
    return pa.table([columns[f.name].cast(f.type) for f in schema], schema=schema)


def _one(text: pa.ChunkedArray) -> pa.Array:
    return pa.concat_arrays(text.chunks) if text.num_chunks else pa.array([], text.type)
