"""The configurations that come with manyfaces, beside the defaults in code."""

import re

import pytest
import yaml

import configs
from beam_pipelines import config as configuration
from beam_pipelines.recipes import RECIPES
from transforms.settings import Settings

WITH_GPU = ("webbody", "face_clips", "face_generation", "object_tracks", "person_clustering")
SHIPPED = (*RECIPES, *(f"{name}-gpu" for name in WITH_GPU))


def text(name: str) -> str:
    return (configs.FOLDER / f"{name}.yaml").read_text()


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_alone_is_its_shipped_configuration(name, tmp_path):
    (tmp_path / "alone.yaml").write_text(f"recipe: {name}\n")
    alone, shipped = configuration.load(str(tmp_path / "alone.yaml"))[1], configuration.load(name)[1]
    for key, block in shipped:
        assert getattr(alone, key) == block, key
    assert alone == shipped


@pytest.mark.parametrize("name", RECIPES)
def test_a_block_s_own_key_leaves_the_recipe_s_other_defaults(name, tmp_path):
    shipped = configuration.load(name)[1]
    for key, block in shipped:
        if isinstance(block, Settings):
            first = next(iter(block.model_dump(mode="json").items()))
            (tmp_path / "one.yaml").write_text(yaml.safe_dump({"recipe": name, key: dict([first])}))
            assert configuration.load(str(tmp_path / "one.yaml"))[1] == shipped, key


@pytest.mark.parametrize("name", SHIPPED)
def test_every_key_that_has_a_value_says_what_it_does(name):
    lines = text(name).splitlines()
    silent = [line for line in lines if re.match(r" *[a-z_]+: *[^ #]", line) and "#" not in line]
    assert silent == [line for line in lines if line.startswith("recipe:")]


# of the reference system; see also test_face_generation_recipe.py and test_face_clips_recipe.py
REFERENCE = {
    "fetch": {"store": {"mode": "border", "size": 640, "only_if_bigger": False, "quality": 85}},
    "bodies": {"min_score": 0.7, "max_bodies": 6, "padding": 0.05},
    "identity": {
        "edges": {"k": 0, "min_similarity": 0.3, "within_label": True},
        "clusters": {"method": "dbscan", "link_similarity": 0.3, "min_samples": 2, "keep": "largest"},
        "cleaning": {
            "min_face_score": 0.95, "merge_similarity": 0.7, "ambiguous_similarity": 0.6, "leakage_similarity": 0.7,
            "duplicate_similarity": 0.9,
        },
    },
}  # fmt: skip


def test_the_gpu_profile_carries_the_reference_s_thresholds_itself():
    written = yaml.safe_load(text("webbody-gpu"))
    assert written["identity"] == REFERENCE["identity"]
    assert written["fetch"] == REFERENCE["fetch"]
    assert written["bodies"].items() >= REFERENCE["bodies"].items()
    resolved = configuration.load("webbody-gpu")[1].model_dump(mode="json")
    assert resolved["identity"]["clusters"]["min_size"] == resolved["identity"]["cleaning"]["min_images"] == 2
    assert resolved["splits"]["seed"] == 42
    bundle = resolved["bundle"]
    assert (bundle["body_side"], bundle["fill"], bundle["quality"]) == (384, [255, 255, 255], 95)


def test_thresholds_of_dlib_s_descriptors_go_with_that_model():
    """The numbers that docs/benchmarks.md measured."""
    for name in ("webbody", "face_generation"):
        settings = configuration.load(name)[1]
        assert settings.embeddings.model == "dlib-resnet"
        assert settings.identity.clusters.link_similarity == 0.945
        assert settings.identity.cleaning.leakage_similarity == 0.96
    cleaning = configuration.load("webbody")[1].identity.cleaning
    assert (cleaning.merge_similarity, cleaning.ambiguous_similarity, cleaning.duplicate_similarity) == (
        0.97,
        0.96,
        0.99,
    )
