"""What one item costs in each part of webbody: the figures of benchmarks/scale/costs.yaml, measured anew.

    python -m benchmarks.per_item [--only PART ...]

Each part runs in a process of its own, so that its memory is its own. CPU is that of the process, on whatever number of
threads; bytes are those of parquet files with 1,000 rows.
"""

import argparse
import hashlib
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from beam_pipelines import config as configuration
from beam_pipelines.driver.balance import counts_of_stage
from beam_pipelines.driver.jobs import cut_jobs
from beam_pipelines.driver.pipelines import row_pipeline
from beam_pipelines.driver.work import Work, pending
from beam_pipelines.runners.options import local_options
from benchmarks.results import report
from model_handlers.models import catalogue
from transforms.fetch.lists.image_settings import ManifestSettings
from transforms.fetch.lists.manifest import split_manifest
from transforms.flow.chunks import Chunk
from transforms.flow.stages import Job, RowStage
from transforms.tables.ledger import ledger_table, write_ledger
from transforms.tables.rows import Embedding
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import shard_names, shard_path, write_shard
from transforms.tables.verdicts import Verdict

Rows = list[list[str | float]]
DIMENSION = 128


@contextmanager
def timed(rows: Rows, what: str, count: int) -> Iterator[None]:
    """Add rows: CPU and wall microseconds for each of `count`, and the growth of peak memory in bytes for each."""
    wall, cpu, before = time.perf_counter(), time.process_time(), peak()
    yield
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    rows.append([f"{what}: CPU us", 1e6 * cpu / count])
    rows.append([f"{what}: wall us", 1e6 * wall / count])
    rows.append([f"{what}: peak bytes", (peak() - before) / count])


def peak() -> int:
    """The largest resident size of this process so far, bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def name(number: int) -> str:
    """An id like those that are made of URLs."""
    return hashlib.sha256(str(number).encode()).hexdigest()[:20]


def row_jobs() -> list[Job]:
    """The row jobs of webbody."""
    recipe, settings = configuration.load("webbody")
    return [job for job in cut_jobs(recipe.stages_of(settings), settings.jobs) if job.by_rows]


def description() -> Rows:
    """The pipeline's description, by chunk."""
    rows: Rows = []
    for job in row_jobs():
        reads = job.stages[0].inputs[0]
        whole = [Chunk(f"{i:06d}", reads) for i in range(100_000)]
        again = [Chunk(f"r0001-x-{i:05d}", reads, retry=True) for i in range(100_000)]
        empty = described(job, [])
        rows.append([f"{job.name}: without chunks, bytes", empty])
        with timed(rows, f"{job.name}: a chunk", len(whole)):
            rows.append([f"{job.name}: a chunk, bytes", (described(job, whole) - empty) / len(whole)])
        rows.append([f"{job.name}: a chunk of a retry, bytes", (described(job, again) - empty) / len(again)])
        rows.append([f"{job.name}: a chunk in the shuffle, bytes", shuffled(whole[-1])])
    return rows


def described(job: Job, chunks: list[Chunk]) -> int:
    """The bytes of the job's description with these chunks."""
    pipeline = beam.Pipeline(options=local_options())
    stages = tuple(stage for stage in job.stages if isinstance(stage, RowStage))
    row_pipeline(pipeline, "gs://bucket/runs/some-run", Work(stages, tuple(chunks)), "0" * 32)
    return int(pipeline.to_runner_api().ByteSize())


def shuffled(chunk: Chunk) -> int:
    """The bytes of one chunk as an element between workers."""
    return len(beam.coders.FastPrimitivesCoder().encode(chunk))


def manifest() -> Rows:
    """The split of a list with id and URL."""
    rows: Rows = []
    count = 200_000
    with tempfile.TemporaryDirectory() as run:
        path = Path(run, "list.csv")
        lines = (f"{name(i)},https://images.example.org/{name(-i)}.jpg" for i in range(count))
        path.write_text("id,url\n" + "\n".join(lines) + "\n")
        settings = ManifestSettings.model_validate({"columns": {"id": "id"}})
        with timed(rows, "a row", count):
            split_manifest(str(path), run, settings)
        for table in ("manifest", ledger_table("manifest")):
            rows.append([f"{table}, bytes a row", stored(run, table) / count])
    return rows


def stored(run: str, table: str) -> int:
    """The bytes of a table."""
    return sum(path.stat().st_size for path in Path(run, table).glob("part-*"))


def driver() -> Rows:
    """What the driver does for each shard of the row jobs besides waiting: find the work, count it, prove it."""
    rows: Rows = []
    shards = 500
    with tempfile.TemporaryDirectory() as run:
        jobs = row_jobs()
        stages = [stage for job in jobs for stage in job.stages if isinstance(stage, RowStage)]
        some = pa.table({"image_id": [name(i) for i in range(1000)]})
        verdicts = [(Verdict(name(i), "kept"), 1) for i in range(1000)]
        for shard in (f"{i:06d}" for i in range(shards)):
            for table in ("manifest", *(stage.writes for stage in stages)):
                write_shard(shard_path(run, table, shard), some)
        with timed(rows, "find work, a shard", shards):
            for work in pending(run, jobs[0]):
                work.items(run)
        for stage in stages:
            for shard in shard_names(run, "manifest"):
                write_ledger(run, stage.name, shard, verdicts)
        rows.append(["a ledger row, bytes", stored(run, ledger_table("download")) / shards / 1000])
        with timed(rows, "prove the counts, a shard", shards):
            for stage in stages:
                counts_of_stage(run, stage)
    return rows


def inference() -> Rows:
    """The CPU of each model, on one thread, and the rows and bytes that come of an image."""
    import cv2

    from benchmarks.inference import MODELS, Loop, run_job_in, stored_photographs
    from model_handlers.models import catalogue

    cv2.setNumThreads(1)
    rows: Rows = []
    photos = stored_photographs()
    known = catalogue.load()
    loop = Loop({role: known.get(name) for role, name in MODELS.items()})
    spent: defaultdict[str, float] = defaultdict(float)
    calls: Counter[str] = Counter()
    plain = loop.ask

    def watched(role: str, *arguments: Any) -> Any:
        start = time.process_time()
        answer = plain(role, *arguments)
        spent[role] += time.process_time() - start
        calls[role] += 1
        return answer

    loop.ask = watched  # type: ignore[method-assign]
    start = time.process_time()
    for data in photos:
        loop.image(data)
    whole = time.process_time() - start
    for role in MODELS:
        rows.append([f"{role}: calls an image", calls[role] / len(photos)])
        rows.append([f"{role}: CPU ms a call", 1000 * spent[role] / calls[role]])
    rows.append(["besides models: CPU ms an image", 1000 * (whole - sum(spent.values())) / len(photos)])
    with tempfile.TemporaryDirectory() as run:
        run_job_in(run, photos)
        for table in ("images", "bodies", "faces", "embeddings"):
            shards = [pq.read_table(path) for path in Path(run, table).glob("part-*")]
            rows.append([f"{table}: rows an image", sum(map(len, shards)) / len(photos)])
            joined = pa.concat_tables(shards)
            write_shard(shard_path(run, f"one-{table}", "0"), joined)
            rows.append([f"{table}: bytes a row", stored(run, f"one-{table}") / len(joined)])
    return rows


def search() -> Rows:
    """Edges, clusters and cleaning, by face; identities of eight faces."""
    from transforms.identity.columns import search_columns
    from transforms.identity.identity_stage import WriteIdentities, edge_table
    from transforms.identity.knn import block_edges, neighbour_rows
    from transforms.identity.similarity import number
    from transforms.identity.thresholds import of_model

    rows: Rows = []
    count, block = 200_000, 4096
    _, settings = configuration.load("webbody")
    identity = of_model(settings.identity, catalogue.load().get("dlib-resnet")).settings  # type: ignore[attr-defined]
    identity = identity.model_copy(update={"edges": identity.edges.model_copy(update={"block": count})})
    with tempfile.TemporaryDirectory() as run:
        write_embeddings(run, count)
        with timed(rows, "read for the search, a face", count):
            faces = search_columns(run, within_label=False)
        k, floor = identity.edges.k, number(identity.edges.min_similarity)
        neighbours = neighbour_rows(faces.units, faces.bounds, k)
        start = time.process_time()
        found = block_edges(faces.units, faces.bounds, 0, block, k, floor, neighbours)
        seconds = time.process_time() - start
        rows.append(["search: GFLOP/s a core", 2e-9 * block * count * DIMENSION / seconds])
        rows.append(["search: edges a face", len(found) / block])
        write_shard(shard_path(run, "few", "0"), edge_table(faces.face_id, found))
        rows.append(["edges: bytes an edge", stored(run, "few") / max(1, len(found))])
        edges = eights(faces.units)
        write_shard(shard_path(run, "edges", "00000"), edge_table(faces.face_id, edges))
        del faces, found
        with timed(rows, "cluster and clean, a face", count):
            list(WriteIdentities(run, identity).process(0))
        rows.append(["identities: bytes a row", stored(run, "identities") / count])
    return rows


def eights(units: np.ndarray) -> Any:
    """The edges among each eight rows that are one person."""
    from transforms.identity.knn import edges_of, pair_similarity

    first, second = np.triu_indices(8, 1)
    starts = np.arange(0, len(units) - 7, 8)[:, None]
    a, b = (starts + first).ravel(), (starts + second).ravel()
    return edges_of(a, b, pair_similarity(units, a, b))


def write_embeddings(run: str, count: int) -> None:
    """Faces of people of eight pictures each, the eight near to one another and far from all others."""
    dice = np.random.default_rng(0)
    schema = arrow_schema(Embedding, vector=pa.list_(pa.float16(), DIMENSION))
    for shard in range(count // 1000):
        people = np.repeat(dice.normal(size=(125, DIMENSION)), 8, axis=0)
        vectors = (people + 0.15 * dice.normal(size=people.shape)).astype(np.float16)
        names = [name(shard * 1000 + i) for i in range(1000)]
        columns = {
            "face_id": [f"{image}-b0-f0" for image in names],
            "body_id": [f"{image}-b0" for image in names],
            "image_id": names,
            "label": [None] * 1000,
            "source": ["{}"] * 1000,
            "face_score": [0.9] * 1000,
            "face_px": [120.0] * 1000,
            "norm": [1.0] * 1000,
            "model": ["dlib-resnet"] * 1000,
        }
        arrays = [
            pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), DIMENSION)
            if f.name == "vector"
            else pa.array(columns[f.name], f.type)
            for f in schema
        ]
        write_shard(shard_path(run, "embeddings", f"{shard:06d}"), pa.table(arrays, schema=schema))


def plan() -> Rows:
    """The look-ups of the one process that draws the splits, and of that which plans the bundle; the deduplication."""
    from transforms.fetch.deduplicate_stage import compare
    from transforms.tables.lookup import places

    rows: Rows = []
    shards, count = 1000, 1_000_000
    with tempfile.TemporaryDirectory() as run:
        for shard in range(shards):
            numbers = range(shard * 1000, shard * 1000 + 1000)
            images = {"image_id": [name(i) for i in numbers], "sha256": [f"{i:064x}" for i in numbers]}
            write_shard(shard_path(run, "images", f"{shard:06d}"), pa.table(images))
        with timed(rows, "deduplicate, an image", count):
            compare(run)
    count = 4_000_000
    keys = pa.array((f"{name(i)}-b0" for i in range(count)), pa.large_string())
    wanted = keys.take(pa.array(np.random.default_rng(0).permutation(count)))
    with timed(rows, "splits and bundle: a face and table", count):
        places(wanted, (keys.slice(start, 1000) for start in range(0, count, 1000)))
    return rows


PARTS: dict[str, Callable[[], Rows]] = {
    part.__name__: part for part in (description, manifest, driver, inference, search, plan)
}


def main() -> None:
    """Run the parts and print their figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", choices=PARTS, default=list(PARTS))
    parts = parser.parse_args().only
    if len(parts) == 1:
        report(f"per_item-{parts[0]}", parts[0], ["", "figure"], PARTS[parts[0]]())
        return
    for part in parts:
        subprocess.run([sys.executable, "-m", "benchmarks.per_item", "--only", part], check=True)


if __name__ == "__main__":
    main()
