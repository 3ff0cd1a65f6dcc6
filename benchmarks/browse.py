"""How long the pages of `manyfaces browse` take on a generated run: `python -m benchmarks.browse [IDENTITIES]`.

The tables are made of arrays: identities of 2 to 40 faces in Zipf's sizes, shards of 5,000 faces with a small JPEG
each, 128-D vectors, and 8 edges a face.
"""

import statistics
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from threading import Thread
from urllib.parse import urlencode

import cv2
import numpy as np
import pyarrow as pa

from beam_pipelines.browse.command import open_site
from beam_pipelines.browse.server import Server
from benchmarks.results import report
from transforms.tables.rows import Edge, Embedding, Face, Identity, ListedImage
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import read_shard, shard_path, write_shard

_SHARD, _DIMENSION, _EDGES, _TRIES = 5000, 128, 8, 7


def write_run(run: str, identities: int) -> int:
    """Write the tables; returns the number of faces."""
    random = np.random.default_rng(0)
    sizes = np.clip(random.zipf(1.8, identities) + 1, 2, 40)
    identity = random.permutation(np.repeat(np.arange(identities), sizes))
    ids = [f"{number:020x}-b0-f0" for number in random.permutation(len(identity))]
    order = np.argsort(ids)
    crops = [_jpeg(random) for _ in range(64)]
    for shard, start in enumerate(range(0, len(ids), _SHARD)):
        some = range(start, min(start + _SHARD, len(ids)))
        for table, rows in _shard(ids, some, crops, random):
            write_shard(shard_path(run, table, f"{shard:05d}"), rows)
    similarity = random.uniform(0.4, 0.95, len(ids)).astype(np.float32)
    sorted_ids = pa.array(ids).take(pa.array(order))
    columns = [sorted_ids, pa.nulls(len(ids), pa.string()), sorted_ids, pa.array(["a label"] * len(ids))]
    columns += [pa.array(["{}"] * len(ids)), sorted_ids, pa.array(identity[order]), pa.array(similarity)]
    table = pa.table([*columns, pa.array([""] * len(ids))], schema=arrow_schema(Identity))
    write_shard(shard_path(run, "identities", "00000"), table)
    _write_edges(run, pa.array(ids), identity, random)
    return len(ids)


def _jpeg(random: np.random.Generator) -> bytes:
    small = random.integers(0, 255, (14, 14, 3), np.uint8)
    return bytes(cv2.imencode(".jpg", cv2.resize(small, (160, 160), interpolation=cv2.INTER_CUBIC))[1].tobytes())


def _shard(
    ids: list[str], some: range, crops: list[bytes], random: np.random.Generator
) -> Iterator[tuple[str, pa.Table]]:
    """The rows of one shard of each table of faces."""
    faces = [ids[number] for number in some]
    images, count = [face[:20] for face in faces], len(faces)
    zeros = np.zeros(count, np.float32)
    landmarks = pa.array([[[0.0, 0.0]] * 5] * count)
    labels, source, urls = ["a label"] * count, ["{}"] * count, [f"https://example.org/{name}.jpg" for name in images]
    yield "manifest", pa.table([images, urls, labels, source], schema=arrow_schema(ListedImage))
    bodies = [face[:-3] for face in faces]
    content = [faces, bodies, images, labels, source, [[0.0, 0.0, 1.0, 1.0]] * count, zeros, landmarks]
    content += [[crops[number % 64] for number in some], np.full(count, 160, np.int32), landmarks, [None] * count]
    schema = arrow_schema(Face)
    cells = [pa.array(column, field.type) for column, field in zip([*content, *[zeros] * 4], schema, strict=True)]
    yield "faces", pa.table(cells, schema=schema)
    schema = arrow_schema(Embedding, vector=pa.list_(pa.float16(), _DIMENSION))
    vectors = random.normal(size=count * _DIMENSION).astype(np.float16)
    listed = pa.FixedSizeListArray.from_arrays(pa.array(vectors), _DIMENSION)
    content = [faces, bodies, images, labels, source, zeros, zeros, listed, zeros, ["a model"] * count]
    yield "embeddings", pa.table([pa.array(c, f.type) for c, f in zip(content, schema, strict=True)], schema=schema)


def _write_edges(run: str, ids: pa.Array, identity: np.ndarray, random: np.random.Generator) -> None:
    by_identity = np.argsort(identity, kind="stable")
    for block, start in enumerate(range(0, len(ids), 65_536)):
        own = np.repeat(np.arange(start, min(start + 65_536, len(ids))), _EDGES)
        other = by_identity[(own + np.tile(np.arange(1, _EDGES + 1), len(own) // _EDGES)) % len(ids)]
        similarity = random.uniform(0.3, 0.9, len(own)).astype(np.float32)
        columns = [ids.take(pa.array(own)), ids.take(pa.array(other)), pa.array(similarity)]
        write_shard(shard_path(run, "edges", f"{block:05d}"), pa.table(columns, schema=arrow_schema(Edge)))


def main() -> None:
    """Write a run, ask for each page several times, and tell the times."""
    identities = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as folder:
        run = f"{folder}/run"
        faces = write_run(run, identities)
        server = Server(open_site(run))
        Thread(target=server.serve_forever, daemon=True).start()
        rows = [
            (f"{name} {urlencode(fields)}"[:70], *_times(server, name, fields)) for name, fields in _pages(run, faces)
        ]
        server.shutdown()
        server.server_close()
    heading = f"pages of {identities:,} identities with {faces:,} faces, milliseconds"
    report("browse", heading, ("page", "the first time", "then, median"), rows)


def _pages(run: str, faces: int) -> list[tuple[str, dict[str, str | int]]]:
    some = read_shard(shard_path(run, "identities", "00000"), ["face_id", "identity"]).slice(faces // 2, 1)
    face, number = some["face_id"][0].as_py(), some["identity"][0].as_py()
    return [
        ("tables", {}),
        ("table", {"name": "faces", "start": faces - 50}),
        ("table", {"name": "identities", "start": faces // 2}),
        ("table", {"name": "embeddings", "start": faces // 2}),
        ("table", {"name": "manifest", "q": "no such word"}),
        ("identities", {}),
        ("identities", {"order": "least alike", "start": 50_000 if faces > 100_000 else 0}),
        ("identity", {"number": number}),
        ("near", {"number": number}),
        ("face", {"id": face}),
        ("search", {"q": face}),
        ("picture", {"table": "faces", "shard": "00000", "row": 99, "column": "crop"}),
        ("marks", {}),
    ]


def _times(server: Server, name: str, fields: dict[str, str | int]) -> tuple[float, float]:
    """Milliseconds of the first request, and the median of those behind it."""
    times = []
    for _ in range(_TRIES):
        begun = time.perf_counter()
        with urllib.request.urlopen(f"{server.address}{name}?{urlencode(fields)}") as answer:
            answer.read()
        times.append(1000 * (time.perf_counter() - begun))
    return times[0], statistics.median(times[1:])


if __name__ == "__main__":
    main()
