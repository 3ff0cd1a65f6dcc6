"""Faces that are followed from frame to frame."""

import numpy as np
import pytest

from tests.transforms.identity.evidence_made import ints
from transforms.identity.tracks import Follow, InFrames, followed, mutual_best

LEFT, NEAR_LEFT, RIGHT = (0, 0, 100, 100), (20, 0, 120, 100), (300, 0, 400, 100)  # LEFT and NEAR_LEFT: IoU 2/3
HOW = Follow(0.5, 2, 0.9)


def pairs(video, frame, shot, box, degrees=None, time=None):
    """The pairs of rows that are followed; a frame a second unless times are given."""
    angles = np.radians(degrees or [0] * len(video))
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    times = np.array(frame if time is None else time, np.float64)
    seen = InFrames(ints(*video), ints(*frame), times, ints(*shot), np.array(box, np.float32).reshape(-1, 4))
    return sorted(
        pair for one, other in followed(seen, vectors, HOW) for pair in zip(one.tolist(), other.tolist(), strict=True)
    )


@pytest.mark.parametrize(
    ("video", "frame", "shot", "box", "expected"),
    [
        ([], [], [], [], []),
        ([0, 0], [4, 5], [0, 0], [LEFT, NEAR_LEFT], [(0, 1)]),
        ([0, 1], [4, 5], [0, 0], [LEFT, LEFT], []),  # another video
        ([0, 0], [4, 5], [0, 1], [LEFT, LEFT], []),  # another shot
        ([0, 0], [4, 5], [-1, -1], [LEFT, LEFT], []),  # no shots are known
        ([0, 0], [4, 7], [0, 0], [LEFT, LEFT], []),  # three seconds
        ([0, 0], [4, 5], [0, 0], [LEFT, RIGHT], []),
        ([1, 0, 1, 0], [5, 5, 4, 4], [0] * 4, [LEFT] * 4, [(2, 0), (3, 1)]),  # in any order of rows
    ],
)
def test_hand_worked(video, frame, shot, box, expected):
    assert pairs(video, frame, shot, box) == sorted(expected)


@pytest.mark.parametrize(("degrees", "expected"), [(25, [(0, 1)]), (27, [])])  # cosines .906 and .891
def test_another_face_in_the_same_place_is_another_face(degrees, expected):
    assert pairs([0, 0], [4, 5], [0, 0], [LEFT, LEFT], [0, degrees]) == expected


def test_a_box_that_two_want_goes_to_the_one_that_it_wants():
    wide = (10, 0, 110, 100)
    ones, others = mutual_best(np.array([LEFT, NEAR_LEFT], np.float32), np.array([wide], np.float32), 0.5)
    assert (ones.tolist(), others.tolist()) == ([0], [0])  # of equally good ones the first
    ones, others = mutual_best(np.array([RIGHT, NEAR_LEFT], np.float32), np.array([wide, LEFT], np.float32), 0.5)
    assert (ones.tolist(), others.tolist()) == ([1], [0])
