"""Time on screen: what each sampled frame stands for, and the spans of a person."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.persons.screen_time import moments, screen_time, spans, stretches


def seen(times, numbers_seen, looked_at):
    numbers = np.arange(len(times)) * 10
    all_ = moments(numbers, np.array(times, np.float64), looked_at)
    return spans(np.array(numbers_seen, np.int64) * 10, all_)


@pytest.mark.parametrize(
    ("times", "seen_in", "looked_at", "expected"),
    [
        ([], [], [(0, 9)], []),
        ([0, 1, 2], [], [(0, 9)], []),
        ([4], [0], [(0, 9)], [(0, 9)]),  # a single frame stands for the whole video
        ([4], [0], [(3, 5)], [(3, 5)]),  # or for what was looked at
        ([0, 1, 2], [0], [(0, 3)], [(0, 0.5)]),
        ([0, 1, 2], [1], [(0, 3)], [(0.5, 1.5)]),
        ([0, 1, 2], [2], [(0, 3)], [(1.5, 2.5)]),
        ([0, 1, 2], [2], [(0, 2.2)], [(1.5, 2.2)]),
        ([0, 1, 2], [0, 1], [(0, 3)], [(0, 1.5)]),
        ([0, 1, 2], [0, 2], [(0, 3)], [(0, 0.5), (1.5, 2.5)]),
        ([0, 1, 2], [2, 0, 0, 1], [(0, 3)], [(0, 2.5)]),
        ([5, 6, 7], [0], [(0, 99)], [(4.5, 5.5)]),
        ([5, 6, 7], [0, 1, 2], [(5, 7.25)], [(5, 7.25)]),  # skip_seconds and stop_seconds
        # two shots by their first, middle and last frames: 0 to 4 and 4 to 5 seconds
        ([0, 2, 3.96, 4, 4.5, 4.96], [0, 1, 2], [(0, 5)], [(0, 3.98)]),
        ([0, 2, 3.96, 4, 4.5, 4.96], [3, 5], [(0, 5)], [(3.98, 4.25), (4.73, 5)]),
        # two listed spans: nobody is seen between them
        ([1, 2, 90, 91], [0, 1, 2, 3], [(1, 2.5), (90, 91.5)], [(1, 2.5), (90, 91.5)]),
        ([1, 2, 90, 91], [1, 2], [(1, 2.5), (90, 91.5)], [(1.5, 2.5), (90, 90.5)]),
        ([1, 90], [0, 1], [(1, 2.5), (90, 91.5)], [(1, 2.5), (90, 91.5)]),
        ([1, 50, 90], [1], [(0, 3), (49, 52), (89, 99)], [(49, 52)]),
    ],
)
def test_hand_worked(times, seen_in, looked_at, expected):
    found = seen(times, seen_in, looked_at)
    assert found == [pytest.approx(span) for span in expected]
    assert screen_time(found) == pytest.approx(sum(end - start for start, end in expected))


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        (None, [(0, 10)]),
        ([], [(0, 10)]),
        ([[2, 3]], [(2, 3)]),
        ([[5, np.inf], [-1, 2]], [(0, 2), (5, 10)]),
        ([[1, 4], [2, 3], [4, 5]], [(1, 5)]),
        ([[6, 5], [20, 30]], [(0, 10)]),
    ],
)
def test_what_spans_cover(listed, expected):
    assert stretches(listed, 10) == expected


def test_a_video_without_length():
    assert stretches(None, -1) == stretches([[0, 1]], 0) == [(0, 0)]
    assert screen_time(seen([0], [0], [(0, 0)])) == 0


@st.composite
def videos(draw):
    """Times of samples, what was looked at, the length, and the samples in which someone is seen."""
    seconds = draw(st.floats(0.1, 500))
    times = sorted(draw(st.sets(st.floats(0, seconds), min_size=1, max_size=40)))
    listed = draw(st.none() | st.lists(st.tuples(st.floats(-5, 600), st.floats(-5, 600)), max_size=5))
    seen_in = draw(st.lists(st.integers(0, len(times) - 1), max_size=60))
    return times, stretches(listed, seconds), seconds, seen_in


@given(videos())
@settings(max_examples=300, deadline=None)
def test_spans_are_apart_within_the_video_and_no_longer_than_it(video):
    times, looked_at, seconds, seen_in = video
    found = seen(times, seen_in, looked_at)
    assert all(0 <= start <= end <= seconds for start, end in found)
    assert all(one[1] <= other[0] for one, other in itertools.pairwise(found))
    assert screen_time(found) <= sum(end - start for start, end in looked_at) + 1e-6
    assert (not seen_in) == (not found)


@given(videos())
@settings(max_examples=100, deadline=None)
def test_two_who_are_never_seen_at_once_share_no_time(video):
    times, looked_at, _, seen_in = video
    others = sorted(set(range(len(times))) - set(seen_in))
    whole = screen_time(seen(times, range(len(times)), looked_at))
    parts = screen_time(seen(times, seen_in, looked_at)) + screen_time(seen(times, others, looked_at))
    assert parts == pytest.approx(whole, abs=1e-6)
