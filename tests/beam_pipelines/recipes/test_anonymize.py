import pytest

from beam_pipelines import config as configuration
from beam_pipelines.driver.jobs import cut_jobs
from beam_pipelines.errors import ConfigError
from beam_pipelines.recipes import anonymize, anonymize_images, face_clips, face_generation

RECIPES = {module.RECIPE.name: module.RECIPE for module in (anonymize, anonymize_images, face_clips, face_generation)}


def load(name, *overrides):
    return configuration.load(name, list(overrides))[1]


@pytest.mark.parametrize(
    ("name", "jobs"),
    [
        ("anonymize", None),
        ("anonymize", "[[download], [shots], [covers], [anonymized]]"),
        ("anonymize", "[[download, shots, covers]]"),
        ("anonymize_images", None),
        ("anonymize_images", "[[download, anonymized]]"),
        ("face_clips", "[[download, shots, covers], [anonymized], [spans, clips], [metadata]]"),
        ("face_generation", "[[download, shots, covers], [anonymized], [frames, detections, faces]]"),
    ],
)
def test_it_can_be_cut_so(name, jobs):
    config = load(name, *([] if jobs is None else [f"jobs={jobs}"]))
    cut = cut_jobs(RECIPES[name].stages_of(config), config.jobs)
    assert [[stage.name for stage in job.stages] for job in cut] == config.jobs


def test_covers_must_be_whole_before_anything_is_written():
    config = load("anonymize", "jobs=[[download, shots, covers, anonymized]]")
    with pytest.raises(ConfigError, match="which no job before its own writes"):
        cut_jobs(RECIPES["anonymize"].stages_of(config), config.jobs)


@pytest.mark.parametrize(
    ("name", "overrides", "roles"),
    [
        ("anonymize", [], {"face"}),
        ("anonymize_images", [], {"face"}),
        ("anonymize", ["covers.find.plate_model=lpd-yunet"], {"face", "plate"}),
        ("anonymize_images", ["find.plate_model=lpd-yunet", "find.face_model=null"], {"plate"}),
    ],
)
def test_the_models_are_those_that_are_configured(name, overrides, roles):
    assert set(RECIPES[name].models(load(name, *overrides))) == roles


PARTS = "jobs=[[download, shots], [covers], [parts]]"
CLIPS = "jobs=[[download, shots], [covers], [spans, clips]]"


@pytest.mark.parametrize(
    ("name", "overrides", "message"),
    [
        ("anonymize", ["covers.find.face_model=null"], "with neither, nothing would be covered"),
        ("face_clips", [PARTS], "parts.cuts must be exact with the stage covers"),
        ("face_clips", ["clips.cover=true"], "clips.cover needs the stage covers"),
    ],
)
def test_what_would_not_be_covered_is_refused(name, overrides, message):
    with pytest.raises(ConfigError, match=message):
        load(name, *overrides)


@pytest.mark.parametrize(
    ("overrides", "stage", "covered"),
    [
        ([], "clips", False),
        ([CLIPS], "clips", False),
        ([CLIPS, "clips.cover=true"], "clips", True),
        ([PARTS, "parts.cuts=exact"], "parts", True),
        (["jobs=[[download, shots], [parts]]"], "parts", False),
    ],
)
def test_stages_of_face_clips_cover_what_they_write_if_they_are_to(overrides, stage, covered):
    config = load("face_clips", *overrides)
    found = {one.name: one for one in RECIPES["face_clips"].stages_of(config)}[stage]
    assert ("covers" in found.inputs) == covered
    assert ("paint" in found.settings) == covered
