"""Who must stay apart, as arrays and while groups are joined."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transforms.identity.evidence_made import ints, scenes_of
from transforms.identity.apart import Scenes, SeenTogether, no_scenes, share_a_scene


def test_nothing_is_apart():
    assert [part.tolist() for part in no_scenes(3).seen(ints(0, 0, 0))] == [[], []]
    assert no_scenes(3).pairs_within(ints(0, 0, 0)) == no_scenes(0).pairs_within(ints()) == 0
    assert no_scenes(2).broken(ints(0, 0)).tolist() == [False, False]
    assert share_a_scene(ints(1), ints(2), (ints(), ints()), (ints(), ints())).tolist() == [False]
    assert SeenTogether(ints(), ints()).apart_from(3) == set()


@pytest.mark.parametrize(
    ("picture", "alike", "label", "pairs"),
    [
        ([0, 0, 1], [0, 1, 2], [5, 5, 5], 1),
        ([0, 0, 0], [0, 1, 2], [5, 5, 5], 3),
        ([0, 0, 0], [0, 1, 1], [5, 5, 5], 1),  # a face found twice is one person
        ([0, 0, 0], [0, 1, 2], [5, -1, 5], 1),
        ([0, 0, 0], [0, 1, 2], [5, 6, 7], 0),
        ([0, 1, 2], [0, 1, 2], [5, 5, 5], 0),
    ],
)
def test_pairs_of_two_people_with_one_label(picture, alike, label, pairs):
    scenes = Scenes(np.arange(3), ints(*picture), ints(*alike))
    assert scenes.pairs_within(ints(*label)) == pairs
    assert scenes.broken(ints(*label)).any() == (pairs > 0)


def test_labels_of_a_scene_are_told_once_and_only_where_there_are_two():
    labels, scene = scenes_of([4, 4, 4, 7, 8, 8]).seen(ints(0, 0, 1, 3, -1, 5))
    assert (labels.tolist(), scene.tolist()) == ([0, 1], [4, 4])


def test_what_is_joined_stays_apart_from_what_its_parts_were():
    apart = SeenTogether(ints(0, 1, 2, 3), ints(9, 9, 8, 8))
    assert apart.forbids(0, 1)
    assert not apart.forbids(0, 2)
    apart.join(0, 2)
    assert apart.apart_from(0) == {1, 3}
    assert apart.apart_from(3) == {0}
    assert apart.apart_from(2) == set()
    assert apart.held() == [0, 1, 3]


@given(st.integers(0, 10_000), st.integers(1, 30))
@settings(max_examples=100, deadline=None)
def test_pairs_in_arrays_are_those_of_sets(seed, rows):
    random = np.random.default_rng(seed)
    label = random.integers(-1, rows, rows)
    seen = scenes_of(random.integers(0, max(1, rows // 3), rows)).seen(label)
    ones, others = random.integers(0, rows, (2, 50))
    apart = SeenTogether(*seen)
    expected = [apart.forbids(one, other) for one, other in zip(ones.tolist(), others.tolist(), strict=True)]
    assert share_a_scene(ones, others, seen, seen).tolist() == expected
