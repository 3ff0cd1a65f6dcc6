"""Every similarity of the identity stage becomes a number: the user's, the model's own, or one found in the run."""

import json
import re

import numpy as np
import pyarrow as pa
import pytest

from model_handlers.errors import ModelError
from model_handlers.models import catalogue
from tests.transforms.identity.people import people
from transforms.identity import thresholds
from transforms.identity.settings import IdentitySettings
from transforms.identity.thresholds import Chosen, found, of_model, pairs_within, told
from transforms.tables.rows import Embedding
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import shard_path, to_table, write_shard

MODELS = catalogue.load()
DLIB, FR, NONE = (MODELS.get(name) for name in ("dlib-resnet", "fr-feature", "sface"))
AUTO = {"clusters": {"link_similarity": "auto", "method": "connected"}}


def chosen(model, **blocks):
    return of_model(IdentitySettings.model_validate(blocks), model)


def numbers(settings):
    cleaning = settings.cleaning
    return (
        settings.edges.min_similarity,
        settings.clusters.link_similarity,
        cleaning.merge_similarity,
        cleaning.ambiguous_similarity,
        cleaning.leakage_similarity,
        cleaning.duplicate_similarity,
    )


def write_run(run, units):
    rows = [
        Embedding(
            f"f{n:04d}", None, f"i{n // 2:04d}", None, "{}", 0.9, 80.0, vector.astype(np.float16), 1.0, "some-model"
        )
        for n, vector in enumerate(units)
    ]
    schema = arrow_schema(Embedding, vector=pa.list_(pa.float16(), units.shape[1]))
    write_shard(shard_path(run, "embeddings", "00000"), to_table(rows, schema))
    return run


def test_what_is_not_given_is_the_model_s():
    assert numbers(chosen(DLIB).settings) == (0.9, 0.935, 0.97, 0.965, 0.96, 0.996)
    own = FR.similarities
    cleaning = (own.merge, own.ambiguous, own.leakage, own.duplicate)
    assert numbers(chosen(FR).settings) == (own.edge, own.group_link, *cleaning)
    assert set(chosen(FR).origin.values()) == {"the model fr-feature"}


@pytest.mark.parametrize(
    ("method", "link"), [("average", 0.38), ("leiden", 0.38), ("connected", 0.5), ("dbscan", 0.5), ("whispers", 0.5)]
)
def test_methods_that_join_by_all_pairs_have_a_link_of_their_own(method, link):
    assert chosen(FR, clusters={"method": method}).settings.clusters.link_similarity == link


def test_without_a_link_of_groups_that_of_pairs_is_for_all():
    one_link = FR.model_copy(update={"similarities": FR.similarities.model_copy(update={"group_link": None})})
    assert chosen(one_link).settings.clusters.link_similarity == FR.similarities.link


def test_what_is_given_stays():
    one = chosen(DLIB, clusters={"link_similarity": 0.87}, cleaning={"merge_similarity": 1})
    assert numbers(one.settings) == (0.87, 0.87, 1, 0.965, 0.96, 0.996)  # no edge may be missing below the link
    assert one.origin["clusters.link_similarity"] == "the configuration"
    assert one.origin["cleaning.leakage_similarity"] == "the model dlib-resnet"


def test_all_pairs_reach_down_to_the_link_only():
    assert chosen(DLIB, edges={"k": 0}).settings.edges.min_similarity == 0.935
    by_pairs = chosen(DLIB, edges={"k": 0}, clusters={"method": "connected"})
    assert by_pairs.settings.edges.min_similarity == 0.945
    assert chosen(DLIB, edges={"k": 0}, clusters={"link_similarity": 0.95}).settings.edges.min_similarity == 0.95


def test_where_the_link_is_auto_so_is_what_is_not_given():
    one = chosen(NONE, clusters={"link_similarity": "auto"}, cleaning={"duplicate_similarity": 1})
    assert numbers(one.settings) == ("auto", "auto", "auto", "auto", "auto", 1)


OF_OTHERS = [
    (DLIB, {"clusters": {"link_similarity": 0.3}}, "clusters.link_similarity: 0.3 .* between 0.84 and 0.98"),
    (DLIB, {"cleaning": {"merge_similarity": 0.7}}, "cleaning.merge_similarity: 0.7 .* the model's own, 0.97"),
    (FR, {"clusters": {"link_similarity": 0.945}}, "with fr-feature it lies between 0.05 and 0.9"),
    (NONE, {}, "clusters.link_similarity: the model sface has no similarities of its own .* a number, or auto"),
    (NONE, {"clusters": {"link_similarity": 0.4}}, "edges.min_similarity: the model sface has no similarities"),
]


@pytest.mark.parametrize(("model", "blocks", "words"), OF_OTHERS)
def test_numbers_of_another_model_and_none_at_all_are_refused(model, blocks, words):
    with pytest.raises(ModelError, match=words):
        chosen(model, **blocks)


def test_numbers_are_not_looked_for(tmp_path):
    settings = chosen(DLIB).settings
    assert found(str(tmp_path), settings) is settings
    assert told(str(tmp_path), chosen(DLIB)) == {
        "similarities": {
            key: {"value": value, "from": "the model dlib-resnet"}
            for key, value in zip(chosen(DLIB).origin, numbers(settings), strict=True)
        }
    }


def test_auto_is_found_once_and_told(tmp_path, monkeypatch):
    units, person = people([10] * 30)
    run = write_run(str(tmp_path), units)
    one = chosen(NONE, **AUTO)
    made = found(run, one.settings)
    edge, link, merge, ambiguous, leakage, duplicate = numbers(made)
    similarity = units @ units.T
    different = person[:, None] != person[None]
    assert (similarity[different] >= link).mean() < 0.001
    assert (similarity[~different] >= link).mean() > 0.8
    assert edge < link <= merge == ambiguous == leakage
    assert duplicate > link
    told_ = told(run, one)
    assert told_["similarities"]["clusters.link_similarity"] == {"value": link, "from": "auto"}
    assert told_["similarities"]["cleaning.merge_similarity"] == {"value": merge, "from": "auto, as the link is"}
    assert told_["calibration"]["faces"] == 300
    assert json.dumps(told_)
    monkeypatch.setattr(thresholds, "calibrate", None)  # it would be called again
    assert found(run, one.settings) == made


def test_new_vectors_and_other_settings_are_calibrated_anew(tmp_path):
    run = write_run(str(tmp_path), people([10] * 30)[0])
    settings = chosen(NONE, **AUTO).settings
    before = found(run, settings).clusters.link_similarity
    strict = IdentitySettings.model_validate({"clusters": {"link_similarity": "auto", "wrong_links": 1e-4}})
    assert found(run, of_model(strict, NONE).settings).clusters.link_similarity > before
    write_run(run, people([3] * 100, noise=0.8)[0])
    assert found(run, settings).clusters.link_similarity != before


def test_a_given_edge_never_stands_above_the_found_link(tmp_path):
    run = write_run(str(tmp_path), people([10] * 30)[0])
    made = found(run, chosen(NONE, edges={"min_similarity": 0.9}, **AUTO).settings)
    assert made.edges.min_similarity == made.clusters.link_similarity < 0.9


def test_a_run_that_says_nothing_is_a_sentence(tmp_path):
    run = write_run(str(tmp_path), people([1, 1, 1])[0])
    words = "link_similarity auto: 3 faces are too few to find a link; at least 30 are needed. Give numbers, or null"
    with pytest.raises(ValueError, match=re.escape(words)):
        found(run, chosen(NONE, **AUTO).settings)


def test_an_uncertain_link_is_not_taken(tmp_path):
    run = write_run(str(tmp_path), people([1] * 25 + [2] * 5, noise=0.9, mean=2.0)[0])
    with pytest.raises(
        ValueError, match=r"auto: .*The link is uncertain, .* Give numbers, or null for the model's own"
    ):
        found(run, chosen(NONE, **AUTO).settings)


GROUPS = [
    ([], []),
    ([0, 1, 2], []),
    ([0, 1, 0, 1, 0], [(0, 2), (0, 4), (1, 3), (2, 4)]),
]


@pytest.mark.parametrize(("group", "expected"), GROUPS)
def test_pairs_of_one_image(group, expected):
    pairs = pairs_within(np.array(group, np.int64))
    assert sorted(map(tuple, pairs.tolist())) == expected


def test_an_image_with_a_crowd_has_no_more_pairs_than_the_limit(monkeypatch):
    monkeypatch.setattr(thresholds, "MOST_PAIRS", 100)
    pairs = pairs_within(np.zeros(1000, np.int64))
    assert pairs.shape == (100, 2)


def test_settings_without_a_model_are_themselves():
    settings = IdentitySettings()
    assert Chosen(settings).settings is settings


def test_what_evidence_needs_is_the_model_s_where_it_is_on():
    evidence = {"pictures": True, "tracks": True}
    one = chosen(FR, evidence=evidence).settings.evidence
    assert (one.copy_similarity, one.track_similarity) == (FR.similarities.copies, FR.similarities.edge)
    assert chosen(FR).settings.evidence.copy_similarity is None  # nothing reads it
    assert chosen(DLIB, evidence=evidence | {"copy_similarity": 0.98}).settings.evidence.copy_similarity == 0.98
    assert chosen(FR, clusters=AUTO["clusters"], evidence=evidence).settings.evidence.copy_similarity == "auto"


def test_a_catalogue_without_copies_has_those_of_duplicates():
    bare = FR.model_copy(update={"similarities": FR.similarities.model_copy(update={"copies": None})})
    assert chosen(bare, evidence={"pictures": True}).settings.evidence.copy_similarity == FR.similarities.duplicate
