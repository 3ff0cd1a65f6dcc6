"""What the stages of face_generation depend on, and which models and limits a configuration asks for."""

import json

import pytest

from beam_pipelines import config as configuration
from beam_pipelines.driver.jobs import cut_jobs, fingerprints
from beam_pipelines.errors import ConfigError
from beam_pipelines.recipes.face_generation import RECIPE, FaceGenerationConfig

STAGES = ["download", "frames", "detections", "faces", "candidates", "embeddings", "identity", "selection"]
NO_CANDIDATES = 'jobs=[["download","frames","detections","faces"],["embeddings"],["identity"],["selection"]]'


def load(*overrides):
    recipe, settings = configuration.load("face_generation", list(overrides))
    assert recipe is RECIPE
    return settings


def prints(*overrides):
    return fingerprints(RECIPE.stages_of(load(*overrides)), "m")


def test_the_shipped_configuration_says_what_the_code_does():
    assert load() == FaceGenerationConfig()


def test_the_thresholds_are_the_published_ones():
    settings = load()
    faces = settings.faces
    assert (faces.min_face_px, faces.margin, faces.side) == (100, 0.3, 512)
    assert (faces.min_sharpness, faces.min_score, faces.max_yaw, faces.max_pitch) == (100, 0.6, 30, 25)
    assert faces.min_frontality == 0.6
    assert settings.detections.detector_side == 640
    assert (settings.sampling.method, settings.sampling.per_segment) == ("segments", 30)
    assert (settings.candidates.max_faces_per_video, settings.candidates.max_bytes) == (50, 2**30)
    assert (settings.selection.high_quality, settings.selection.temporal) == (10, 5)
    assert settings.fetch.accept.min_height == 720
    assert (settings.identity.clusters.method, settings.identity.clusters.min_samples) == ("dbscan", 3)
    assert not settings.identity.edges.within_label


def test_what_a_block_leaves_out_has_the_recipe_s_default(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(
        "recipe: face_generation\nfetch: {max_height: 800, accept: {max_seconds: 60}}\n"
        "identity: {clusters: {link_similarity: 0.97}}\n"
    )
    settings, defaults = configuration.load(str(path))[1], FaceGenerationConfig()
    assert settings.fetch.accept.min_height == 720
    assert settings.identity.clusters == defaults.identity.clusters.model_copy(update={"link_similarity": 0.97})
    assert (settings.identity.edges, settings.identity.cleaning) == (
        defaults.identity.edges,
        defaults.identity.cleaning,
    )
    assert FaceGenerationConfig(**settings.model_dump()) == settings


def test_the_recipe_can_be_cut_anywhere():
    settings = load(f"jobs={json.dumps([[name] for name in STAGES])}")
    assert [job.name for job in cut_jobs(RECIPE.stages_of(settings), settings.jobs)] == STAGES
    assert len(cut_jobs(RECIPE.stages_of(load()), load().jobs)) == 5


def test_embeddings_need_what_candidates_leave_out_only_where_they_are_asked():
    by_name = {stage.name: stage for stage in RECIPE.stages_of(load(NO_CANDIDATES))}
    assert by_name["embeddings"].without is None
    assert RECIPE.limit(load(NO_CANDIDATES)) is None
    by_name = {stage.name: stage for stage in RECIPE.stages_of(load())}
    assert by_name["embeddings"].without == "left_out"
    with pytest.raises(ConfigError, match="table faces, which no job before its own writes"):
        cut_jobs(RECIPE.stages_of(load()), [["candidates"]])


def test_the_limit_is_that_of_the_candidates(tmp_path):
    limit = RECIPE.limit(load("chunks_per_wave=3"))
    assert (limit.stage, limit.chunks_per_wave, limit.reason) == ("faces", 3, "over_size_limit")
    assert limit.reached(str(tmp_path), set()) is None
    assert RECIPE.limit(load("candidates.max_bytes=null")) is None


@pytest.mark.parametrize(
    ("overrides", "roles"),
    [
        ((), {"face", "mesh", "emotion", "embedding"}),
        (("faces.mesh_model=null", "faces.emotion_model=null"), {"face", "embedding"}),
        (("shots.detector=transnetv2",), {"face", "mesh", "emotion", "embedding", "cuts"}),
        (("shots.detector=transnetv2", 'jobs=[["download","frames"]]'), set()),
        (("shots.detector=transnetv2", "sampling.method=per_shot", 'jobs=[["download","frames"]]'), {"cuts"}),
        (('jobs=[["download"]]',), set()),
    ],
)
def test_models_are_those_of_the_stages_asked_for(overrides, roles):
    assert set(RECIPE.models(load(*overrides))) == roles


@pytest.mark.parametrize(
    ("override", "first", "untouched"),
    [
        ("fetch.max_height=720", "download", []),
        ("sampling.per_segment=3", "frames", ["download"]),
        ("sampling.method=per_shot", "frames", ["download"]),
        ("detections.min_score=0.5", "detections", STAGES[:2]),
        ("faces.max_yaw=10", "faces", STAGES[:3]),
        ("faces.emotion_model=null", "faces", STAGES[:3]),
        ("candidates.max_bytes=1000", "candidates", STAGES[:4]),
        ("identity.clusters.link_similarity=0.95", "identity", STAGES[:6]),
        ("selection.temporal=3", "selection", STAGES[:7]),
        ("shots.adaptive_ratio=4", "selection", STAGES[:7]),  # samples do not depend on shots
        ("chunks_per_wave=1", None, STAGES),
        ("faces.inference.threads=2", None, STAGES),
        ("fetch.per_host=1", None, STAGES),
    ],
)
def test_a_changed_setting_makes_its_stage_and_those_after_it_stale(override, first, untouched):
    before, after = prints(), prints(override)
    changed = [name for name in STAGES if before[name] != after[name]]
    assert changed == [name for name in STAGES if name not in untouched]
    assert changed[:1] == ([first] if first else [])


def test_shots_matter_to_samples_taken_by_shot():
    by_shot = "sampling.method=per_shot"
    assert prints(by_shot)["frames"] != prints(by_shot, "shots.adaptive_ratio=4")["frames"]


@pytest.mark.parametrize("overrides", [(), ("manifest.columns={label: mood}",), ("manifest.columns.label=mood",)])
def test_columns_that_are_called_as_usual_may_be_missing(overrides, tmp_path):
    (tmp_path / "videos.csv").write_text("video_id,url,mood\na,http://a.test/a.mp4,calm\n")
    settings = load(*overrides)
    RECIPE.split(str(tmp_path / "videos.csv"), str(tmp_path / "run"), settings.manifest)
    again = FaceGenerationConfig.model_validate(settings.model_dump(mode="json"))  # as run.json has it
    RECIPE.split(str(tmp_path / "videos.csv"), str(tmp_path / "again"), again.manifest)
    with pytest.raises(ValueError, match=r"manifest.columns.label: the manifest has no column 'genre'"):
        RECIPE.split(str(tmp_path / "videos.csv"), str(tmp_path / "no"), load("manifest.columns.label=genre").manifest)
