"""Which settings belong to which criterion, and what is said of one that does not."""

import pytest
from pydantic import ValidationError

from transforms.curation.tracks.settings import CRITERIA, CurationSettings

REFUSED = [
    ({}, "there is no criterion None"),
    ({"criterion": "randon", "num_samples": 1}, "there is no criterion 'randon'; did you mean 'random'?"),
    ({"criterion": "random"}, "the criterion random needs --num-samples."),
    ({"criterion": "random", "num_samples": 0}, "greater than or equal to 1"),
    ({"criterion": "random", "num_samples": None}, "the criterion random needs --num-samples."),
    ({"criterion": "max_motion"}, "the criterion max_motion needs --num-samples-per-class or --num-samples."),
    ({"criterion": "random", "num_samples": 1, "max_swaps": 3}, "--max-swaps belongs to min_redundancy, not to random"),
    ({"criterion": "min_redundancy", "num_samples_per_class": 1, "min_motion": 1.0}, "--min-motion belongs to class_b"),
    ({"criterion": "random", "num_samples": 1, "num_samples_per_video": 1}, "--num-samples-per-video belongs to video"),
    ({"criterion": "class_balanced", "num_samples_per_class": 1, "max_spt_iou": 1.5}, "less than or equal to 1"),
    ({"criterion": "random", "num_samples": 1, "sed": 3}, "Extra inputs are not permitted"),
]  # fmt: skip


@pytest.mark.parametrize(("values", "sentence"), REFUSED)
def test_what_does_not_belong_is_refused(values, sentence):
    with pytest.raises(ValidationError) as error:
        CurationSettings.model_validate(values)
    assert sentence in str(error.value)


@pytest.mark.parametrize("criterion", CRITERIA)
def test_a_criterion_takes_what_is_its_own(criterion):
    needs, _ = CRITERIA[criterion]
    made = CurationSettings.model_validate({"criterion": criterion, needs[0]: 5, "seed": 7})
    assert (made.criterion, made.seed, made.by_class) == (criterion, 7, "class" in needs[0])
