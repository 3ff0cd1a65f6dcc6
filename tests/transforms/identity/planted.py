"""Embeddings of planted people in a run's folder, and the pipelines that find them again."""

import apache_beam as beam
import numpy as np
import pyarrow as pa
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from transforms.identity.settings import CleanSettings, ClusterSettings, EdgeSettings, IdentitySettings
from transforms.tables.rows import Embedding
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import read_column, shard_path, to_table, write_shard

DIMENSION = 64
SCHEMA = arrow_schema(Embedding, vector=pa.list_(pa.float16(), DIMENSION))


def run_pipeline(transform):
    options = PipelineOptions(["--direct_running_mode=multi_threading", "--direct_num_workers=2"])
    with beam.Pipeline(runner=FnApiRunner(), options=options) as pipeline:
        _ = pipeline | transform


def embedding(number, vector, label="a", score=0.99, image=None, px=120.0):
    image = image or f"i{number:05d}"
    norm = float(np.linalg.norm(vector.astype(np.float64)))
    return Embedding(
        f"{image}-b0-f0", f"{image}-b0", image, label, "{}", score, px, vector.astype(np.float16), norm, "planted"
    )


def write_embeddings(run, rows, shards=3):
    for shard in range(shards):
        write_shard(shard_path(run, "embeddings", f"{shard:05d}"), to_table(rows[shard::shards], SCHEMA))


def planted(people, faces, seed=0, noise=0.5, labels=True):
    """Embeddings of people, the person of each, and 10 % strangers (person -1), in no order."""
    random = np.random.default_rng(seed)
    person = np.r_[np.repeat(np.arange(people), faces), np.full(people * faces // 10, -1)]
    random.shuffle(person)
    centres = random.normal(size=(people, DIMENSION))
    vectors = np.where(
        person[:, None] >= 0, centres[person] + noise * random.normal(size=(len(person), DIMENSION)), 0
    ) + np.where(person[:, None] < 0, random.normal(size=(len(person), DIMENSION)), 0)
    label = [f"label{(p if p >= 0 else i % people)}" if labels else None for i, p in enumerate(person.tolist())]
    return [embedding(i, v, label[i]) for i, v in enumerate(vectors)], person


STRICT = {
    "merge_similarity": 0.97,
    "ambiguous_similarity": 0.96,
    "leakage_similarity": 0.96,
    "duplicate_similarity": 0.99,
}
WITHIN = IdentitySettings(
    edges=EdgeSettings(min_similarity=0.6, block=37),
    clusters=ClusterSettings(link_similarity=0.65),
    cleaning=CleanSettings(**STRICT),
)
WHOLE = IdentitySettings(
    edges=EdgeSettings(k=8, min_similarity=0.6, within_label=False, block=37),
    clusters=ClusterSettings(method="connected", link_similarity=0.65, keep="all"),
    cleaning=CleanSettings(**STRICT),
)


def identities(run):
    return read_column(
        run, "identities", ["face_id", "cluster", "identity", "similarity", "reason", "label", "image_id"]
    )
