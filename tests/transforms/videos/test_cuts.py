"""Cuts of frames made here, and the windows of the network."""

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.videos.cuts import cuts_of_scores, detect_cuts, windows
from transforms.videos.shot_settings import ShotSettings

COLOURS = [(200, 30, 40), (20, 180, 60), (90, 90, 220), (240, 240, 90)]


def frames_of(*counts: int) -> list[np.ndarray]:
    """So many frames of one colour each, with a moving square."""
    frames = []
    for shot, count in enumerate(counts):
        for i in range(count):
            frame = np.full((72, 128, 3), COLOURS[shot % len(COLOURS)], dtype=np.uint8)
            frame[20:40, 10 + i % 60 : 30 + i % 60] = 128
            frames.append(frame)
    return frames


def by_brightness(stack: np.ndarray) -> np.ndarray:
    """A network that finds the frames brighter than 200 to be transitions, and has seen every window whole."""
    assert stack.shape[1] == 100
    return (stack.mean(axis=(2, 3, 4)) > 200).astype(np.float32)


@pytest.mark.parametrize("detector", ["none", "fixed", "adaptive", "content", "transnetv2"])
@pytest.mark.parametrize("count", [0, 1, 2, 70])
def test_no_cuts(detector, count):
    assert detect_cuts(frames_of(count), ShotSettings(detector=detector), by_brightness) == []


@pytest.mark.parametrize("detector", ["adaptive", "content"])
@pytest.mark.parametrize("counts", [(30, 30), (20, 40, 25), (16, 16, 16, 16)])
def test_hard_cuts(detector, counts):
    assert detect_cuts(iter(frames_of(*counts)), ShotSettings(detector=detector)) == np.cumsum(counts[:-1]).tolist()


@pytest.mark.parametrize(("least", "cuts"), [(0, [20, 26, 50]), (15, [20, 50])])
def test_cuts_that_follow_each_other_at_once(least, cuts):
    chosen = ShotSettings(detector="adaptive", min_cut_frames=least)
    assert detect_cuts(frames_of(20, 6, 24, 30), chosen) == cuts


def test_thresholds():
    frames = frames_of(30, 30)
    for chosen in (
        ShotSettings(detector="adaptive", adaptive_score=255),
        ShotSettings(detector="content", content_score=255),
    ):
        assert detect_cuts(frames, chosen) == []


def test_the_package_that_is_missing_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "scenedetect.common", None)
    with pytest.raises(ModuleNotFoundError, match=r"manyfaces\[video\]"):
        detect_cuts(frames_of(2), ShotSettings(detector="adaptive"))


@pytest.mark.parametrize(
    ("scores", "cuts"),
    [
        ([], []),
        ([0.1, 0.2], []),
        ([0.1, 0.9, 0.1], [2]),
        ([0.9, 0.1], [1]),
        ([0.1, 0.6, 0.9, 0.6, 0.1, 0.1], [4]),
        ([0.1, 0.9, 0.1, 0.9, 0.2], [2, 4]),
        ([0.1, 0.9], []),
        ([0.5, 0.1], []),
    ],
)
def test_cuts_of_scores(scores, cuts):
    assert cuts_of_scores(scores, 0.5) == cuts


def numbered(count: int) -> list[np.ndarray]:
    return [np.full((1, 1, 3), number, dtype=np.int32) for number in range(count)]


@pytest.mark.parametrize("count", [0, 1, 49, 50, 51, 74, 75, 76, 99, 100, 101, 125, 126, 1000])
def test_windows_are_those_of_the_authors(count):
    """Their own way: pad all frames in front by 25 and behind by 25 and what is lacking to 50, take steps of 50."""
    numbers = np.arange(count)
    behind = 25 + (-count % 50)
    padded = np.concatenate([np.repeat(numbers[:1], 25), numbers, np.repeat(numbers[-1:], behind)])
    expected = [padded[start : start + 100] for start in range(0, len(padded) - 99, 50)]
    found = list(windows(numbered(count)))
    assert len(found) == len(expected) == -(-count // 50)
    for (window, _), one in zip(found, expected, strict=True):
        np.testing.assert_array_equal(window[:, 0, 0, 0], one)
    assert sum(real for _, real in found) == count


@given(st.lists(st.booleans(), max_size=600))
def test_the_network_sees_every_frame_once(bright):
    frames = [np.full((1, 1, 3), 255 if one else 0, dtype=np.uint8) for one in bright]
    expected = cuts_of_scores([float(one) for one in bright], 0.5)
    assert detect_cuts(iter(frames), ShotSettings(detector="transnetv2"), by_brightness) == expected
