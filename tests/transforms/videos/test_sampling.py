"""Which frames are looked at: in order, none twice, as many as asked for, inside the video."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.tables.reasons import Rejected
from transforms.videos.sampling import (
    SEGMENTS,
    Sample,
    SamplingSettings,
    cheapest,
    every_frames,
    every_seconds,
    in_spans,
    looked_at,
    per_shot,
    sample,
    spread,
    thirds,
    window,
    within,
)

COUNTS = st.integers(0, 5000)


@st.composite
def clocks(draw):
    """Times of frames of a variable rate, from 0."""
    steps = draw(st.lists(st.integers(1, 500), max_size=300))
    return np.cumsum([0, *steps]) / 1000


def segments(count, per_segment=30):
    return sample(SamplingSettings(per_segment=per_segment, near_keys=False), np.arange(count) / 25)


def numbers(samples):
    return [one.number for one in samples]


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (0, []),
        (1, [("end", 0, 0)]),
        (2, [("middle", 0, 0), ("end", 0, 1)]),
        (4, [("front", 0, 0), ("middle", 0, 1), ("end", 0, 2), ("end", 1, 3)]),
    ],
)
def test_very_short_videos(count, expected):
    assert [(one.segment, one.sample, one.number) for one in segments(count)] == expected


@given(COUNTS, st.integers(1, 40))
def test_segments(count, per_segment):
    found = segments(count, per_segment)
    assert len(found) == min(count, 3 * per_segment)
    assert all(one < other for one, other in pairwise(numbers(found)))
    assert all(0 <= number < count for number in numbers(found))
    if count > 3 * per_segment:
        for name, (first, end) in zip(SEGMENTS, thirds((0, count)), strict=True):
            own = [one for one in found if one.segment == name]
            assert [one.sample for one in own] == list(range(per_segment))
            assert numbers(own) == [first + k * ((end - first) // per_segment) for k in range(per_segment)]


@given(COUNTS, COUNTS)
def test_thirds_are_equal_to_within_a_frame(first, count):
    parts = thirds((first, first + count))
    lengths = [end - start for start, end in parts]
    assert (parts[0][0], parts[-1][1]) == (first, first + count)
    assert all(one[1] == other[0] for one, other in pairwise(parts))
    assert max(lengths) - min(lengths) <= 1


def test_ninety_of_ten_minutes():
    found = segments(15_000)
    assert len(found) == 90
    assert numbers(found)[:3] == [0, 166, 332]
    assert found[30] == Sample("middle", 0, 5000)
    assert found[-1] == Sample("end", 29, 10_000 + 29 * 166)


@given(st.integers(0, 1000), st.integers(0, 1000), st.integers(1, 50))
def test_a_range_is_spread_evenly(first, length, most):
    found = spread((first, first + length), most)
    assert len(found) == min(length, most)
    assert len(set(np.diff(found))) <= 1
    assert all(first <= number < first + length for number in found)


@given(st.integers(0, 500), st.integers(0, 500), st.integers(1, 50))
def test_every_so_many_frames(first, length, step):
    found = every_frames((first, first + length), step)
    assert found == [number for number in range(first, first + length) if (number - first) % step == 0]


@given(clocks(), st.floats(0.001, 3))
def test_every_so_many_seconds_the_frame_that_is_shown_then(times, step):
    found = every_seconds(times, (0, len(times)), step)
    shown = [int(np.flatnonzero(times <= moment + 1e-6)[-1]) for moment in np.arange(0, times[-1] + 1e-6, step)]
    assert found == sorted(set(shown))


def test_a_tenth_of_a_second_is_met_exactly():
    times = np.arange(100) / 30
    assert every_seconds(times, (0, 100), 0.1) == list(range(0, 100, 3))
    assert every_seconds(times, (10, 40), 0.5) == [10, 25]
    assert every_seconds(times, (5, 5), 0.5) == []


@pytest.mark.parametrize(
    ("shot", "expected"),
    [((3, 3), []), ((3, 4), [3]), ((3, 5), [3, 4]), ((3, 6), [3, 4, 5]), ((10, 20), [10, 14, 19])],
)
def test_of_a_shot_first_middle_and_last(shot, expected):
    assert per_shot(shot) == expected


@given(clocks(), st.lists(st.tuples(st.floats(-1, 200), st.floats(-1, 200)), max_size=5))
def test_spans_have_the_frames_that_begin_in_them(times, spans):
    for (first, end), (start, stop) in zip(
        in_spans(times, spans), [span for span in spans if _begin_in(times, *span)], strict=True
    ):
        assert list(range(first, end)) == _begin_in(times, start, stop)


def test_spans_that_overlap_beyond_all_bounds_are_refused():
    """A row of a few kilobytes would have the whole video decoded a thousand times."""
    times = np.arange(10_000) / 25
    over = [[0.04 * number, 400] for number in range(1000)]
    with pytest.raises(Rejected, match=r"too_long.*have 9500500 frames together, the video has 10000"):
        in_spans(times, over)
    assert len(in_spans(times, over[:30])) == 30
    assert len(in_spans(times, [[0, 400]] * 1000)) == 1000  # the same one is the same frames
    assert len(in_spans(times[:100], [[0.04 * n, 4] for n in range(100)])) == 100


def _begin_in(times, start, stop):
    return [number for number, time in enumerate(times) if start - 1e-6 <= time < stop - 1e-6]


@given(COUNTS, st.integers(1, 40), st.randoms(use_true_random=False))
def test_the_cheapest_frames_stay_in_their_strides(count, per_segment, chance):
    costs = np.array([chance.randrange(1, 250) for _ in range(count)], np.int64)
    times = np.arange(count) / 25
    exact = sample(SamplingSettings(per_segment=per_segment, near_keys=False), times, costs=costs)
    near = sample(SamplingSettings(per_segment=per_segment), times, costs=costs)
    assert [(one.segment, one.sample) for one in near] == [(one.segment, one.sample) for one in exact]
    assert all(one < other for one, other in pairwise(numbers(near)))
    stride = count // 3 // per_segment if count > 3 * per_segment else 1
    for moved, one in zip(numbers(near), numbers(exact), strict=True):
        assert one <= moved <= one + stride
        assert costs[moved] <= costs[one]


def test_a_key_frame_is_chosen_where_there_is_one():
    costs = np.tile(np.arange(1, 11), 3)
    assert cheapest([3, 8, 13, 18], 23, costs) == [3, 10, 13, 20]


@pytest.mark.parametrize(
    ("settings", "spans", "expected"),
    [
        ({}, [], []),
        (
            {"per_segment": 2},
            None,
            [("front", 0), ("front", 16), ("middle", 33), ("middle", 49), ("end", 66), ("end", 83)],
        ),
        ({"per_segment": 2}, [[1, 2], [9, 99]], [("span0", 10), ("span0", 15), ("span1", 90), ("span1", 95)]),
        ({"per_segment": 2}, [[50, 60], [1, 1.2]], [("span0", 10), ("span0", 11)]),
        ({"per_segment": 2}, [[1, 2], [1.5, 2.5]], [("span0", 10), ("span0", 15), ("span1", 20)]),
        ({"method": "every_frames", "frames": 40}, None, [("all", 0), ("all", 40), ("all", 80)]),
        ({"method": "every_seconds", "seconds": 4}, None, [("all", 0), ("all", 40), ("all", 80)]),
        ({"method": "every_seconds", "seconds": 4}, [[1, 8]], [("span0", 10), ("span0", 50)]),
        ({"method": "per_shot"}, None, [("shot0", 0), ("shot0", 4), ("shot0", 9), ("shot1", 50), ("shot1", 51)]),
    ],
)
def test_methods(settings, spans, expected):
    """A hundred frames, ten a second, two shots."""
    times = np.arange(100) / 10
    found = sample(SamplingSettings(**settings), times, spans, shots=[(0, 10), (50, 52)])
    assert [(one.segment, one.number) for one in found] == expected


def test_shots_that_overlap_have_each_frame_once():
    found = sample(SamplingSettings(method="per_shot"), np.arange(100) / 10, shots=[(0, 10), (4, 10)])
    assert [(one.segment, one.sample, one.number) for one in found] == [
        ("shot0", 0, 0), ("shot0", 1, 4), ("shot0", 2, 9), ("shot1", 1, 6),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("skip", "stop", "expected"),
    [
        (0, None, (0, 100)),
        (2, None, (20, 100)),
        (0, 3, (0, 30)),
        (2, 3, (20, 30)),
        (2.05, 3.05, (21, 31)),
        (9.95, None, (100, 100)),
        (50, 60, (100, 100)),
        (0, 0.1, (0, 1)),
    ],
)
def test_the_window_has_the_frames_that_begin_in_it(skip, stop, expected):
    settings = SamplingSettings(skip_seconds=skip, stop_seconds=stop)
    assert window(settings, np.arange(100) / 10) == expected
    assert window(settings, np.zeros(0)) == (0, 0)


@pytest.mark.parametrize(("skip", "stop"), [(5, 5), (6, 5)])
def test_a_window_must_have_something_in_it(skip, stop):
    with pytest.raises(ValueError, match="stop_seconds must be more than skip_seconds"):
        SamplingSettings(skip_seconds=skip, stop_seconds=stop)


@pytest.mark.parametrize(
    ("ranges", "expected"),
    [
        ([], []),
        ([(0, 5), (5, 20), (20, 40), (40, 50)], [(10, 10), (10, 20), (20, 30), (30, 30)]),
        ([(0, 99)], [(10, 30)]),
    ],
)
def test_what_lies_within_a_range(ranges, expected):
    assert within(ranges, (10, 30)) == expected


@pytest.mark.parametrize(
    ("settings", "spans", "expected"),
    [
        ({"method": "every_seconds", "seconds": 2}, None, [("all", 20), ("all", 40)]),
        ({"method": "every_frames", "frames": 15}, None, [("all", 20), ("all", 35), ("all", 50)]),
        ({"method": "per_shot"}, None, [("shot0", 20), ("shot0", 24), ("shot0", 29), ("shot1", 50), ("shot1", 51)]),
        ({"per_segment": 1}, None, [("front", 20), ("middle", 31), ("end", 42)]),
        ({"per_segment": 2}, [[0, 1], [1, 2.3], [5, 9]], [("span1", 20), ("span1", 21), ("span2", 50), ("span2", 52)]),
        ({"method": "every_seconds", "seconds": 1}, [[0, 3.05]], [("span0", 20), ("span0", 30)]),
        ({"method": "every_frames", "frames": 9}, [[6, 7]], []),
    ],
)
def test_nothing_outside_the_window_is_sampled(settings, spans, expected):
    """A hundred frames, ten a second, of which 2 to 5.4 seconds are looked at; three shots."""
    how = SamplingSettings(skip_seconds=2, stop_seconds=5.4, near_keys=False, **settings)
    found = sample(how, np.arange(100) / 10, spans, shots=[(0, 30), (50, 52), (60, 70)])
    assert [(one.segment, one.number) for one in found] == expected


@given(
    COUNTS, st.integers(1, 40), st.floats(0, 250), st.floats(0.1, 100), st.sampled_from(["segments", "every_frames"])
)
def test_the_cheapest_frames_stay_in_the_window(count, per_segment, skip, length, method):
    settings = SamplingSettings(method=method, per_segment=per_segment, skip_seconds=skip, stop_seconds=skip + length)
    times = np.arange(count) / 25
    found = numbers(sample(settings, times, costs=np.arange(count, 0, -1)))  # the last of each stride is the cheapest
    first, end = window(settings, times)
    assert all(first <= number < end for number in found)
    assert found == sorted(set(found))


@pytest.mark.parametrize(
    ("settings", "spans", "expected"),
    [
        ({}, None, None),
        ({}, [[1, 2]], [(1, 2)]),
        ({"skip_seconds": 3}, None, [(3, np.inf)]),
        ({"stop_seconds": 5}, None, [(0, 5)]),
        (
            {"skip_seconds": 3, "stop_seconds": 5},
            [[1, 2], [2, 4], [3.5, 4.5], [1, 9], [5, 9]],
            [(3, 4), (3.5, 4.5), (3, 5)],
        ),
        ({"skip_seconds": 3}, [], []),
    ],
)
def test_what_is_looked_at(settings, spans, expected):
    assert looked_at(SamplingSettings(**settings), spans) == expected
