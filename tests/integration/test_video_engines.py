"""Both recipes for videos give equal tables and files on every engine, and on Google Cloud Storage."""

from functools import partial

import pytest

from beam_pipelines import config as configuration
from beam_pipelines.run import Order, run
from tests.integration.engines import (
    ONE_WORKER,
    PROCESSES,
    THREADS,
    local,
    on_a_flink_cluster,
    on_embedded_flink,
    on_prism,
    options_of,
)
from tests.integration.runs import assert_same_contents
from tests.integration.video_site import Take, video_site
from transforms.media import library
from transforms.tables.ledger import tally

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]
FILMS = {"a": [Take("obama-1", 20, 0.3)], "b": [Take("biden-1", 20, 0.3)]}
RECIPES = {
    "face_generation": [
        "jobs=[[download, frames, detections, faces, embeddings], [identity], [selection]]",
        "sampling.per_segment=2",
        "faces.min_sharpness=40",
        "selection.temporal=2",
    ],
    "face_clips": ["jobs=[[download, shots, spans, clips], [metadata]]", "clips.lmdb=true", "spans.min_samples=8"],
}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with video_site(tmp_path_factory.mktemp("films"), FILMS, {}) as made:
        with made.manifest.open("a") as manifest:
            manifest.write("c,http://10.0.0.1/private.mp4,,\n")
        yield made


def run_recipe(recipe, site, output, beam=()):
    overrides = [f"fetch.allow_hosts=['127.0.0.1:{site.port}']", "manifest.rows_per_shard=1", *RECIPES[recipe]]
    found, settings = configuration.load(recipe, overrides)
    run(Order(found, settings, str(site.manifest), str(output), tuple(beam)))
    return str(output)


ENGINES = [
    pytest.param(partial(local, *THREADS), id="direct, three threads"),
    pytest.param(partial(local, *PROCESSES), id="direct, two processes"),
    pytest.param(on_prism, id="prism", marks=pytest.mark.prism),
    pytest.param(on_embedded_flink, id="flink, embedded", marks=pytest.mark.flink),
    pytest.param(on_a_flink_cluster, id="flink, cluster", marks=pytest.mark.flink),
]


@pytest.fixture(scope="module")
def whole(site, tmp_path_factory):
    """A run of each recipe by one worker."""
    folder = tmp_path_factory.mktemp("whole")
    runs = {recipe: run_recipe(recipe, site, folder / recipe, ONE_WORKER) for recipe in RECIPES}
    for run_ in runs.values():
        assert tally(run_, "download").by_reason == {"kept": 2, "blocked_address": 1}
    assert tally(runs["face_clips"], "clips").by_reason == {"kept": 2}
    assert tally(runs["face_generation"], "selection").by_reason == {"kept": 2 * 3 * 2}
    return runs


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_gives_the_same_tables_and_files(engine, site, whole, tmp_path):
    with options_of(engine) as arguments:
        for recipe, one in whole.items():
            assert_same_contents(run_recipe(recipe, site, tmp_path / recipe, arguments), one)


@pytest.mark.gcs
@pytest.mark.parametrize("recipe", RECIPES)
def test_a_run_on_gcs_equals_a_local_one(recipe, gcs, site, whole, tmp_path, monkeypatch):
    monkeypatch.setenv(library.FOLDER, str(tmp_path))
    assert_same_contents(run_recipe(recipe, site, gcs.folder()), whole[recipe])
    assert list(tmp_path.iterdir()), "no video was read from where the run lies"
