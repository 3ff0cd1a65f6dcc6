from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from transforms.vision.span_settings import SpanSettings
from transforms.vision.spans import FaceTrack, Found, cut_to_length, find_spans

SETTINGS = SpanSettings()
BOX = [0.4, 0.3, 0.6, 0.7]


def track(numbers, boxes=None, people=None) -> FaceTrack:
    """Faces on these frames; `people` gives each sample's person, -1: no embedding."""
    numbers = np.asarray(numbers, np.int64)
    boxes = np.tile(BOX, (len(numbers), 1)) if boxes is None else np.asarray(boxes, np.float64)
    people = np.zeros(len(numbers), int) if people is None else np.asarray(people)
    vectors = np.where(people[:, None] >= 0, np.eye(8)[people], np.nan)
    return FaceTrack(numbers, boxes.reshape(-1, 4), vectors)


def frames(found: Found) -> list[tuple[int, int]]:
    return [(span.first, span.end) for span in found.spans]


def moved(steps) -> np.ndarray:
    """Boxes that move right by these shares of the frame, each from the one before."""
    return np.array(BOX) + np.cumsum([0.0, *steps])[:, None] * [1, 0, 1, 0]


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ([], []),
        (range(0, 32, 2), []),  # 16 samples are not enough
        (range(0, 34, 2), [(0, 33)]),
        (range(1000, 1258, 2), [(1000, 1130), (1130, 1257)]),  # one frame too long
        (range(7, 263, 2), [(7, 262)]),
        ([*range(0, 40, 2), *range(44, 84, 2)], [(0, 83)]),  # two samples missing
        ([*range(0, 40, 2), *range(46, 86, 2)], [(0, 39), (46, 85)]),  # three
        ([*range(0, 20, 2), *range(40, 80, 2)], [(40, 79)]),  # too few before the gap
    ],
)
def test_spans_are_of_samples_in_a_row(numbers, expected):
    assert frames(find_spans(track(list(numbers)), SETTINGS)) == expected


@pytest.mark.parametrize(
    ("boxes", "expected"),
    [
        (moved([0.002] * 39), [(0, 79)]),
        (moved([0.0] * 19 + [0.059] + [0.0] * 19), [(0, 79)]),
        (moved([0.0] * 19 + [0.061] + [0.0] * 19), [(0, 39), (40, 79)]),
        (moved([0.01] * 39), []),  # moves all the time
    ],
)
def test_spans_are_of_faces_that_stay_in_place(boxes, expected):
    found = find_spans(track(range(0, 80, 2), boxes), SETTINGS)
    assert frames(found) == expected
    assert found.restless == (not expected)


@pytest.mark.parametrize(
    ("people", "expected"),
    [
        ([0] * 20 + [1] * 20, [(0, 39), (40, 79)]),
        ([0] * 20 + [1] * 3 + [0] * 17, [(0, 79)]),  # too short to be told from blur
        ([0] * 10 + [1] * 30, [(20, 79)]),
        ([0] * 19 + [-1, -1] + [1] * 19, [(0, 37), (42, 79)]),  # whose samples those two are, no one knows
        ([-1] * 40, [(0, 79)]),
        ([-1, 0, 0] * 7 + [1] * 19, [(0, 41), (42, 79)]),
    ],
)
def test_spans_are_of_one_person(people, expected):
    assert frames(find_spans(track(range(0, 80, 2), people=people), SETTINGS)) == expected


def test_what_is_no_span_is_counted():
    boxes = np.concatenate([moved([0.01] * 39), moved([0.0] * 9) + np.array([0, 0.2, 0, 0.2])])
    found = find_spans(track(range(0, 100, 2), boxes), SETTINGS)
    assert (found.spans, found.short, found.restless) == ((), 1, 1)


samples = st.lists(st.integers(1, 4), min_size=1, max_size=400).map(lambda gaps: np.cumsum(gaps) * 2)


@given(samples, st.integers(9, 300))
def test_long_pieces_are_cut_evenly_and_nothing_of_them_is_lost(numbers, most):
    spans = cut_to_length(numbers, (0, len(numbers)), most)
    assert spans[0].first == numbers[0]
    assert spans[-1].end == numbers[-1] + 1
    assert all(one.stop == other.start and one.end == other.first for one, other in pairwise(spans))
    assert all(0 < span.end - span.first <= most and span.start < span.stop for span in spans)
    assert all(span.first == numbers[span.start] for span in spans)
    if len(spans) > 1 and most > 40:
        assert min(span.end - span.first for span in spans) >= most / 2 - 16


tracks = st.lists(
    st.tuples(
        st.sampled_from([1, 1, 1, 1, 1, 2, 3, 4, 7]),  # samples since the one before
        st.sampled_from([0.0, 0.0, 0.0, 0.01, -0.01, 0.03, 0.1, -0.1]),
        st.sampled_from([False] * 15 + [True]),  # another person from here on
    ),
    max_size=300,
)


@given(tracks, st.sampled_from([(1, 6), (1, 40), (3, 6), (5, 40), (17, 40), (17, 256)]))
def test_spans_keep_their_promises(steps, limits):
    least, most = limits
    settings = SpanSettings(min_samples=least, max_frames=most, max_std=1, max_distance=2)
    numbers = np.cumsum([gap for gap, _, _ in steps]) * 2
    boxes = moved([step for _, step, _ in steps])[1:] if steps else np.zeros((0, 4))
    whole = track(numbers, boxes, np.cumsum([new for _, _, new in steps]) % 8 if steps else None)
    found = find_spans(whole, settings)
    for span in found.spans:
        assert 0 < span.end - span.first <= most
        own = slice(span.start, span.stop)
        assert np.diff(numbers[own], prepend=numbers[span.start]).max() <= 6
        assert (np.abs(np.diff(whole.boxes[own], axis=0)) <= 0.06).all()
        assert span.first == numbers[span.start] <= numbers[span.stop - 1] < span.end
    assert all(one.stop <= other.start and one.end <= other.first for one, other in pairwise(found.spans))
    if least == 1:  # then every sample is in a span
        assert [i for span in found.spans for i in range(span.start, span.stop)] == list(range(len(numbers)))


def test_spans_that_could_not_be_split_are_refused():
    with pytest.raises(ValidationError, match="max_frames must be at least"):
        SpanSettings(max_frames=5)
