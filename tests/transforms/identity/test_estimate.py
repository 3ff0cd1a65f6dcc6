"""The precision that pictures tell of, against labels that it does not see."""

import numpy as np
import pytest

from tests.transforms.identity.evidence_made import ints, scenes_of
from transforms.identity.apart import no_scenes
from transforms.identity.estimate import estimate


@pytest.mark.parametrize(
    ("scenes", "labels"), [(no_scenes(0), []), (no_scenes(2), [0, 0]), (scenes_of([0, 0]), [-1, -1])]
)
def test_where_nothing_is_known_nothing_is_told(scenes, labels):
    told = estimate(scenes, ints(*labels))
    assert (told.precision, told.at_least) == (None, None)


def test_one_pair_tells_next_to_nothing():
    told = estimate(scenes_of([0, 0, 1, 2, 3, 4]), ints(0, 1, 1, 3, 3, 3))
    assert (told.wrong, told.known, told.precision, told.at_least) == (0, 1, 1, 0)


@pytest.mark.parametrize("wrong_share", [0, 0.1, 0.4])
def test_the_estimate_is_near_the_truth_for_random_wrong_joins(wrong_share):
    random = np.random.default_rng(0)
    person = np.repeat(np.arange(60), 100)
    picture = np.arange(6000)
    for one in range(0, 6000, 2):  # each two faces of different people, drawn at random, are one picture
        picture[one + 1] = picture[one]
    order = random.permutation(6000)
    person = person[order]
    picture[person == np.roll(person, 1)] = np.arange(6000, 6000 + int((person == np.roll(person, 1)).sum()))
    merged = np.where(random.random(60) < wrong_share, random.integers(0, 60, 60), np.arange(60))
    label = merged[person]
    told = estimate(scenes_of(picture), label)
    same = person[:, None] == person
    together = label[:, None] == label
    truth = (np.triu(same & together, 1).sum()) / np.triu(together, 1).sum()
    assert told.precision == pytest.approx(truth, abs=0.1)
    assert told.at_least <= truth
