"""Planning shots on frame times."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError

from transforms.videos.shot_settings import ShotSettings
from transforms.videos.shots import cuts_between, detect_shots, frame_edges, plan_shots, span_pieces

FPS = 10


def edges(frames: int) -> np.ndarray:
    return frame_edges(np.arange(frames) / FPS, frames / FPS)


def settings(**given_settings) -> ShotSettings:
    return ShotSettings(**{"detector": "none", **given_settings})


class NoFrames:
    """A video whose frames must not be asked for."""

    times = np.arange(100) / FPS

    def frames(self, numbers, size=None):
        raise AssertionError("frames were decoded")


def test_edges():
    np.testing.assert_array_equal(frame_edges(np.zeros(0), 0), [0])
    np.testing.assert_array_equal(frame_edges(np.array([0.0]), 0.04), [0, 0.04])
    np.testing.assert_array_equal(frame_edges(np.array([0.0, 1.5]), 0), [0, 1.5, 1.5])


@pytest.mark.parametrize(
    ("spans", "pieces"),
    [
        (None, [(0, 50)]),
        ([], []),
        ([[1, 2]], [(10, 20)]),
        ([[1.01, 2.01]], [(11, 21)]),
        ([[3, 4], [0, 1]], [(0, 10), (30, 40)]),
        ([[1, 2], [1, 2]], [(10, 20)]),
        ([[1, 2], [1.5, 3]], [(10, 20), (15, 30)]),
        ([[4, 9]], [(40, 50)]),
        ([[-3, 1]], [(0, 10)]),
        ([[2, 2], [3, 1], [5, 6], [1.01, 1.05]], []),
        ([[1, 2]] * 3 + [[0.1 + 0.2, 0.6]], [(3, 6), (10, 20)]),  # 0.1 + 0.2 is a little more than 0.3
    ],
)
def test_spans(spans, pieces):
    assert span_pieces(edges(50), spans) == pieces


def test_an_empty_video_has_no_pieces():
    assert span_pieces(edges(0), None) == []
    assert span_pieces(edges(0), [[0, 1]]) == []


@pytest.mark.parametrize(
    ("cuts", "given_settings", "shots"),
    [
        ([], {}, [(0, 100)]),
        ([30, 60], {}, [(0, 30), (30, 60), (60, 100)]),
        ([0, 30, 30, 100, 150], {}, [(0, 30), (30, 100)]),
        ([30, 60], {"min_seconds": 4}, [(60, 100)]),
        ([30, 60], {"min_seconds": 3}, [(0, 30), (30, 60), (60, 100)]),
        ([30, 60], {"min_seconds": 11}, []),
        ([20, 60, 90], {"min_seconds": 3, "short": "merge"}, [(0, 60), (60, 100)]),
        ([10, 20, 30], {"min_seconds": 3, "short": "merge"}, [(0, 30), (30, 100)]),
        ([99], {"min_seconds": 1, "short": "merge"}, [(0, 100)]),
        ([], {"min_seconds": 11, "short": "merge"}, []),
        ([], {"max_seconds": 10}, [(0, 100)]),
        ([], {"max_seconds": 9.9}, [(0, 50), (50, 100)]),
        ([], {"max_seconds": 3}, [(0, 25), (25, 50), (50, 75), (75, 100)]),
        ([40], {"max_seconds": 3}, [(0, 20), (20, 40), (40, 70), (70, 100)]),
        ([], {"max_seconds": 4}, [(0, 33), (33, 67), (67, 100)]),
    ],
)
def test_lengths(cuts, given_settings, shots):
    assert plan_shots(edges(100), (0, 100), cuts, settings(**given_settings)) == shots


@pytest.mark.parametrize(
    ("seconds", "min_seconds", "short", "shots"),
    [
        (4, 0, "drop", [(10, 50), (50, 90), (90, 95)]),
        (4, 1, "drop", [(10, 50), (50, 90)]),
        (4, 1, "merge", [(10, 50), (50, 95)]),
        (60, 0, "drop", [(10, 95)]),
        (8.5, 0, "drop", [(10, 95)]),
        (4.25, 0, "drop", [(10, 53), (53, 95)]),
    ],
)
def test_fixed_pieces(seconds, min_seconds, short, shots):
    chosen = settings(detector="fixed", fixed_seconds=seconds, min_seconds=min_seconds, short=short)
    assert plan_shots(edges(100), (10, 95), [], chosen) == shots


def test_fixed_pieces_of_a_variable_rate_follow_time():
    times = np.array([0, 0.1, 0.2, 5.0, 5.1, 9.9, 10.0, 12.0])
    chosen = settings(detector="fixed", fixed_seconds=5)
    assert plan_shots(frame_edges(times, 12.5), (0, 8), [], chosen) == [(0, 3), (3, 6), (6, 8)]


@pytest.mark.parametrize("detector", ["none", "fixed"])
def test_pieces_without_a_detector_decode_nothing(detector):
    chosen = settings(detector=detector, fixed_seconds=1)
    shots = detect_shots(NoFrames(), edges(100), [[1, 2], [4, 6]], chosen)
    assert shots == ([(10, 20), (40, 60)] if detector == "none" else [(10, 20), (40, 50), (50, 60)])
    assert cuts_between(NoFrames(), 0, 100, chosen) == []


def test_long_shots_are_split_in_pieces_that_are_long_enough():
    with pytest.raises(ValidationError, match="at least twice"):
        settings(min_seconds=3, max_seconds=5)


rates = st.lists(st.floats(0.001, 0.2), min_size=1, max_size=200)


@given(rates, st.lists(st.integers(0, 200), max_size=10), st.floats(0, 2), st.floats(0.5, 4), st.booleans())
def test_nothing_is_lost_but_what_is_short(durations, cuts, least, most, merge):
    assume(most >= 2 * least)
    times = np.concatenate([[0], np.cumsum(durations)])
    frames = len(durations)
    chosen = settings(min_seconds=least, max_seconds=most, short="merge" if merge else "drop")
    shots = plan_shots(times, (0, frames), cuts, chosen)
    frame = max(durations)
    kept = np.zeros(frames, dtype=int)
    for first, end in shots:
        kept[first:end] += 1
        assert first < end
        assert times[end] - times[first] <= most + frame + 1e-5  # a split falls on the nearest frame
    assert kept.max(initial=0) <= 1
    if not least:
        assert kept.all()
    if merge:
        assert kept.all() == (times[-1] >= least - 1e-6)
    dropped = np.flatnonzero(np.diff(np.concatenate([[0], kept == 0, [0]])))
    ends = {0, frames, *cuts}
    assert set(dropped.tolist()) <= ends  # whole shots only


@given(rates, st.floats(0.05, 5))
def test_fixed_pieces_tile(durations, seconds):
    times = np.concatenate([[0], np.cumsum(durations)])
    frames = len(durations)
    shots = plan_shots(times, (0, frames), [], settings(detector="fixed", fixed_seconds=seconds))
    assert [shot[0] for shot in shots] == [0, *(shot[1] for shot in shots[:-1])]
    assert shots[-1][1] == frames
    for first, end in shots[:-1]:
        assert times[end - 1] - times[0] < (np.floor(times[first] / seconds + 1e-5) + 1) * seconds + 1e-5
