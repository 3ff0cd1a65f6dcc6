"""Runs of pictures with a face each and its vector, for the tests of what is measured by vectors."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from tests.transforms.bundle.synthetic_run import face_row, jpeg
from transforms.tables.rows import Embedding, Face, ListedImage
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import shard_path, to_table, write_shard

SIDE = 48  # pixels of a crop


def vector_row(face_id: str, image_id: str, vector: Sequence[float]) -> Embedding:
    numbers = np.array(vector, np.float16)
    return Embedding(face_id, None, image_id, None, "{}", 0.9, 80.0, numbers, 1.0, "some-model")


def write_vectors(run: str, name: str, rows: list[Embedding]) -> None:
    schema = arrow_schema(Embedding, vector=pa.list_(pa.float16(), len(rows[0].vector)))
    write_shard(shard_path(run, "embeddings", name), to_table(rows, schema))


def write_pictures(
    run: str,
    vectors: Mapping[str, Sequence[float]],
    no_face: Sequence[str] = (),
    no_vector: Sequence[str] = (),
    shards: int = 2,
) -> str:
    """A run of the pictures `/pictures/<name>.jpg`: those of `no_face` are in the manifest alone.

    Those of `no_vector` have a face too. The face of a picture is called `<name>-f0`. Returns the run.
    """
    faces = [*vectors, *no_vector]
    listed = [ListedImage(name, f"/pictures/{name}.jpg", None, "{}") for name in (*faces, *no_face)]
    found = [
        replace(face_row(0, jpeg(SIDE, SIDE, seed), SIDE), face_id=f"{name}-f0", image_id=name)
        for seed, name in enumerate(faces)
    ]
    rows = [vector_row(f"{name}-f0", name, vector) for name, vector in vectors.items()]
    for shard in range(shards):
        name = f"{shard:05d}"
        write_shard(shard_path(run, "manifest", name), to_table(listed[shard::shards], arrow_schema(ListedImage)))
        write_shard(shard_path(run, "faces", name), to_table(found[shard::shards], arrow_schema(Face)))
        if rows[shard::shards]:
            write_vectors(run, name, rows[shard::shards][::-1])
    return run
