"""Joining the nearest first: how far it goes, what it never joins, and easy faces, which come out as without it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transforms.persons.film_faces import faces_of, people, same_partition
from transforms.persons.grouping import cluster_faces
from transforms.persons.nearest_first import join_nearest, joined_halves
from transforms.persons.settings import EvidenceSettings, PersonSettings


def joined(found, most, group=None, frame=None, neighbours=64):
    group = np.arange(len(found)) if group is None else np.array(group)
    return join_nearest(found, (1, 1), found.frame if frame is None else frame, group, most, neighbours)


def test_the_nearest_pairs_are_joined_until_so_many_groups_are_left():
    angles = np.array([0, 0.01, 1, 1.02, 2, 2.04])
    found = faces_of(np.column_stack([np.cos(angles), np.sin(angles)]))
    assert joined(found, 6).tolist() == [0, 1, 2, 3, 4, 5]
    assert joined(found, 5).tolist() == [0, 0, 1, 2, 3, 4]
    assert joined(found, 4).tolist() == [0, 0, 1, 1, 2, 3]
    assert joined(found, 3).tolist() == [0, 0, 1, 1, 2, 2]


def test_groups_stay_whole_and_those_of_one_frame_apart():
    found = faces_of([[1, 0], [1, 0.01], [1, 0.03], [1, 1]], frames=[0, 0, 1, 2])
    assert joined(found, 3).tolist() == [0, 1, 1, 2]  # 0 to 1 would be nearer
    assert joined(found, 2, group=[0, 1, 2, 0]).tolist() == [0, 1, 1, 0]
    assert joined(found, 2, group=[0, 1, 0, 0]).tolist() == [0, 1, 0, 0]
    assert joined(found, 1).tolist() == [0, 1, 1, 1]  # no further, whatever is asked for


def test_a_face_without_clothes_is_as_near_as_its_face():
    halves = joined_halves(np.eye(2, dtype=np.float32), np.array([[1, 0], [0, 0]], np.float32), 3, 4)
    np.testing.assert_allclose(halves, [[0.6, 0, 0.8, 0], [0, 1, 0, 0]], atol=1e-6)
    assert (joined_halves(np.ones((1, 1), np.float32), np.zeros((1, 1), np.float32), 0, 1) == 0).all()


@given(st.integers(1, 80), st.integers(1, 80), st.integers(0, 1000))
@settings(max_examples=60, deadline=None)
def test_it_reaches_what_is_asked_for_and_never_joins_what_is_apart(count, most, seed):
    rng = np.random.default_rng(seed)
    frames = np.sort(rng.integers(0, 30, count))
    found = faces_of(people(rng, rng.integers(0, 5, count), 4), frames)
    free = joined(found, most, frame=np.arange(count))
    assert free.max() + 1 == min(most, count)
    kept = joined(found, most)
    assert kept.max() + 1 >= min(most, count)
    for frame in range(30):
        some = kept[frames == frame]
        assert len(set(some)) == len(some)


@pytest.mark.parametrize("evidence", [True, False])
def test_easy_faces_are_clustered_as_if_all_were_compared(evidence):
    rng = np.random.default_rng(1)
    frames = np.repeat(np.arange(200), 3)
    who = np.concatenate([rng.permutation(8)[:3] for _ in range(200)])
    found = faces_of(people(rng, who), frames, clothes=people(rng, who))
    own = {"similarity": 0.6, "evidence": EvidenceSettings(frames=evidence, tracks=evidence)}
    whole = cluster_faces(found, PersonSettings(**own))
    assert same_partition(whole, who)
    for most in (300, 50, 20):
        assert (cluster_faces(found, PersonSettings(max_groups=most, **own)) == whole).all()
