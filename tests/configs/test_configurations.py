"""The configurations that come with manyfaces, beside the defaults in code."""

import re

import pytest
import yaml

import configs
from beam_pipelines import config as configuration
from beam_pipelines.recipes import RECIPES
from model_handlers.errors import ModelError
from model_handlers.models import catalogue
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


def identity(name, *overrides):
    """The settings of the stage identity as a run of the configuration has them, with all numbers."""
    recipe, settings = configuration.load(name, list(overrides))
    (stage,) = (stage for stage in recipe.stages_of(settings) if stage.name == "identity")
    return stage.settings["identity"]


@pytest.mark.parametrize("name", ["webbody", "face_generation"])
def test_a_configuration_has_the_thresholds_of_the_model_that_it_names(name):
    for model in ("fr-feature", "dlib-resnet"):
        overrides = [f"embeddings.model={model}", "identity.clusters.small_face_px=0"]
        settings, own = identity(name, *overrides), catalogue.load().get(model).similarities
        link = {"webbody": own.group_link, "face_generation": own.link}[name]  # average linkage, and DBSCAN
        assert (settings.clusters.link_similarity, settings.cleaning.leakage_similarity) == (link, own.leakage)
        assert settings.edges.min_similarity == {"webbody": own.edge, "face_generation": own.link}[name]


@pytest.mark.parametrize(
    ("overrides", "numbers"),
    [
        ([], (0.3, 0.38, 0.62, 0.62, 0.62, 0.97)),
        (["embeddings.model=dlib-resnet"], (0.9, 0.935, 0.97, 0.965, 0.96, 0.996)),
        (["identity.clusters.method=connected"], (0.3, 0.5, 0.62, 0.62, 0.62, 0.97)),
    ],
)
def test_webbody_s_numbers_are_those_that_its_configuration_speaks_of(overrides, numbers):
    found = identity("webbody", *overrides)
    cleaning = found.cleaning
    assert numbers == (
        found.edges.min_similarity,
        found.clusters.link_similarity,
        cleaning.merge_similarity,
        cleaning.ambiguous_similarity,
        cleaning.leakage_similarity,
        cleaning.duplicate_similarity,
    )


def test_the_distances_of_persons_and_spans_stand_with_their_model():
    films = [configuration.load(name)[1].embeddings.model for name in ("person_clustering", "face_generation")]
    assert films == ["dlib-resnet", "dlib-resnet"]
    spans = configuration.load("face_clips")[1].spans
    assert (spans.embedding_model, spans.max_distance) == ("dlib-resnet", 0.075)


def test_the_reference_s_thresholds_stand_with_its_model_too():
    left_out = [
        f"identity.{key}=null"
        for key in (
            "edges.min_similarity", "clusters.link_similarity", "cleaning.merge_similarity",
            "cleaning.ambiguous_similarity", "cleaning.leakage_similarity", "cleaning.duplicate_similarity",
        )
    ]  # fmt: skip
    assert identity("webbody-gpu", *left_out) == identity("webbody-gpu")


def test_a_model_without_thresholds_of_its_own_asks_for_them():
    with pytest.raises(ModelError, match=r"identity\.clusters\.link_similarity: the model sface has no similarities"):
        identity("webbody", "embeddings.model=sface")
    assert identity("webbody", "embeddings.model=sface", "identity.clusters.link_similarity=auto")
    without_the_stage = configuration.load("webbody", ["embeddings.model=sface", "jobs=[[download]]"])
    assert without_the_stage[0].stages_of(without_the_stage[1])


def test_numbers_of_another_model_are_refused():
    with pytest.raises(ModelError, match=r"clusters\.link_similarity: 0\.945 is another embedding model's number"):
        identity("webbody", "embeddings.model=fr-feature", "identity.clusters.link_similarity=0.945")
