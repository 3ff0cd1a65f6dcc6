"""Motion of boxes: known paths have known motion, and it depends on nothing but a track's own path."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.curation.tracks.motion import box_motion

BOX = np.array([0.0, 0.0, 30.0, 40.0])  # a diagonal of 50
STILL = (np.arange(9) / 4, np.tile(BOX, (9, 1)))


def moving(speed, seconds=3.0, rate=16, grow=0.0):
    """A box that moves to the right, pixels a second, and grows on all sides."""
    times = np.arange(round(seconds * rate) + 1) / rate
    shift = times[:, None] * np.array([speed - grow, -grow, speed + grow, grow])
    return times, BOX + shift


def one(track):
    times, boxes = track
    return float(box_motion(np.asarray(times), np.asarray(boxes, np.float32), np.array([len(times)]))[0])


def test_no_tracks_have_no_motion():
    assert box_motion(np.zeros(0), np.zeros((0, 4), np.float32), np.zeros(0, np.int64)).tolist() == []


KNOWN = [
    ("stands still", STILL, 0.0),
    ("one frame", ([1.0], [BOX]), 0.0),
    ("no frame", ([], np.zeros((0, 4))), 0.0),
    ("two frames at one time", ([1.0, 1.0], [BOX, BOX + 9]), 0.0),
    ("a diagonal a second", moving(50), 1.0),
    ("the same at another frame rate", moving(50, rate=30), 1.0),
    ("the same in less than a step", moving(50, seconds=1 / 8), 1.0),
    ("half a diagonal", moving(25), 0.5),
    # the size changes by 2 pixels a second each way: its corners move by sqrt(2); the box grows by little
    ("grows", moving(0, seconds=0.25, grow=1.0), np.sqrt(2) / np.hypot(30.25, 40.25)),
    ("no area", (np.arange(5) / 4, np.zeros((5, 4))), 0.0),
    ("not finite", (np.arange(5) / 4, np.full((5, 4), np.nan)), 0.0),
]


@pytest.mark.parametrize(("track", "motion"), [case[1:] for case in KNOWN], ids=[case[0] for case in KNOWN])
def test_a_known_path_has_its_motion(track, motion):
    assert one(track) == pytest.approx(motion, rel=1e-5)


def test_a_gap_does_not_make_a_track_faster():
    times, boxes = moving(50)
    kept = np.delete(np.arange(len(times)), np.arange(10, 25))
    assert one((times[kept], boxes[kept])) == pytest.approx(1, rel=1e-5)


def test_it_is_the_ninetieth_percentile():
    speeds = np.arange(11) * 10.0  # of eleven steps of a quarter of a second, in diagonals of 50 pixels
    boxes = BOX + np.concatenate([[0], np.cumsum(speeds / 4)])[:, None] * np.array([1, 0, 1, 0])
    assert one((np.arange(12) / 4, boxes)) == pytest.approx(90 / 50, rel=1e-5)


def test_trembling_by_a_pixel_is_slow_at_any_frame_rate():
    times = np.arange(181) / 60
    trembling = BOX + (np.arange(181) % 2)[:, None] * np.array([1.0, 0, 1, 0])
    assert one((times, trembling)) < 0.1


TRACKS = st.lists(
    st.tuples(
        st.integers(0, 12), st.floats(0, 1e5), st.integers(0, 2**32 - 1)
    ),
    max_size=6,
)  # fmt: skip


def generated(frames, start, seed):
    random = np.random.default_rng(seed)
    times = start + np.cumsum(random.uniform(0, 0.7, frames))
    corner = random.uniform(0, 300, (frames, 2))
    return times, np.concatenate([corner, corner + random.uniform(1, 99, (frames, 2))], axis=1).astype(np.float32)


@given(TRACKS)
def test_the_motion_of_a_track_does_not_depend_on_the_others(shapes):
    some = [generated(*shape) for shape in shapes]
    together = box_motion(
        np.concatenate([np.zeros(0), *(times for times, _ in some)]),
        np.concatenate([np.zeros((0, 4), np.float32), *(boxes for _, boxes in some)]),
        np.array([len(times) for times, _ in some], np.int64),
    )
    assert together.tolist() == [one(track) for track in some]


def plainly(times, boxes):
    """The definition, step by step."""
    steps = max(1, int((times[-1] - times[0]) / 0.25 + 1e-9))
    ends = np.linspace(times[0], times[-1], steps + 1)
    path = np.stack([np.interp(ends, times, boxes[:, side]) for side in range(4)], axis=1)
    speeds = []
    for before, after in pairwise(path):
        corners = [(after - before)[[x, y]] for x in (0, 2) for y in (1, 3)]
        moved = np.sqrt(np.mean([np.sum(corner**2) for corner in corners]))
        diagonal = np.mean([np.hypot(box[2] - box[0], box[3] - box[1]) for box in (before, after)])
        speeds.append(moved / diagonal / (ends[1] - ends[0]))
    return np.percentile(speeds, 90)


@given(st.integers(2, 40), st.floats(0, 1e4), st.integers(0, 2**32 - 1))
def test_it_is_what_the_definition_says(frames, start, seed):
    times, boxes = generated(frames, start, seed)
    if times[-1] - times[0] > 0.01:
        assert one((times, boxes)) == pytest.approx(plainly(times, boxes), rel=1e-4)
