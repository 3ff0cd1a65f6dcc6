"""Curation is equal, file by file, on every engine."""

import json
from functools import partial

import pytest

import manyfaces
from tests.curation_tables import tracks, write_tracks
from tests.integration.engines import (
    PROCESSES,
    local,
    on_embedded_flink,
    on_prism,
    options_of,
)
from tests.integration.runs import contents
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import shard_path, write_rows
from transforms.tables.track_rows import LeftOutTrack

# in one process with test_engines, so that Prism is built once, and nobody waits for it meanwhile
pytestmark = [pytest.mark.integration, pytest.mark.timeout(600), pytest.mark.xdist_group("test_engines")]
ROWS = tracks(200, videos=6, classes=4)
CASES = {
    "random": {"num_samples": 50},
    "video_balanced": {"num_samples_per_video": 7, "num_samples": 30},
    "class_balanced": {
        "num_samples_per_class": 12, "num_samples": 40, "min_nn_dist": 0.9, "max_spt_iou": 0.2, "min_motion": 0.1,
    },
    "min_redundancy": {"num_samples_per_class": 9},
    "max_motion": {"num_samples": 15},
}  # fmt: skip
# class_balanced asks for all that the others do: groups, distances, overlaps, motion; each takes a job's start
ENGINES = [
    pytest.param((partial(local, *PROCESSES), list(CASES)), id="direct, two processes"),
    pytest.param((on_prism, ["class_balanced"]), id="prism", marks=pytest.mark.prism),
    pytest.param((on_embedded_flink, ["class_balanced"]), id="flink, embedded", marks=pytest.mark.flink),
]


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    run = write_tracks(tmp_path_factory.mktemp("tracks"), ROWS, shards=4)
    twins = [LeftOutTrack(row.track_id, "duplicate_track", ROWS[0].track_id) for row in ROWS[1::9]]
    write_rows(shard_path(run, "left_out", "00000"), twins, arrow_schema(LeftOutTrack))
    return run


def curated(table, output, criterion, beam=()):
    manyfaces.curate(table, output=str(output), criterion=criterion, beam=beam, **CASES[criterion])
    found = contents(str(output))
    return {**found, "curation.json": json.loads(found["curation.json"])}


@pytest.fixture(scope="module")
def plain(table, tmp_path_factory):
    """Each criterion on the local runner as it is by itself."""
    folder = tmp_path_factory.mktemp("plain")
    return {criterion: curated(table, folder / criterion, criterion) for criterion in CASES}


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_chooses_the_same_tracks(engine, table, plain, tmp_path):
    start, criteria = engine
    with options_of(start) as beam:
        for criterion in criteria:
            assert curated(table, tmp_path / criterion, criterion, beam) == plain[criterion], criterion
