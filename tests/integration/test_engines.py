"""One configuration gives equal tables and files on every engine, and videos on Google Cloud Storage.

Ids, boxes and labels are equal, and embeddings bit for bit.
"""

from functools import partial

import pytest

from beam_pipelines import config as configuration
from beam_pipelines.driver.order import Order
from beam_pipelines.driver.run import run
from tests.integration.engines import (
    PROCESSES,
    THREADS,
    local,
    on_a_flink_cluster,
    on_embedded_flink,
    on_prism,
    options_of,
)
from tests.integration.runs import assert_same_contents, assert_same_run, column, run_webbody
from tests.integration.video_site import Take, video_site
from transforms.tables.ledger import tally
from transforms.videos import library

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]
FILMS = {"a": [Take("obama-1", 20, 0.3)], "b": [Take("biden-1", 20, 0.3)]}
PHOTOGRAPHS = (
    "jobs=[[download, bodies, faces, embeddings], [identity], [bundle, splits]]"  # a job takes seconds to start
)
RECIPES = {
    "face_generation": [
        "jobs=[[download, frames, detections, faces, embeddings], [identity], [selection]]",
        "sampling.per_segment=2",
        "faces.min_sharpness=40",
        "selection.temporal=2",
    ],
    "face_clips": ["jobs=[[download, shots, spans, clips], [metadata]]", "clips.lmdb=true", "spans.min_samples=8"],
    "object_tracks": [
        "jobs=[[download, shots, filters, covers], [objects, tracks], [distinct], [clips], [bundle]]",
        "shots={detector: none, min_seconds: 0.5}",
        "covers.every_frames=5",
        "objects.frame_rate=4",
        "tracks.min_seconds=0.5",
        "bundle.formats=[trackverse, mot, coco_video]",
    ],
}
# A whole run takes half a minute or more: each recipe is tried where workers are threads and where they are processes,
# and each engine with a recipe or two; whole tables and looking covers up, as object_tracks does, need processes.
WEBBODY = "webbody"
ENGINES = [
    pytest.param((partial(local, *THREADS), ["face_generation"]), id="direct, three threads"),
    pytest.param((partial(local, *PROCESSES), [WEBBODY, "object_tracks"]), id="direct, two processes"),
    pytest.param((on_prism, [WEBBODY, "face_clips"]), id="prism", marks=pytest.mark.prism),
    pytest.param((on_embedded_flink, ["face_clips"]), id="flink, embedded", marks=pytest.mark.flink),
    pytest.param(
        (on_a_flink_cluster, [WEBBODY, "object_tracks"]), id="flink, two task managers", marks=pytest.mark.flink
    ),
]


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    with video_site(tmp_path_factory.mktemp("films"), FILMS, {}) as made:
        with made.manifest.open("a") as manifest:
            manifest.write("c,http://10.0.0.1/private.mp4,,\n")
        yield made


def run_recipe(recipe, films, output, beam=()):
    overrides = [f"fetch.allow_hosts=['127.0.0.1:{films.port}']", "manifest.rows_per_shard=1", *RECIPES[recipe]]
    found, settings = configuration.load(recipe, overrides)
    run(Order(found, settings, str(films.manifest), str(output), tuple(beam)))
    return str(output)


@pytest.fixture(scope="module")
def whole_films(films, tmp_path_factory):
    """A run of each recipe for videos on the local runner as it is by itself."""
    folder = tmp_path_factory.mktemp("whole")
    runs = {recipe: run_recipe(recipe, films, folder / recipe) for recipe in RECIPES}
    for run_ in runs.values():
        assert tally(run_, "download").by_reason == {"kept": 2, "blocked_address": 1}
    assert tally(runs["face_clips"], "clips").by_reason == {"kept": 2}
    assert tally(runs["face_generation"], "selection").by_reason == {"kept": 2 * 3 * 2}
    for stage in ("covers", "tracks", "distinct", "clips", "bundle"):  # one person in each film: one track, one clip
        assert tally(runs["object_tracks"], stage).by_reason == {"kept": 2}, stage
    assert all(column(runs["object_tracks"], "clips", "covered"))
    return runs


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_gives_the_same_tables_and_files(engine, site, whole_run, films, whole_films, tmp_path):
    start, recipes = engine
    with options_of(start) as beam:
        for recipe in recipes:
            if recipe == WEBBODY:
                made = run_webbody(site.manifest, tmp_path / recipe, site.port, PHOTOGRAPHS, beam=beam)
                assert_same_run(made, whole_run)
            else:
                assert_same_contents(run_recipe(recipe, films, tmp_path / recipe, beam), whole_films[recipe])


@pytest.mark.gcs
@pytest.mark.parametrize("recipe", ["face_clips", "object_tracks"])
def test_videos_on_gcs_give_the_same_as_local_ones(recipe, gcs, films, whole_films, tmp_path, monkeypatch):
    monkeypatch.setenv(library.FOLDER, str(tmp_path))
    assert_same_contents(run_recipe(recipe, films, gcs.folder()), whole_films[recipe])
    assert list(tmp_path.iterdir()), "no video was read from where the run lies"
