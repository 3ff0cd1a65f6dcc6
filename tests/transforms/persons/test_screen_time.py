"""Time on screen: what each sampled frame stands for, and the spans of a person."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.persons.screen_time import moments, screen_time, spans


def seen(times, numbers_seen, seconds, listed=None):
    numbers = np.arange(len(times)) * 10
    all_ = moments(numbers, np.array(times, np.float64), seconds, listed)
    return spans(np.array(numbers_seen, np.int64) * 10, all_)


SHOTS = [0, 2, 3.96, 4, 4.5, 4.96]  # first, middle and last frame of two shots: 0 to 4 and 4 to 5 seconds


@pytest.mark.parametrize(
    ("times", "seen_in", "seconds", "listed", "expected"),
    [
        ([], [], 9, None, []),
        ([0, 1, 2], [], 9, None, []),
        ([4], [0], 9, None, [(0, 9)]),  # a single frame stands for the whole video
        ([4], [0], 9, [[3, 5]], [(3, 5)]),  # or for the span that was listed
        ([0, 1, 2], [0], 3, None, [(0, 0.5)]),
        ([0, 1, 2], [1], 3, None, [(0.5, 1.5)]),
        ([0, 1, 2], [2], 3, None, [(1.5, 2.5)]),
        ([0, 1, 2], [2], 2.2, None, [(1.5, 2.2)]),
        ([0, 1, 2], [0, 1], 3, None, [(0, 1.5)]),
        ([0, 1, 2], [0, 2], 3, None, [(0, 0.5), (1.5, 2.5)]),
        ([0, 1, 2], [2, 0, 0, 1], 3, None, [(0, 2.5)]),
        ([5, 6, 7], [0, 1, 2], 99, None, [(5, 7.5)]),  # skip_seconds 5, stop_seconds 8
        (SHOTS, [0, 1, 2], 5, None, [(0, 3.98)]),
        (SHOTS, [3, 5], 5, None, [(3.98, 4.25), (4.73, 5)]),
        # two listed spans: nobody is seen between them
        ([1, 2, 90, 91], [0, 1, 2, 3], 99, [[1, 2.5], [90, 91.5]], [(1, 2.5), (90, 91.5)]),
        ([1, 2, 90, 91], [1, 2], 99, [[90, 91.5], [1, 2.5]], [(1.5, 2.5), (90, 90.5)]),
        ([1, 90], [0, 1], 99, [[1, 2.5], [90, 91.5]], [(1, 2.5), (90, 91.5)]),
        ([1, 50, 90], [1], 99, [[0, 3], [49, 52], [89, 99]], [(49, 52)]),
        ([1, 2, 3], [0, 1, 2], 99, [[1, 2], [1.5, 4], [-1, 0]], [(1, 3.5)]),  # spans that overlap are one
        ([1, 2, 3], [0, 1, 2], 3.2, [[1, 99]], [(1, 3.2)]),
        ([1, 2], [0, 1], 9, [], [(1, 2.5)]),
        ([0], [0], 0, None, [(0, 0)]),  # a video without length
        ([0], [0], -1, [[0, 1]], [(0, 0)]),
    ],
)
def test_hand_worked(times, seen_in, seconds, listed, expected):
    found = seen(times, seen_in, seconds, listed)
    assert found == [pytest.approx(span) for span in expected]
    assert screen_time(found) == pytest.approx(sum(end - start for start, end in expected))


@st.composite
def videos(draw):
    """Times of samples, the length, listed spans, and the samples in which someone is seen."""
    seconds = draw(st.floats(0.1, 500))
    times = sorted(draw(st.sets(st.floats(0, seconds), min_size=1, max_size=40)))
    listed = draw(st.none() | st.lists(st.tuples(st.floats(-5, 600), st.floats(-5, 600)), max_size=5))
    return times, draw(st.lists(st.integers(0, len(times) - 1), max_size=60)), seconds, listed


@given(videos())
@settings(max_examples=300, deadline=None)
def test_spans_are_apart_within_the_video_and_no_longer_than_it(video):
    _, seen_in, seconds, _ = video
    found = seen(*video)
    assert all(0 <= start <= end <= seconds for start, end in found)
    assert all(one[1] <= other[0] for one, other in itertools.pairwise(found))
    assert screen_time(found) <= seconds + 1e-6
    assert (not seen_in) == (not found)


@given(videos())
@settings(max_examples=100, deadline=None)
def test_two_who_are_never_seen_at_once_share_no_time(video):
    times, seen_in, *where = video
    others = sorted(set(range(len(times))) - set(seen_in))
    parts = [screen_time(seen(times, some, *where)) for some in (seen_in, others)]
    assert sum(parts) == pytest.approx(screen_time(seen(times, range(len(times)), *where)), abs=1e-6)
