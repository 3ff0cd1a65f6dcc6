import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from transforms.tracking.bytetrack import FrameObjects, follow
from transforms.tracking.tracker_settings import TrackerSettings

SETTINGS = TrackerSettings(
    low_score=0.1,
    high_score=0.5,
    new_score=0.6,
    mean_score=0,
    max_cost=0.8,
    max_low_cost=0.5,
    max_unconfirmed_cost=0.7,
    lost_seconds=0.75,
    max_duplicate_overlap=0.85,
)
SIZE = np.array([40, 100], np.float32)
NOTHING = FrameObjects(np.zeros((0, 4), np.float32), np.zeros(0, np.float32))


def frame(*objects, features=None) -> FrameObjects:
    """Objects as (left, score) or (left, top, score), each 40 x 100 pixels."""
    corners = np.array([[left, *(rest[:-1] or [0])] for left, *rest in objects], np.float32).reshape(-1, 2)
    scores = np.array([each[-1] for each in objects], np.float32)
    return FrameObjects(np.concatenate([corners, corners + SIZE], axis=1), scores, features)


def tracks(frames, settings=SETTINGS, frame_rate=16):
    return [
        list(zip(one.frames.tolist(), one.rows.tolist(), strict=True)) for one in follow(frames, settings, frame_rate)
    ]


def path(first, last, row=0, without=()):
    return [(place, row) for place in range(first, last + 1) if place not in without]


def test_nothing():
    assert tracks([]) == []
    assert tracks([NOTHING] * 3) == []


def test_one_object_from_its_first_frame_on():
    assert tracks([frame((10 + 3 * n, 0.9)) for n in range(20)]) == [path(0, 19)]
    assert tracks([NOTHING] * 2 + [frame((10 + 3 * n, 0.9)) for n in range(5)]) == [path(2, 6)]


def test_a_single_detection_is_a_track_in_the_first_frame_alone():
    assert tracks([frame((10, 0.9)), NOTHING]) == [[(0, 0)]]
    assert tracks([NOTHING, frame((10, 0.9)), NOTHING, frame((10, 0.9))]) == []


def test_a_low_score_goes_on_but_begins_nothing():
    scores = [0.9, 0.9, 0.3, 0.2, 0.9]
    assert tracks([frame((10, score)) for score in scores]) == [path(0, 4)]
    assert tracks([frame((10, 0.4))] * 5) == []
    assert tracks([frame((10, 0.55))] * 5) == []  # high, but not enough to begin
    assert tracks([frame((10, 0.9)), frame((10, 0.9)), frame((10, 0.1))]) == [path(0, 1)]


def test_a_low_score_brings_no_lost_track_back():
    frames = [frame((10, 0.9)), frame((10, 0.9)), NOTHING, frame((10, 0.3)), frame((10, 0.9))]
    assert tracks(frames) == [path(0, 4, without=(2, 3))]


def test_a_track_of_low_scores_is_left_out():
    settings = SETTINGS.model_copy(update={"mean_score": 0.6})
    frames = [frame((10, score)) for score in (0.75, 0.5, 0.5)]
    assert tracks(frames, settings) == []
    assert tracks([*frames, frame((10, 0.75))], settings) == [path(0, 3)]


@pytest.mark.parametrize("missing", [1, 12])
def test_found_again_with_its_whole_history(missing):
    frames = [frame((10, 0.9))] * 5 + [NOTHING] * missing + [frame((10, 0.9))] * 5
    assert tracks(frames) == [path(0, 9 + missing, without=range(5, 5 + missing))]


def test_gone_for_too_long_is_another():
    frames = [frame((10, 0.9))] * 5 + [NOTHING] * 13 + [frame((10, 0.9))] * 5
    assert tracks(frames) == [path(0, 4), path(18, 22)]


def test_back_in_the_frame_in_which_another_is_given_up():
    """The first comes back in the last frame that it may, and can be lost and found again; the second never does."""
    both, one = frame((10, 0.9), (500, 0.9)), frame((10, 0.9))
    frames = [both] * 3 + [NOTHING] * 12 + [one] * 2 + [NOTHING] * 12 + [one]
    gone = [*range(3, 15), *range(17, 29)]
    assert sorted(tracks(frames), key=len) == [path(0, 2, row=1), path(0, 29, without=gone)]


def test_seconds_are_frames_at_the_frame_rate():
    frames = [frame((10, 0.9))] * 5 + [NOTHING] * 10 + [frame((10, 0.9))] * 5
    assert len(tracks(frames, frame_rate=16)) == 1
    assert len(tracks(frames, frame_rate=8)) == 2
    assert [SETTINGS.lost_frames(rate) for rate in (8, 16, 29.97, 30)] == [6, 12, 23, 23]
    assert SETTINGS.model_copy(update={"lost_seconds": 0}).lost_frames(16) == 0


def test_tracks_come_when_they_end():
    def given():
        yield from [frame((10, 0.9))] * 3 + [NOTHING] * 13
        pytest.fail("the track has ended, and no more frames are needed")

    assert len(next(follow(given(), SETTINGS)).frames) == 3


def test_two_that_cross_stay_two():
    def at(n):
        return frame((8.0 * n, 0, 0.9), (320 - 8.0 * n, 30, 0.85))

    assert sorted(tracks([at(n) for n in range(41)])) == [path(0, 40, row=0), path(0, 40, row=1)]


def test_looks_tell_apart_what_places_do_not():
    """Two change places while nobody looks: features follow them, boxes alone do not."""
    one, other = np.eye(8, dtype=np.float32)[:2]
    before = frame((10, 0.9), (30, 0.9), features=np.stack([one, other]))
    after = frame((10, 0.9), (30, 0.9), features=np.stack([other, one]))
    followed = tracks([before] * 5 + [after] * 5)
    assert sorted(followed) == [path(0, 4, row=0) + path(5, 9, row=1), path(0, 4, row=1) + path(5, 9, row=0)]
    unseen = tracks([before] * 5 + [after] * 5, SETTINGS.model_copy(update={"appearance_weight": 0}))
    assert sorted(unseen) == [path(0, 9, row=0), path(0, 9, row=1)]


def test_a_duplicate_of_a_track_ends():
    """Twice found, then once: the shorter of the two is given up at once, and what comes after is the other."""
    frames = [frame((10, 0.9))] * 3 + [frame((10, 0.9), (11, 0.8))] * 4 + [frame((10, 0.9))] * 3
    followed = follow([*frames, frame((10, 0.9), (11, 0.8)), frame((10, 0.9), (11, 0.8))], SETTINGS)
    assert sorted(one.frames.tolist() for one in followed) == [list(range(12)), [3, 4, 5, 6], [10, 11]]


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (FrameObjects(np.array([[0, 0, np.nan, 5]]), np.array([0.5])), "frame 1: a box is not finite"),
        (FrameObjects(np.array([[0, 0, np.inf, 5]]), np.array([0.5])), "frame 1: a box is not finite"),
        (FrameObjects(np.array([[0, 0, 5, 5]]), np.array([np.nan])), "frame 1: a score is not 0 to 1"),
        (FrameObjects(np.array([[0, 0, 5, 5]]), np.array([1.5])), "frame 1: a score is not 0 to 1"),
        (FrameObjects(np.zeros((2, 4)), np.zeros(1)), r"frame 1: boxes \(2, 4\) and scores \(1,\)"),
        (FrameObjects(np.zeros((1, 4)), np.zeros(1), np.zeros((2, 8))), r"frame 1: features \(2, 8\) are not"),
        (frame((10, 0.9), features=np.eye(8)[:1]), "frame 1: features must be given in all frames or in none"),
    ],
)
def test_what_is_no_detection_is_an_error(found, message):
    with pytest.raises(ValueError, match=message):
        tracks([frame((10, 0.9)), found])


def test_a_box_without_an_area_is_in_no_track():
    flat = FrameObjects(np.array([[5, 5, 5, 50], [5, 5, 50, 5], [50, 0, 10, 90.0]]), np.full(3, 0.9))
    assert tracks([flat] * 5) == []


def test_scores_must_rise():
    with pytest.raises(ValidationError, match="must not fall"):
        TrackerSettings(high_score=0.5, new_score=0.4)


# Sequences of objects that move, vanish and tremble, on a grid of eighths so that scaling and moving them is exact.
scenes = st.builds(
    lambda seed, objects, count: moving(np.random.default_rng(seed), objects, count),
    st.integers(0, 10_000),
    st.integers(0, 6),
    st.integers(1, 25),
)


def moving(random, objects, count) -> list[FrameObjects]:
    corners = random.uniform(0, 300, (objects, 2))
    speeds = random.normal(0, 6, (objects, 2))
    frames = []
    for _ in range(count):
        corners = corners + speeds
        seen = random.random(objects) < 0.8
        boxes = np.concatenate([corners, corners + SIZE], axis=1)[seen]
        boxes = np.round((boxes + random.normal(0, 2, boxes.shape)) * 8) / 8
        frames.append(FrameObjects(boxes.astype(np.float32), random.uniform(0.05, 1, seen.sum()).astype(np.float32)))
    return frames


def found_boxes(frames, followed):
    """Tracks as what they are of: places with boxes, whatever the rows."""
    return sorted([(place, *frames[place].boxes[row].tolist()) for place, row in one] for one in followed)


@given(scenes)
def test_a_detection_is_in_one_track_at_most_and_a_track_once_in_a_frame(frames):
    followed = tracks(frames)
    every = [pair for one in followed for pair in one]
    assert len(set(every)) == len(every)
    for one in followed:
        places = [place for place, _ in one]
        assert places == sorted(set(places))
        assert all(0 <= row < len(frames[place].scores) for place, row in one)
        assert all(frames[place].scores[row] > SETTINGS.low_score for place, row in one)


@given(scenes, st.integers(0, 100))
def test_the_order_in_a_frame_makes_no_difference(frames, seed):
    random = np.random.default_rng(seed)
    orders = [random.permutation(len(found.scores)) for found in frames]
    mixed = [FrameObjects(f.boxes[order], f.scores[order]) for f, order in zip(frames, orders, strict=True)]
    assert found_boxes(mixed, tracks(mixed)) == found_boxes(frames, tracks(frames))


@given(scenes, st.sampled_from([0.25, 0.5, 2, 4]), st.sampled_from([0, 64, 1024]))
def test_scaled_and_moved_is_the_same(frames, scale, shift):
    other = [FrameObjects(found.boxes * scale + shift, found.scores) for found in frames]
    assert tracks(other) == tracks(frames)


@given(scenes, scenes)
def test_far_apart_is_followed_apart(frames, others):
    count = max(len(frames), len(others))
    frames, others = (each + [NOTHING] * (count - len(each)) for each in (frames, others))
    others = [FrameObjects(found.boxes + 65536, found.scores) for found in others]
    together = [
        FrameObjects(np.concatenate([one.boxes, two.boxes]), np.concatenate([one.scores, two.scores]))
        for one, two in zip(frames, others, strict=True)
    ]
    apart = found_boxes(frames, tracks(frames)) + found_boxes(others, tracks(others))
    assert found_boxes(together, tracks(together)) == sorted(apart)
