"""What the film shows: tracks, faces found twice, and where a track ends."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transforms.persons.film_faces import faces_of
from transforms.persons import evidence
from transforms.persons.evidence import frames_by_group, together
from transforms.persons.settings import EvidenceSettings

LEFT, NEAR_LEFT, RIGHT = (0, 0, 100, 100), (20, 0, 120, 100), (300, 0, 400, 100)  # LEFT and NEAR_LEFT: IoU 2/3
HALF = (0, 0, 100, 50)  # IoU of 1/2 with LEFT


def groups(frames, boxes, shots=0, settings=None, **more):
    shots = [shots] * len(frames) if isinstance(shots, int) else shots
    found = faces_of(np.ones((len(frames), 3)), frames, boxes=boxes, shots=shots, **more)
    return together(found, EvidenceSettings(**(settings or {}))).tolist()


@pytest.mark.parametrize(
    ("frames", "boxes", "shots", "settings", "expected"),
    [
        ([], [], 0, {}, []),
        ([3], [LEFT], 0, {}, [0]),
        ([0, 1, 2], [LEFT, NEAR_LEFT, LEFT], 0, {}, [0, 0, 0]),
        ([0, 1, 2], [LEFT, RIGHT, LEFT], 0, {}, [0, 1, 2]),  # a frame between without it: the track ends
        ([0, 2, 4], [LEFT] * 3, 0, {}, [0, 0, 0]),  # no frame between that had a face, and two seconds at most
        ([0, 3], [LEFT] * 2, 0, {}, [0, 1]),  # three seconds
        ([0, 3], [LEFT] * 2, 0, {"track_seconds": 3}, [0, 0]),
        ([0, 1], [LEFT] * 2, [0, 1], {}, [0, 1]),  # a cut between
        ([0, 1], [LEFT] * 2, -1, {}, [0, 1]),  # shots were not looked for
        ([0, 1], [LEFT, HALF], 0, {}, [0, 0]),  # the least overlap itself is enough
        ([0, 1], [LEFT, HALF], 0, {"track_overlap": 0.51}, [0, 1]),
        ([0, 1], [LEFT] * 2, 0, {"tracks": False}, [0, 1]),
        ([0, 0], [LEFT, NEAR_LEFT], 0, {}, [0, 0]),  # found twice
        ([0, 0], [LEFT, NEAR_LEFT], -1, {}, [0, 0]),
        ([0, 0], [LEFT, HALF], 0, {}, [0, 1]),  # no more than the limit
        ([0, 0], [LEFT, NEAR_LEFT], 0, {"frames": False}, [0, 1]),
        ([0, 0], [LEFT, RIGHT], 0, {}, [0, 1]),
        ([0, 0, 1, 1], [LEFT, RIGHT, RIGHT, LEFT], 0, {}, [0, 1, 1, 0]),
        ([0, 0, 1], [LEFT, NEAR_LEFT, NEAR_LEFT], 0, {"frames": False}, [0, 1, 1]),  # the best of two alone
        ([0, 0, 1], [LEFT, NEAR_LEFT, NEAR_LEFT], 0, {}, [0, 0, 0]),  # which is found twice
        ([0, 1], [(5, 5, 5, 5)] * 2, 0, {}, [0, 1]),  # boxes without an area
    ],
)
def test_hand_worked(frames, boxes, shots, settings, expected):
    assert groups(frames, boxes, shots, settings) == expected


@pytest.mark.parametrize(("most", "expected"), [(0.4, [0, 1]), (0.7, [0, 0])])
def test_a_track_ends_where_another_face_takes_its_place(most, expected):
    found = faces_of([(1.0, 0.0), (0.8, 0.6)], [0, 1], boxes=[LEFT] * 2, shots=[0, 0])  # sqrt(0.4) = 0.632 apart
    assert together(found, EvidenceSettings(track_face_distance=most)).tolist() == expected


def test_time_is_that_of_the_frames_and_not_their_number():
    assert groups([0, 100], [LEFT] * 2, times=[5, 6.5]) == [0, 0]


def test_a_crowd_of_the_same_box_is_one_face_within_little_memory(monkeypatch):
    monkeypatch.setattr(evidence, "_PAIRS_AT_A_TIME", 10_000)
    assert set(groups([0] * 3000, [LEFT] * 3000)) == {0}


@given(st.integers(1, 40), st.integers(0, 1000), st.sampled_from([1, 7, 1_000_000]))
@settings(max_examples=60, deadline=None)
def test_groups_do_not_depend_on_how_many_pairs_are_joined_at_a_time(count, seed, at_a_time):
    rng = np.random.default_rng(seed)
    corners = rng.integers(0, 60, (count, 2))
    frames = np.sort(rng.integers(0, 6, count))
    boxes = np.hstack([corners, corners + 50])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evidence, "_PAIRS_AT_A_TIME", at_a_time)
        patch.setattr(evidence, "_ROWS_AT_A_TIME", 3)
        found = groups(frames, boxes)
    assert found == groups(frames, boxes)
    assert list(dict.fromkeys(found)) == list(range(max(found) + 1))


def test_frames_of_groups():
    assert frames_by_group(np.zeros(0, np.int64), np.zeros(0, np.int64)) == []
    assert frames_by_group(np.array([4, 4, 5]), np.array([1, 0, 1])) == [{4}, {4, 5}]
