"""Whether two tracks show the same place: their IoU while both are there, and across a gap."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.curation.tracks.places import Paths, join_paths, place_iou

BOX = [0.0, 0.0, 10.0, 10.0]
HALF = [5.0, 0.0, 15.0, 10.0]  # a third of what the two cover
FAR = [50.0, 0.0, 60.0, 10.0]


def path(start, boxes, step=0.25):
    return start + step * np.arange(len(boxes)), np.array(boxes, np.float32).reshape(-1, 4)


KNOWN = [
    ("of no frames", path(0, []), path(0, [BOX]), math.inf, 0.0),
    ("the same", path(0, [BOX] * 3), path(0, [BOX] * 3), math.inf, 1.0),
    ("a third", path(0, [BOX] * 3), path(0, [HALF] * 3), math.inf, 1 / 3),
    ("somewhere else", path(0, [BOX] * 3), path(0, [FAR] * 3), math.inf, 0.0),
    ("without an area", path(0, [[1, 1, 1, 1]]), path(0, [[1, 1, 1, 1]]), math.inf, 0.0),
    ("at another frame rate", path(0, [BOX] * 9, 0.125), path(0, [BOX] * 3, 0.5), math.inf, 1.0),
    ("half of the common time", path(0, [BOX, BOX]), path(0, [BOX, FAR]), math.inf, 0.5),
    ("while both are there", path(0, [FAR, FAR, BOX, BOX]), path(0.5, [BOX, BOX, FAR]), math.inf, 1.0),
    ("one after the other, no buffer", path(0, [BOX]), path(2, [BOX]), 0.0, 0.0),
    ("one after the other, any buffer", path(0, [FAR, BOX]), path(99, [BOX, FAR]), math.inf, 1.0),
    ("within the buffer", path(0, [BOX]), path(2, [HALF]), 2.0, 1 / 3),
    ("four times the buffer", path(0, [BOX]), path(8, [BOX]), 2.0, 0.5),
]


@pytest.mark.parametrize(("a", "b", "buffer", "iou"), [case[1:] for case in KNOWN], ids=[case[0] for case in KNOWN])
def test_two_known_tracks(a, b, buffer, iou):
    assert place_iou(a, b, buffer) == pytest.approx(iou)
    assert place_iou(b, a, buffer) == place_iou(a, b, buffer)


def test_frames_are_compared_at_the_same_time():
    # frames that are counted instead of timed would pair boxes of different times: these two are always together
    times = np.array([0, 0.1, 0.2, 0.3, 2.0])
    along = times[:, None] * np.array([20.0, 0, 20, 0]) + BOX
    others = np.array([0, 0.5, 1.0, 1.5, 2.0])
    assert place_iou((times, along), (others, others[:, None] * np.array([20.0, 0, 20, 0]) + BOX), 1) == pytest.approx(
        1
    )


tracks = st.tuples(st.integers(1, 6), st.floats(0, 5), st.integers(0, 2**32 - 1))


def generated(frames, start, seed):
    random = np.random.default_rng(seed)
    corner = random.integers(0, 60, (frames, 2))
    return path(start, np.concatenate([corner, corner + random.integers(1, 60, (frames, 2))], axis=1))


@given(tracks, tracks, st.sampled_from([0.0, 0.5, 3.0, math.inf]))
def test_it_is_symmetric_and_between_nothing_and_all(one, other, buffer):
    a, b = generated(*one), generated(*other)
    assert 0 <= place_iou(a, b, buffer) <= 1 + 1e-9
    assert place_iou(a, b, buffer) == pytest.approx(place_iou(b, a, buffer))
    assert place_iou(a, a, buffer) == pytest.approx(1)


@given(tracks, tracks, st.floats(0.01, 5))
def test_a_longer_buffer_never_lets_two_have_less_in_common(one, other, buffer):
    a, b = generated(*one), generated(*other)
    assert place_iou(a, b, buffer) <= place_iou(a, b, 2 * buffer) <= place_iou(a, b, math.inf)


def test_paths_are_taken_and_joined():
    ones = [path(0, []), path(1, [BOX, FAR]), path(2, [HALF])]
    paths = Paths(
        np.concatenate([times for times, _ in ones]),
        np.concatenate([boxes for _, boxes in ones]),
        np.array([0, 2, 1]),
    )
    again = join_paths([paths.take(np.array([2, 1])), paths.take(np.array([0]))])
    assert [boxes.tolist() for _, boxes in again.each()] == [[HALF], [BOX, FAR], []]
    assert [times.tolist() for times, _ in again.each()] == [[2.0], [1.0, 1.25], []]
