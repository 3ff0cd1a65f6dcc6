"""What clustering and cleaning hold in memory: the last step of the stage identity on a run with its edges.

    OMP_NUM_THREADS=1 python -m benchmarks.identity_memory 1000000 [--set arcface-mf2] [--method average]

The run is made of a generated set (`benchmarks.face_sets`) and has the edges of a search with k = 64: those that
`benchmarks.method_parts edges` found, or else made ones, which are as many: each face's to up to 32 others of its
person, and the rest to anybody. Clustering and cleaning are then a process of its own, whose peak is told.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

from benchmarks.face_sets import FOLDER, REPORTING, SETS, FaceSet, make
from benchmarks.results import report
from transforms.identity.identity_stage import WriteIdentities, edge_table, plan_blocks
from transforms.identity.knn import Edges, edges_of, pair_similarity
from transforms.identity.settings import CleanSettings, ClusterSettings, EdgeSettings, IdentitySettings
from transforms.tables.rows import Embedding
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import shard_path, write_shard

K, BLOCK, ROWS = 64, 65_536, 65_536
_TO_GB = 2**30 if sys.platform == "darwin" else 2**20


def settings(method: str, link: float) -> IdentitySettings:
    """Thresholds in the middle of an ArcFace's range."""
    cleaning = CleanSettings(
        merge_similarity=0.7, ambiguous_similarity=0.65, leakage_similarity=0.7, duplicate_similarity=0.98
    )
    clusters = ClusterSettings(method=method, link_similarity=link)  # type: ignore[arg-type]
    return IdentitySettings(
        edges=EdgeSettings(k=K, min_similarity=min(link, 0.1), block=BLOCK), clusters=clusters, cleaning=cleaning
    )


def write_run(faces: FaceSet, run: str, chosen: IdentitySettings) -> int:
    """The tables embeddings and edges; returns how many edges there are."""
    count = len(faces.person)
    ids = pa.array([f"p{row:08d}-b0-f0" for row in range(count)])
    for shard, at in enumerate(range(0, count, ROWS)):
        rows = slice(at, at + ROWS)
        write_shard(shard_path(run, "embeddings", f"{shard:05d}"), _embeddings(faces, ids[rows], rows))
    edges = _edges(faces)
    bounds = np.searchsorted(edges.first, [block.start for block in plan_blocks(run, chosen)] + [count])
    for block, low, high in zip(plan_blocks(run, chosen), bounds[:-1], bounds[1:], strict=True):
        some = edges.where(slice(low, high))  # type: ignore[arg-type]
        write_shard(shard_path(run, "edges", block.name), edge_table(ids, some), {"input": block.input})
    return len(edges)


def _embeddings(faces: FaceSet, ids: pa.Array, rows: slice) -> pa.Table:
    vectors = np.asarray(faces.vectors[rows]).astype(np.float16)
    count = len(vectors)
    same = {"source": "{}", "face_score": 0.9, "face_px": 100.0, "norm": 1.0, "model": "made"}
    made = {
        "face_id": ids,
        "body_id": pa.array([face.as_py()[:-3] for face in ids]),
        "image_id": pa.array([f"i{image}" for image in faces.image[rows].tolist()]),
        "label": pa.array([f"l{label}" for label in faces.label[rows].tolist()]),
        "vector": pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), vectors.shape[1]),
    }
    schema = arrow_schema(Embedding, vector=made["vector"].type)
    columns = [made[f.name] if f.name in made else pa.array([same[f.name]] * count) for f in schema]
    return pa.table([column.cast(f.type) for column, f in zip(columns, schema, strict=True)], schema=schema)


def _edges(faces: FaceSet) -> Edges:
    names = ("first", "second", "similarity")
    if (faces.home / "similarity.npy").exists():
        return edges_of(*(np.load(faces.home / f"{name}.npy") for name in names))
    random, count = np.random.default_rng(0), len(faces.person)
    order = np.argsort(faces.person, kind="stable")
    pairs = [
        np.stack([order[:-step], order[step:]])[:, faces.person[order[:-step]] == faces.person[order[step:]]]
        for step in range(1, 33)
    ]
    left = max(0, count * K * 3 // 4 - sum(part.shape[1] for part in pairs))
    strangers = random.integers(0, count, (2, left))
    first, second = np.concatenate([*pairs, strangers[:, strangers[0] != strangers[1]]], axis=1)
    made = edges_of(first, second, np.zeros(len(first), np.float32))
    return Edges(made.first, made.second, pair_similarity(np.asarray(faces.vectors), made.first, made.second))


def main() -> None:
    """Make the run, and measure in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("faces", type=int, nargs="?", default=100_000)
    parser.add_argument("--set", choices=SETS, default="arcface-mf2")
    parser.add_argument("--method", default="average")
    parser.add_argument("--link", type=float, default=0.4)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--run", help=argparse.SUPPRESS)
    given = parser.parse_args()
    chosen = settings(given.method, given.link)
    if given.run:
        identities = next(WriteIdentities(given.run, chosen).process(0))
        used = resource.getrusage(resource.RUSAGE_SELF)
        print(json.dumps([identities, used.ru_utime + used.ru_stime, used.ru_maxrss / _TO_GB]))
        return
    with tempfile.TemporaryDirectory(dir=given.folder) as run:
        begin = time.process_time()
        edges = write_run(make(given.set, given.faces, REPORTING, given.folder), run, chosen)
        print(f"{edges:,} edges; made in {time.process_time() - begin:.0f} s", flush=True)
        command = [sys.executable, "-m", "benchmarks.identity_memory", *sys.argv[1:], "--run", run]
        told = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout.splitlines()[-1])
    rows: list[list[str | float]] = [[given.method, f"{given.faces:,}", f"{edges:,}", f"{told[0]:,}", *told[1:]]]
    heading = f"clustering and cleaning of {given.set}, link {given.link:g}, one process"
    report("identity_memory", heading, ["", "faces", "edges", "identities", "CPU s", "GB"], rows)


if __name__ == "__main__":
    main()
