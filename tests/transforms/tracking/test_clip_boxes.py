"""Boxes of clips: within the frame, of one aspect, around the object; parts of long tracks; smoothing."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from transforms.tracking.box_path import boxes_at
from transforms.tracking.clip_boxes import clip_boxes, parts, smooth
from transforms.tracking.clip_settings import TrackClipSettings

FRAME = (320, 240)
PLAIN = TrackClipSettings()


def test_one_frame():
    view = clip_boxes(np.array([(60.0, 50, 160, 150)]), FRAME, 0, PLAIN)
    assert view.boxes.tolist() == [[60, 50, 160, 150]]
    assert (view.width, view.height) == (100, 100)


ASPECTS = [  # width and height of a box, those of what is cut out
    ((100, 100), (100, 100)),
    ((120, 100), (120, 100)),
    ((100, 150), (100, 150)),
    ((30, 150), (100, 150)),  # at least 2:3
    ((150, 20), (150, 100)),  # at most 3:2
    ((320, 240), (320, 240)),
    ((20, 240), (160, 240)),
    ((320, 100), (320, 213.333)),
    ((320, 235), (320, 235)),
    ((310, 100), (310, 206.667)),
]


@pytest.mark.parametrize(("box", "shown"), ASPECTS)
def test_the_aspect_is_clamped(box, shown):
    x, y = (FRAME[0] - box[0]) / 2, (FRAME[1] - box[1]) / 2
    (found,) = clip_boxes(np.array([(x, y, x + box[0], y + box[1])]), FRAME, 0, PLAIN).boxes
    assert found[2:] - found[:2] == pytest.approx(shown, abs=0.01)


CASES = [  # box, expansion, what is cut out
    ("expanded", (100, 100, 140, 140), 0.5, (90, 90, 150, 150)),
    ("doubled", (100, 100, 140, 140), 1, (80, 80, 160, 160)),
    ("moved in at the left", (0, 100, 40, 140), 0.5, (0, 90, 60, 150)),
    ("moved in at the right and below", (280, 200, 320, 240), 0.5, (260, 180, 320, 240)),
    ("beyond the frame", (-20, -10, 20, 30), 0, (0, 0, 40, 40)),
    ("higher than the frame", (100, 0, 300, 240), 1, (100, 0, 300, 240)),
    ("without an area", (100, 100, 100, 100), 0, (99.5, 99.5, 100.5, 100.5)),
]


@pytest.mark.parametrize(("box", "expansion", "shown"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_what_is_cut_out(box, expansion, shown):
    (found,) = clip_boxes(np.array([box], np.float64), FRAME, expansion, PLAIN).boxes
    assert found.tolist() == pytest.approx(shown)


SIZES = [  # width and height of the box, bounds, the clip's size
    ((101, 99), {}, (100, 100)),
    ((4, 4), {}, (16, 16)),
    ((6, 4), {}, (24, 16)),
    ((200, 200), {"max_side": 64}, (64, 64)),
    ((210, 140), {"max_side": 64}, (64, 42)),
    ((140, 210), {"max_side": 64}, (42, 64)),
]


@pytest.mark.parametrize(("box", "bounds", "size"), SIZES)
def test_the_size(box, bounds, size):
    view = clip_boxes(np.array([(0.0, 0, *box)]), FRAME, 0, TrackClipSettings(**bounds))
    assert (view.width, view.height) == size


sides = st.tuples(st.floats(-50, 700), st.floats(-50, 500), st.floats(0, 700), st.floats(0, 500))
tracks = st.lists(sides, min_size=1, max_size=12).map(
    lambda rows: np.array([(x, y, x + w, y + h) for x, y, w, h in rows])
)
frames = st.tuples(st.integers(2, 700), st.integers(2, 700))


@given(tracks, frames, st.sampled_from([0.0, 0.25, 1.0]), st.sampled_from([64, 1024]))
def test_boxes_are_within_the_frame_of_one_aspect_and_hold_the_object(path, frame, expansion, max_side):
    view = clip_boxes(path, frame, expansion, TrackClipSettings(max_side=max_side))
    boxes = view.boxes.astype(np.float64)
    assert (boxes >= 0).all()
    assert (boxes[:, 2:] <= frame).all()
    widths, heights = (boxes[:, 2:] - boxes[:, :2]).T
    aspects = widths / heights
    assert np.ptp(aspects) < 1e-3 * aspects.max()
    assert 2 / 3 - 1e-3 <= aspects.min() <= aspects.max() <= 3 / 2 + 1e-3
    whole = (widths < frame[0] - 0.01) & (heights < frame[1] - 0.01)  # the others are as large as can be
    seen = np.hstack([np.clip(path[:, :2], 0, frame), np.clip(path[:, 2:], 0, frame)])
    assert (boxes[whole, :2] <= seen[whole, :2] + 0.01).all()
    assert (boxes[whole, 2:] >= seen[whole, 2:] - 0.01).all()
    for side in (view.width, view.height):
        assert side % 2 == 0
        assert 16 <= side <= max_side
    if min(view.width, view.height) > 16 and max(view.width, view.height) < max_side:
        assert (view.width, view.height) == pytest.approx((widths.mean(), heights.mean()), abs=1.01)


def test_boxes_between_and_beyond_those_that_were_found():
    boxes = np.array([(0, 0, 10, 10), (20, 0, 40, 10)], np.float32)
    found = boxes_at(np.array([1.0, 3.0]), boxes, np.array([0.0, 1.5, 3.0, 9.0]))
    assert found.tolist() == [[0, 0, 10, 10], [5, 0, 17.5, 10], [20, 0, 40, 10], [20, 0, 40, 10]]


def moving(times: np.ndarray, speed: float, noise: float = 0.0) -> np.ndarray:
    random = np.random.default_rng(5)
    x = 50 + speed * times + noise * random.standard_normal(len(times))
    return np.stack([x, np.full_like(x, 20), x + 40, np.full_like(x, 80)], axis=1)


EVEN = np.arange(100) / 25
UNEVEN = np.cumsum(np.where(np.arange(100) % 7 < 3, 0.01, 0.09))


@pytest.mark.parametrize("times", [EVEN, UNEVEN, EVEN[:2], EVEN[:1], EVEN[:30] * 100])
def test_what_moves_steadily_stays_where_it_is(times):
    boxes = moving(times, 120)
    np.testing.assert_allclose(smooth(times, boxes, 0.66), boxes, atol=1e-6)


def test_the_middle_of_an_even_track_is_smoothed_by_a_gaussian():
    boxes = moving(EVEN, 0, noise=5)
    weights = np.exp(-(((EVEN - EVEN[50]) / 0.2) ** 2) / 2)
    wanted = (weights[:, None] * boxes).sum(axis=0) / weights.sum()
    np.testing.assert_allclose(smooth(EVEN, boxes, 0.2)[50], wanted, atol=5e-3)
    assert np.abs(np.diff(smooth(EVEN, boxes, 0.66)[:, 0])).max() < 0.1 * np.abs(np.diff(boxes[:, 0])).max()
    assert smooth(EVEN, boxes, 0).tolist() == boxes.tolist()


@given(tracks, st.floats(0.01, 5))
def test_smoothed_sides_are_within_those_of_the_track(boxes, sigma):
    found = smooth(np.arange(len(boxes)) / 25, boxes, sigma)
    for one in (0, 1):
        sizes, was = found[:, one + 2] - found[:, one], boxes[:, one + 2] - boxes[:, one]
        assert was.min() - 1e-6 <= sizes.min() <= sizes.max() <= was.max() + 1e-6


PARTS = [  # frames, a second each; max_seconds; lengths of the parts
    (1, 30, [1]),
    (30, 30, [30]),
    (31, 30, [15, 16]),
    (60, 30, [30, 30]),
    (61, 30, [20, 20, 21]),
    (4, 0.5, [1, 1, 1, 1]),
]


@pytest.mark.parametrize(("frames", "limit", "lengths"), PARTS)
def test_long_tracks_are_cut_into_equal_parts(frames, limit, lengths):
    settings = TrackClipSettings(max_seconds=limit)
    found = parts([float(time) for time in range(frames)], float(frames), settings)
    assert sorted(len(part) for part in found) == lengths
    first = parts([float(time) for time in range(frames)], float(frames), TrackClipSettings(**{
        "max_seconds": limit, "longer": "first"}))  # fmt: skip
    assert first == [range(min(frames, max(1, int(limit))))]


@given(st.lists(st.sampled_from([0.001, 0.04, 1.0, 35.0]), min_size=1, max_size=60), st.sampled_from([0.1, 3, 30]))
def test_parts_hold_every_frame_once_and_are_short(lasts, limit):
    times = np.concatenate([[0], np.cumsum(lasts)])
    found = parts(times[:-1].tolist(), float(times[-1]), TrackClipSettings(max_seconds=limit))
    assert [place for part in found for place in part] == list(range(len(lasts)))
    for part in found:
        assert len(part) == 1 or times[part.stop] - times[part.start] <= limit + 1e-5
    for one, other in pairwise(found):
        assert one.stop == other.start


@pytest.mark.parametrize(
    "wrong", [{"expansions": ()}, {"expansions": (0.5, 0.501)}, {"min_side": 17}, {"min_side": 32, "max_side": 40}]
)
def test_settings_that_cannot_be(wrong):
    with pytest.raises(ValidationError):
        TrackClipSettings(**wrong)
