"""What every recipe's stages are made from: settings, models and device, and nothing that is only about how."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import yaml

from beam_pipelines import config as configuration
from beam_pipelines.driver.jobs import fingerprints
from beam_pipelines.recipes import RECIPES
from beam_pipelines.recipes.recipe import schema
from model_handlers.models import catalogue
from model_handlers.models.handlers import Placement, numbers_from
from model_handlers.models.roles import KnownModels
from transforms.flow.stages import made_from
from transforms.settings import Settings, what
from transforms.videos.shot_settings import ShotSettings
from transforms.videos.shots_stage import find_shots

IMAGES = (
    "connections connect_timeout stall_timeout total_timeout retries backoff max_backoff max_redirects "
    "max_buffer_bytes per_host host_interval user_agent contact allow_hosts allow_paths proxy verify_tls"
)
VIDEOS = (
    "downloads per_host host_interval stall_timeout total_timeout retries backoff max_backoff max_memory user_agent "
    "contact allow_hosts allow_paths proxy verify_tls cookies js_runtime accept.probe_seconds accept.probe_memory"
)
HOW = {
    "webbody": {
        *(f"fetch.{key}" for key in IMAGES.split()), "bodies.inference", "faces.inference", "embeddings.inference",
        "identity.edges.block", "bundle.threads",
    },
    "face_generation": {
        *(f"fetch.{key}" for key in VIDEOS.split()), "shots.threads", "detections.inference", "faces.inference",
        "embeddings.inference", "identity.edges.block", "covers.find.inference",
    },
    "face_clips": {
        *(f"fetch.{key}" for key in VIDEOS.split()), "shots.threads", "covers.find.inference", "spans.inference",
        "clips.inference",
    },
    "object_tracks": {
        *(f"fetch.{key}" for key in VIDEOS.split()), "shots.threads", "filters.inference", "covers.find.inference",
        "objects.inference",
    },
    "person_clustering": {
        *(f"fetch.{key}" for key in VIDEOS.split()), "shots.threads", "detections.inference", "faces.inference",
        "clothes.inference", "embeddings.inference",
    },
    "anonymize": {*(f"fetch.{key}" for key in VIDEOS.split()), "shots.threads", "covers.find.inference"},
    "anonymize_images": {*(f"fetch.{key}" for key in IMAGES.split()), "find.inference"},
}  # fmt: skip
# what a block is of no use without
OVERRIDES = {
    "face_generation": ["sampling.method=per_shot"],
    "object_tracks": ["jobs=[[download, shots], [filters, covers], [parts], [objects], [tracks], [clips]]"],
}
BY_MODEL = {"models", "identity"}  # their numbers are the models', and not as they are written
NO_BLOCKS = {"models", "flink", "dataflow", "monitoring", "manifest"}  # of no stage


def keys(plain: dict[str, Any], before: str = "") -> Iterator[str]:
    for name, value in plain.items():
        yield before + name
        if isinstance(value, dict):
            yield from keys(value, f"{before}{name}.")


@pytest.mark.parametrize("name", RECIPES)
def test_no_row_depends_on_these_settings_and_no_others(name):
    settings = configuration.load(name)[1]
    found = set()
    for key, block in settings:
        if isinstance(block, Settings) and key not in NO_BLOCKS:
            left_out = {f"{key}.{one}" for one in keys(block.model_dump(mode="json"))}
            left_out -= {f"{key}.{one}" for one in keys(what(block))}
            found |= {one for one in left_out if one.rpartition(".")[0] not in left_out}
    assert found == HOW[name]


@pytest.mark.parametrize("name", RECIPES)
def test_every_block_is_in_what_some_stage_is_made_from(name):
    recipe, settings = configuration.load(name, OVERRIDES.get(name))
    made = [made_from(stage) for stage in recipe.stages_of(settings)]
    assert all(json.dumps(one) for one in made)
    blocks = {key for key, block in settings if isinstance(block, Settings)} - NO_BLOCKS
    assert {key for one in made for key in one} - {"models"} == blocks
    assert all(one[key] == what(getattr(settings, key)) for one in made for key in one if key not in BY_MODEL)


@pytest.mark.parametrize("name", RECIPES)
def test_the_schema_has_the_recipe_s_own_default_of_every_key(name):
    recipe, settings = configuration.load(name)
    made = schema(recipe.config)

    def check(block: dict[str, Any], values: dict[str, Any], before: str) -> None:
        for key, value in values.items():
            described = block["properties"][key]
            inner = made["$defs"].get(described.get("$ref", "").rpartition("/")[2])
            if inner is None:
                assert described.get("default") == value, before + key
            else:
                check(inner, value, f"{before}{key}.")

    check(made, settings.model_dump(mode="json"), "")


def stale(name: str, *overrides: str) -> list[str]:
    """The stages whose fingerprints the overrides change."""

    def prints(*given: str) -> dict[str, str]:
        recipe, settings = configuration.load(name, list(given))
        return fingerprints(recipe.stages_of(settings), "m")

    before, after = prints(), prints(*overrides)
    return [stage for stage in before if before[stage] != after[stage]]


WEBBODY = ["deduplicate", "bodies", "faces", "embeddings", "identity", "bundle", "splits"]
FACE_CLIPS = ["covers", "anonymized", "spans", "clips", "metadata"]
TRACKS = ["objects", "tracks", "distinct", "clips", "bundle"]
COVERED = "jobs=[[download, shots], [filters, covers], [objects], [tracks], [distinct], [clips], [bundle]]"
PERSONS = ["frames", "detections", "faces", "clothes", "embeddings", "persons", "pictures"]
MADE = [  # of a recipe: stages with models and what comes after them
    ("webbody", ["models.device=cuda"], WEBBODY[1:]),
    ("webbody", ["embeddings.inference.batch_size=8"], []),
    ("webbody", ["identity.edges.block=1", "bundle.threads=1"], []),
    ("webbody", ["identity.clusters.min_size=3"], WEBBODY[4:]),
    ("face_clips", ["models.device=cuda"], ["covers", "anonymized", "spans", "clips", "metadata"]),
    (
        "face_clips",
        ["models.device=cuda", 'jobs=[["download"]]'],
        ["covers", "anonymized", "spans", "clips", "metadata"],
    ),
    ("object_tracks", ["tracks.min_seconds=1"], ["tracks", "distinct", "clips", "bundle"]),
    ("object_tracks", ["objects.vocabulary=lvis"], ["objects", "tracks", "distinct", "clips", "bundle"]),
    ("object_tracks", ["filters.dark.least=9"], ["filters", "covers", "parts", *TRACKS]),
    ("object_tracks", ["paint.how=fill"], []),
    ("object_tracks", [COVERED], ["clips"]),
    ("person_clustering", ["pictures.files=2"], ["pictures"]),
    ("person_clustering", ["persons.merging.passes=2"], ["persons", "pictures"]),
    ("person_clustering", ["clothes.model=null"], ["clothes", "persons", "pictures"]),
    ("person_clustering", ["sampling.skip_seconds=9"], PERSONS),
    ("person_clustering", ["shots.detector=content"], PERSONS),
]


@pytest.mark.parametrize(("name", "overrides", "stages"), MADE)
def test_the_stages_that_a_setting_makes_stale(name, overrides, stages):
    assert stale(name, *overrides) == stages


# changes of the entry fr-feature in a catalogue of one's own
ENTRIES = [
    ({}, []),
    ({"batch_size": 1, "note": "mine", "licence": "MIT", "profile": "gpu", "commercial": False}, []),
    ({"dimension": 64}, WEBBODY[3:]),
    ({"converted_sha256": "0" * 64}, WEBBODY[3:]),
]


@pytest.mark.parametrize(("change", "stages"), ENTRIES)
def test_what_of_a_model_makes_its_stage_stale(tmp_path, change, stages):
    path = tmp_path / "models.yaml"
    entry = catalogue.load().get("fr-feature").model_dump(mode="json", exclude={"name"}) | change
    path.write_text(yaml.safe_dump({"models": {"fr-feature": entry}}))
    assert stale("webbody", f"models.catalogue={path}") == stages


def test_another_version_of_a_codec_makes_its_stage_stale(monkeypatch):
    from model_handlers.codecs import dlib_resnet

    before = numbers_from(catalogue.load().get("dlib-resnet"))
    newer = replace(dlib_resnet.codec(), version=before["codec_version"] + 1)
    monkeypatch.setattr(dlib_resnet, "codec", lambda: newer)
    after = numbers_from(catalogue.load().get("dlib-resnet"))
    assert after == before | {"codec_version": before["codec_version"] + 1}


def test_a_side_of_the_configuration_stands_in_place_of_the_catalogue_s(tmp_path):
    path = tmp_path / "models.yaml"
    entry = catalogue.load().get("centerface").model_dump(mode="json", exclude={"name"}) | {"options": {"side": 96}}
    path.write_text(yaml.safe_dump({"models": {"centerface": entry}}))
    mine = f"models.catalogue={path}"
    assert stale("webbody", mine) == []  # faces.detector_side is given
    assert "faces" in stale("webbody", mine, "faces.detector_side=null")
    recipe, settings = configuration.load("webbody", [mine, "faces.detector_side=null"])
    assert recipe.models(settings)["face"].options == {"side": 96}
    recipe, settings = configuration.load("webbody", [mine])
    assert recipe.models(settings)["face"].options == {"side": 320}


def test_a_stage_without_models_knows_no_device():
    known = KnownModels(catalogue.load(), Placement("cuda"))
    assert "models" not in made_from(find_shots(ShotSettings(), known))
    assert made_from(find_shots(ShotSettings(detector="transnetv2"), known))["models"]["device"] == "cuda"
