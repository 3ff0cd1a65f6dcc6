"""The candidates of a run as one table without their crops: what selection and metadata need to know of them."""

from collections.abc import Iterator
from dataclasses import fields
from itertools import groupby
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.curation.persons import Candidate
from transforms.tables.shards import read_column, read_shard, shard_names, shard_path

_MEASURES = ["score", "yaw", "pitch", "roll", "sharpness", "frontality", "face_ratio", "emotion_score"]
_OF_FACES = [f.name for f in fields(Candidate) if f.name not in ("shard", "row")] + _MEASURES
_ROWS_AT_A_TIME = 4096


def read_candidates(run: str) -> pa.Table:
    """The faces that have an identity or are noise, by identity (noise last) and id.

    Columns of `faces`; identity and similarity of `identities`; shard and row, where the face stands. ValueError if
    `faces` lacks a face of `identities`.
    """
    parts = [_shard(run, name) for name in shard_names(run, "faces")]
    persons = read_column(run, "identities", ["face_id", "identity", "similarity"])
    if not parts:
        raise FileNotFoundError(f"the run {run} has no table faces; run the stages before selection first.")
    faces = pa.concat_tables(parts)
    place = pc.index_in(faces["face_id"], value_set=persons["face_id"].combine_chunks())
    if len(place) - place.null_count != len(persons):
        raise ValueError(f"{run}: identities are of another state of the run than faces; run the stage identity again.")
    faces = faces.filter(place.is_valid())
    found = persons.take(place.drop_null())
    for name in ("identity", "similarity"):
        faces = faces.append_column(name, found[name])
    return faces.sort_by([("identity", "ascending"), ("face_id", "ascending")])


def _shard(run: str, name: str) -> pa.Table:
    table = read_shard(shard_path(run, "faces", name), _OF_FACES).replace_schema_metadata()
    table = table.append_column("shard", pa.array([name] * len(table), pa.string()))
    return table.append_column("row", pa.array(np.arange(len(table), dtype=np.int64)))


def iter_dicts(table: pa.Table) -> Iterator[dict[str, Any]]:
    """The rows of a table, few of them in memory at a time."""
    for batch in table.to_batches(max_chunksize=_ROWS_AT_A_TIME):
        yield from batch.to_pylist()


def persons(candidates: pa.Table) -> Iterator[tuple[int, tuple[Candidate, ...]]]:
    """Each person's number and faces, in order; noise is nobody's."""
    names = [f.name for f in fields(Candidate)]
    kept = candidates.filter(pc.is_valid(candidates["identity"])).select(["identity", *names])
    for number, rows in groupby(iter_dicts(kept), key=lambda row: row["identity"]):
        yield number, tuple(Candidate(**{name: row[name] for name in names}) for row in rows)
