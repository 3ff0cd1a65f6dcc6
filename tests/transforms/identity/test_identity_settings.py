"""Settings that do not fit together are refused, in words."""

import pytest
from pydantic import ValidationError

from transforms.identity.settings import IdentitySettings, SplitSettings


def test_defaults_are_for_the_descriptors_of_the_cpu_profile():
    chosen = IdentitySettings()
    assert (chosen.edges.k, chosen.edges.min_similarity, chosen.edges.within_label) == (64, 0.9, False)
    assert (chosen.clusters.method, chosen.clusters.link_similarity, chosen.clusters.keep) == (
        "connected",
        0.945,
        "all",
    )
    cleaning = chosen.cleaning
    assert (cleaning.min_face_score, cleaning.min_images, cleaning.max_component) == (0.5, 2, 10_000)
    assert (cleaning.merge_similarity, cleaning.ambiguous_similarity) == (0.97, 0.96)
    assert (cleaning.leakage_similarity, cleaning.duplicate_similarity) == (0.96, 0.99)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"clusters": {"link_similarity": 0.2}}, "lower edges.min_similarity"),
        (
            {"clusters": {"link_similarity": 0.95, "small_face_px": 80, "small_link_similarity": 0.9}},
            "the stricter of the two",
        ),
        ({"edges": {"within_label": True}}, "within_label to false"),
        ({"edges": {"k": 2}, "clusters": {"method": "dbscan", "min_samples": 5}}, "min_samples - 1"),
        (
            {"evidence": {"pictures": True, "copy_similarity": 0.9}},
            "copies of a photograph are more alike",
        ),
        ({"clusters": {"method": "louvain"}}, "'connected', 'dbscan', 'average', 'whispers' or 'leiden'"),
        ({"clusters": {"second_look": {"margin": 1}}}, "less than 1"),
        ({"cleaning": {"merge_similarity": 1.5}}, "less than or equal to 1"),
        ({"cleaning": {"merge": 0.5}}, "Extra inputs"),
    ],
)
def test_contradictions(settings, message):
    with pytest.raises(ValidationError, match=message):
        IdentitySettings.model_validate(settings)


def test_the_unassigned_have_a_set_of_their_own():
    with pytest.raises(ValidationError, match="name wb4m of another set"):
        SplitSettings(unassigned="wb4m")
