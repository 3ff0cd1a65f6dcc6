"""Settings that do not fit together are refused, in words."""

import pytest
from pydantic import ValidationError

from transforms.identity.settings import IdentitySettings, SplitSettings
from transforms.identity.similarity import number


def test_no_similarity_has_a_default_of_its_own():
    chosen = IdentitySettings()
    assert (chosen.edges.k, chosen.edges.within_label, chosen.clusters.method, chosen.clusters.keep) == (
        64,
        False,
        "average",
        "all",
    )
    cleaning = chosen.cleaning
    assert (cleaning.min_face_score, cleaning.min_images, cleaning.max_component) == (0.4, 2, 10_000)
    similarities = (
        chosen.edges.min_similarity,
        chosen.clusters.link_similarity,
        cleaning.merge_similarity,
        cleaning.ambiguous_similarity,
        cleaning.leakage_similarity,
        cleaning.duplicate_similarity,
    )
    assert similarities == (None,) * 6


@pytest.mark.parametrize(("written", "read"), [(1, 1.0), (0.5, 0.5), ("auto", "auto"), (None, None)])
def test_a_similarity_is_a_number_auto_or_null(written, read):
    chosen = IdentitySettings.model_validate({"clusters": {"link_similarity": written}})
    assert chosen.clusters.link_similarity == read
    assert type(chosen.clusters.link_similarity) is type(read)


@pytest.mark.parametrize("still", [None, "auto"])
def test_what_is_still_to_be_found_is_no_number(still):
    assert number(0.5) == 0.5
    with pytest.raises(ValueError, match=f"still {still}"):
        number(still)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"edges": {"min_similarity": 0.9}, "clusters": {"link_similarity": 0.2}}, "lower edges.min_similarity"),
        (
            {"clusters": {"link_similarity": 0.95, "small_face_px": 80, "small_link_similarity": 0.9}},
            "the stricter of the two",
        ),
        ({"edges": {"within_label": True}, "clusters": {"method": "connected"}}, "within_label to false"),
        ({"edges": {"k": 2}, "clusters": {"method": "dbscan", "min_samples": 5}}, "min_samples - 1"),
        ({"cleaning": {"merge_similarity": 1.5}}, "above -1 and at most 1, auto, or null .* not 1.5"),
        ({"clusters": {"link_similarity": "automatic"}}, "not 'automatic'"),
        ({"clusters": {"link_similarity": True}}, "not True"),
        ({"clusters": {"link_similarity": float("nan")}}, "not nan"),
        ({"clusters": {"wrong_links": 0}}, "greater than 0"),
        (
            {"evidence": {"pictures": True, "copy_similarity": 0.9}, "clusters": {"link_similarity": 0.945}},
            "copies of a photograph are more alike",
        ),
        ({"clusters": {"method": "louvain"}}, "'average', 'connected', 'dbscan', 'whispers' or 'leiden'"),
        ({"clusters": {"second_look": {"margin": 1}}}, "less than 1"),
        ({"cleaning": {"merge": 0.5}}, "Extra inputs"),
    ],
)
def test_contradictions(settings, message):
    with pytest.raises(ValidationError, match=message):
        IdentitySettings.model_validate(settings)


def test_the_unassigned_have_a_set_of_their_own():
    with pytest.raises(ValidationError, match="name wb4m of another set"):
        SplitSettings(unassigned="wb4m")
