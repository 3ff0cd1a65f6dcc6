import pytest

from beam_pipelines import config as configuration
from beam_pipelines.driver.jobs import cut_jobs, fingerprints
from beam_pipelines.errors import ConfigError
from beam_pipelines.recipes.face_clips import RECIPE, FaceClipsConfig
from model_handlers.errors import ModelError


def load(*overrides: str) -> FaceClipsConfig:
    return configuration.load("face_clips", list(overrides))[1]


def test_the_shipped_configuration_says_what_the_code_does():
    assert load() == FaceClipsConfig()


@pytest.mark.parametrize(
    "jobs",
    [
        "[[download, shots], [spans, clips], [metadata]]",
        "[[download, shots, spans, clips], [metadata]]",
        "[[download], [shots], [parts], [spans], [clips], [metadata]]",
        "[[download, shots], [parts]]",
    ],
)
def test_it_can_be_cut_anywhere(jobs):
    config = load(f"jobs={jobs}")
    assert [
        [stage.name for stage in job.stages] for job in cut_jobs(RECIPE.stages_of(config), config.jobs)
    ] == config.jobs


@pytest.mark.parametrize(
    ("overrides", "roles"),
    [
        ([], {"face", "embedding", "brisque"}),
        (["jobs=[[download, shots]]"], set()),
        (["jobs=[[download, shots], [spans]]"], {"face", "embedding"}),
        (["spans.embedding_model=null", "clips.scores.brisque=null"], {"face"}),
        (["shots.detector=transnetv2"], {"cuts", "face", "embedding", "brisque"}),
        (["clips.scores.clip_image=clip-vit-b32"], {"face", "embedding", "brisque", "clip_image"}),
    ],
)
def test_only_the_models_of_the_jobs_are_asked_for(overrides, roles):
    assert set(RECIPE.models(load(*overrides))) == roles


def test_a_score_s_model_must_be_in_the_catalogue():
    with pytest.raises(ModelError, match="no model 'clip-vit'"):
        RECIPE.models(load("clips.scores.clip_image=clip-vit"))


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (
            "clips.scores.brisque=centerface",
            "'centerface' is named for the role brisque.* task quality; its task is face",
        ),
        ("clips.scores.clip_image=hyperiqa", "role clip_image, which needs a model of the task semantics"),
        ("spans.face_model=brisque", "role face, which needs a model of the task face"),
    ],
)
def test_a_model_of_another_task_is_refused(override, message):
    with pytest.raises(ModelError, match=message):
        RECIPE.models(load(override))


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ["spans.max_frames=32"],
            r"^--set [^:]*: spans\.max_frames must be more than \(min_samples - 1\) \* every_frames: [^(]*$",
        ),
        (
            ["spans.max_frames=5"],
            r"^--set [^:]*: spans\.max_frames must be at least \(max_missing \+ 1\) \* every_frames",
        ),
        (
            ["shots.min_seconds=3", "shots.max_seconds=5"],
            r"^--set [^:]*: shots\.max_seconds must be 0 or at least twice",
        ),
        (
            ["fetch.max_height=100", "fetch.accept.min_height=200"],
            "^--set [^:]*: fetch: max_height 100 is below accept",
        ),
    ],
)
def test_settings_that_do_not_go_together_are_refused_in_a_sentence(overrides, message):
    with pytest.raises(ConfigError, match=message):
        load(*overrides)


def test_a_block_of_one_key_keeps_the_recipe_s_other_defaults(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("recipe: face_clips\nshots: {min_seconds: 1}\n")
    shots = configuration.load(str(path))[1].shots
    assert (shots.detector, shots.fixed_seconds, shots.min_seconds) == ("fixed", 300, 1)


@pytest.mark.parametrize(
    ("override", "changed"),
    [
        ("spans.inference.threads=4", set()),
        ("clips.inference.batch_size=8", set()),
        ("fetch.retries=7", set()),
        ("clips.lmdb=true", {"clips", "metadata"}),
        ("clips.scores.brisque=null", {"clips", "metadata"}),
        ("spans.min_score=0.6", {"spans", "clips", "metadata"}),
        ("covers.beyond=1", {"covers", "anonymized"}),
        ("shots.fixed_seconds=60", {"shots", "covers", "anonymized", "parts", "spans", "clips", "metadata"}),
    ],
)
def test_stages_are_redone_when_their_rows_would_change(override, changed):
    before, after = (fingerprints(RECIPE.stages_of(load(*some)), "m") for some in ([], [override]))
    assert {name for name in before if before[name] != after[name]} == changed
