"""Settings that do not fit together are refused, in words."""

import pytest
from pydantic import ValidationError

from transforms.identity.settings import IdentitySettings


def test_defaults_are_the_published_values():
    chosen = IdentitySettings()
    assert (chosen.edges.k, chosen.edges.min_similarity, chosen.edges.within_label) == (0, 0.3, True)
    assert (chosen.clusters.method, chosen.clusters.link_similarity, chosen.clusters.min_samples) == ("dbscan", 0.3, 2)
    cleaning = chosen.cleaning
    assert (cleaning.min_face_score, cleaning.min_images, cleaning.max_component) == (0.95, 2, 10_000)
    assert (cleaning.merge_similarity, cleaning.ambiguous_similarity) == (0.7, 0.6)
    assert (cleaning.leakage_similarity, cleaning.duplicate_similarity) == (0.7, 0.9)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"clusters": {"link_similarity": 0.2}}, "lower edges.min_similarity"),
        (
            {"clusters": {"link_similarity": 0.5, "small_face_px": 80, "small_link_similarity": 0.4}},
            "the stricter of the two",
        ),
        ({"clusters": {"method": "connected"}}, "within_label to false"),
        ({"edges": {"k": 2}, "clusters": {"min_samples": 5}}, "min_samples - 1"),
        ({"cleaning": {"merge_similarity": 1.5}}, "less than or equal to 1"),
        ({"cleaning": {"merge": 0.5}}, "Extra inputs"),
    ],
)
def test_contradictions(settings, message):
    with pytest.raises(ValidationError, match=message):
        IdentitySettings.model_validate(settings)
