import re

import numpy as np
import pytest

from beam_pipelines.driver.record import write_record
from beam_pipelines.recipes.face_clips import FaceClipsConfig
from beam_pipelines.recipes.face_generation import FaceGenerationConfig
from beam_pipelines.recipes.person_clustering import PersonClusteringConfig
from beam_pipelines.recipes.webbody import WebbodyConfig
from beam_pipelines.reports import summary
from beam_pipelines.reports.causes import (
    KEYS,
    Faces,
    causes,
    identity_cause,
    item_cause,
    nearest_cosines,
    nearest_miss,
    read_faces,
)
from model_handlers.models import catalogue
from model_handlers.models.roles import KnownModels
from transforms.identity.settings import IdentitySettings
from transforms.tables.ledger import write_ledger
from transforms.tables.rows import Embedding
from transforms.tables.shards import shard_path, to_table, write_shard
from transforms.tables.verdicts import Verdict
from transforms.vision.embeddings_stage import embed_faces
from transforms.vision.settings import EmbeddingSettings

FACES = Faces(39, 39, 0.87, 0.93, 0.71)
NUMBERS = {"clusters": {"link_similarity": 0.945}, "cleaning": {"duplicate_similarity": 0.99}}
WITHIN = {"edges": {"within_label": True}, "clusters": {"method": "dbscan"}}
SMALL = {"clusters": {"small_face_px": 60, "small_link_similarity": 0.97}}

CAUSES = [
    (
        {"noise": 39},
        FACES,
        {},
        "The most similar pair has the cosine 0.9300, and half of the faces have a neighbour above 0.7100; the link "
        "threshold identity.clusters.link_similarity is 0.945: lower it with --set, as far as your embedding model "
        "tells people apart, or use more images of each person.",
    ),
    ({"noise": 5, "low_face_score": 4}, FACES, {}, "link_similarity is 0.945: lower it"),
    ({"noise": 39}, Faces(20_000, 10_000, 0.9, 0.5, 0.4), {}, "most similar pair of the first 10000 faces has the cos"),
    ({"noise": 39}, Faces(39, 39, 0.9, None, None), WITHIN, "within_label is true: set it to false"),
    ({"noise": 39}, Faces(39, 39, 0.9, 0.96, 0.9), {}, "enough for .*0.945; but fewer than .*min_size 2 link."),
    ({"noise": 39}, Faces(39, 39, 0.9, 0.96, 0.9), WITHIN, "or none has min_samples 2 near it"),
    ({"noise": 39}, Faces(39, 39, 0.9, 0.96, 0.9), SMALL, "below small_face_px 60 need small_link_similarity 0.97."),
    ({"noise": 1}, Faces(1, 1, 0.9, None, None), {}, "fewer faces than the 2 that an identity must have"),
    (
        {"low_face_score": 30, "noise": 9},
        FACES,
        {"cleaning": {"min_face_score": 0.95}},
        "best detection score is 0.870, and it must be above identity.cleaning.min_face_score 0.95: lower",
    ),
    ({"small_identity": 39}, FACES, {}, "fewer than identity.cleaning.min_images 2 different images: use more"),
    (
        {"duplicate_face": 20, "small_identity": 19},
        FACES,
        {},
        "different images after 20 nearly equal ones were dropped .*duplicate_similarity 0.99",
    ),
    ({"ambiguous": 39}, FACES, {}, "Most went for ambiguous: .* another identity.cleaning.ambiguous_similarity"),
    ({"leaked": 39}, FACES, {}, "another identity.cleaning.leakage_similarity"),
    ({"bad_vector": 39}, FACES, {}, "Most went for bad_vector"),
]


def with_numbers(settings):
    both = {name: NUMBERS.get(name, {}) | settings.get(name, {}) for name in {*NUMBERS, *settings}}
    return IdentitySettings.model_validate(both)


@pytest.mark.parametrize(("reasons", "faces", "settings", "words"), CAUSES)
def test_the_cause_names_the_number_and_the_key(reasons, faces, settings, words):
    cause = identity_cause(reasons, faces, with_numbers(settings))
    assert re.search(words, cause), cause
    assert cause.endswith(".")


MISSES = [
    ([], None),
    (["no numbers"], None),
    (["sharpness 88.3, less than 100", "sharpness 3.0, less than 100"], "sharpness 88.3, less than 100"),
    (["99.9 pixels, less than 100", "40.0 pixels, less than 100", "?"], "99.9 pixels, less than 100"),
    (["-80.0 degrees, more than 30", "-31.5 degrees, more than 30"], "-31.5 degrees, more than 30"),
    (["best score 0.10, less than 0.35", "best score 0.34, less than 0.35"], "best score 0.34, less than 0.35"),
]


@pytest.mark.parametrize(("details", "nearest"), MISSES)
def test_the_nearest_miss(details, nearest):
    assert nearest_miss(details) == nearest


ITEMS = [
    (
        "faces",
        {"blurred_face": 30, "small_face": 9},
        ["sharpness 88.3, less than 100"],
        ["another faces.min_sharpness"],
    ),
    ("faces", {"small_face": 9}, ["99.9 pixels, less than 100"], ["nearest to passing: 99.9 pixels, less than 100; "]),
    ("spans", {"no_span": 3}, ["2 of 9 frames have a face"], ["spans.min_samples, spans.max_jump or spans.max_std"]),
    ("spans", {"model_error": 3}, ["broken"], []),
    ("persons", {"small_identity": 5, "bad_vector": 1}, [], ["another persons.min_size"]),
    ("embeddings", {}, [], []),
]


@pytest.mark.parametrize(("stage", "reasons", "details", "words"), ITEMS)
def test_where_no_item_came_through(stage, reasons, details, words):
    found = item_cause(stage, reasons, details)
    assert len(found) == len(words)
    assert all(word in sentence for word, sentence in zip(words, found, strict=True))


def test_every_key_that_is_named_is_a_setting():
    known = {}
    for config in (WebbodyConfig(), FaceGenerationConfig(), FaceClipsConfig(), PersonClusteringConfig()):
        for key, block in config:
            known.setdefault(key, []).append(block)

    def there(key):
        block, *parts = key.split(".")
        return any(has(one, parts) for one in known[block])

    def has(block, parts):
        return hasattr(block, parts[0]) and (not parts[1:] or has(getattr(block, parts[0]), parts[1:]))

    keys = [key for text in KEYS.values() for key in text.replace(" or ", ", ").split(", ")]
    assert [key for key in keys if not there(key)] == []


@pytest.mark.parametrize("rows", [1, 2, 1024])
def test_nearest_cosines(rows):
    units = np.array([(1, 0), (0.8, 0.6), (0, 1), (-1, 0)], np.float32)
    cases = [
        ((0, 0, 0, 0), (0.8, 0.8, 0.6, 0)),
        ((0, 1, 0, 1), (0, -0.8, 0, -0.8)),
        ((0, 0, 1, 2), (0.8, 0.8, -np.inf, -np.inf)),
    ]
    for group, expected in cases:
        np.testing.assert_allclose(nearest_cosines(units, np.array(group), rows), expected, atol=1e-6)
    assert nearest_cosines(units[:0], np.zeros(0, np.int64)).shape == (0,)


def embeddings(run, angles, label=None):
    """A table of faces whose vectors lie at these angles, degrees, in shards of three."""
    schema = embed_faces(EmbeddingSettings(), KnownModels(catalogue.load())).schema
    rows = []
    for n, angle in enumerate(np.radians(angles)):
        vector = np.zeros(512, np.float16)
        vector[:2] = np.cos(angle), np.sin(angle)
        name = f"i{n}"
        rows.append(Embedding(f"{name}-f", name, name, label and label[n], "{}", 0.5 + n / 100, 50.0, vector, 1.0, "m"))
    for start in range(0, max(len(rows), 1), 3):
        path = shard_path(run, "embeddings", f"{start:05d}")
        write_shard(path, to_table(rows[start : start + 3], schema))


def test_facts_are_read_off_the_table(folder):
    embeddings(folder, [0, 10, 90, 180, 270], ["a", "b", "a", "b", "c"])
    found = read_faces(folder, 5, within_label=False)
    assert (found.count, found.compared) == (5, 5)
    assert (found.best, found.best_score) == pytest.approx((np.cos(np.radians(10)), 0.54), abs=1e-3)
    assert found.median == pytest.approx(np.cos(np.radians(80)), abs=1e-3)  # 0.985 0.985 0.174 0 0
    assert read_faces(folder, 5, within_label=True).best == pytest.approx(0, abs=1e-3)


def test_there_may_be_nobody_to_compare_with(folder):
    embeddings(folder, [0, 10], ["a", "b"])
    assert read_faces(folder, 2, within_label=True).best is None


def stage(kept=0, dropped=0, failed=0, **reasons):
    return {"kept": kept, "dropped": dropped, "failed": failed, "reasons": reasons, "rows": kept, "seconds": 0.0}


def record(recipe, config, **stages):
    return {"recipe": recipe, "config": config().model_dump(mode="json"), "stages": stages}


# what the stage tells of its similarities
LINK = {"similarities": {"clusters.link_similarity": {"value": 0.945, "from": "the model dlib-resnet"}}}


def test_a_run_without_identities_says_so_at_its_end(folder, capsys):
    embeddings(folder, [0, 30, 60])
    told = record("webbody", WebbodyConfig, embeddings=stage(3), identity=stage(0, 3, noise=3) | LINK)
    write_record(folder, told)
    summary.show(folder)
    shown = capsys.readouterr().out
    assert "NOTHING WAS KEPT: the stage identity kept none of its 3 items. Most often: noise 3" in shown
    assert "The most similar pair has the cosine 0.86" in shown
    assert "identity.clusters.link_similarity is 0.945: lower it with --set" in shown


def test_a_run_without_faces_says_which_setting_kept_them_out(folder):
    details = [f"sharpness {n}.0, less than 100" for n in range(39)]
    verdicts = [(Verdict(f"f{n}", "dropped", "blurred_face", False, one), 0) for n, one in enumerate(details)]
    write_ledger(folder, "faces", "00000", verdicts)
    told = record(
        "face_generation",
        FaceGenerationConfig,
        detections=stage(3),
        faces=stage(0, 39, blurred_face=39),
        identity=stage(),
    )
    assert causes(folder, told) == [
        "blurred_face: the nearest to passing: sharpness 38.0, less than 100; more pass with another "
        "faces.min_sharpness (--set).",
    ]


def test_a_run_without_clips(folder):
    write_ledger(
        folder, "spans", "00000", [(Verdict("s", "dropped", "no_span", False, "3 stretches are too short"), 0)]
    )
    told = record("face_clips", FaceClipsConfig, shots=stage(1), spans=stage(0, 1, no_span=1), clips=stage())
    assert causes(folder, told) == [
        "no_span: more pass with another spans.min_samples, spans.max_jump or spans.max_std (--set).",
    ]


SILENT = [
    {"identity": stage(1)},
    {"download": stage(0, 0, 3, http_404=3)},  # it did not get to identities
    {"download": stage(), "identity": stage()},  # an empty manifest
]


@pytest.mark.parametrize("stages", SILENT)
def test_nothing_is_said_where_something_came_of_it_or_nothing_was_asked(folder, stages):
    assert causes(folder, record("webbody", WebbodyConfig, **stages)) == []
    assert causes(folder, {"recipe": "mine", "config": {}, "stages": stages}) == []
