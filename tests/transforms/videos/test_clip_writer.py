"""Clips: what is written is what was given, frame by frame and at its time; copies say what they hold."""

import os
import struct
from contextlib import nullcontext
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.videos import File, Tone, number_frames, photograph, read_number, write
from transforms.videos.clip_writer import EncodeSettings, clock, encode_span, even, write_mp4
from transforms.videos.reader import VideoReader

FAST = EncodeSettings(preset="ultrafast", crf=12)
SIZE = (160, 120)
COUNT = 90
X264 = {"preset": "medium", "g": "20", "sc_threshold": "0"}
UNEVEN = [i * 0.04 + (0.013 if i % 3 == 1 else 0) for i in range(COUNT)]
TONES = (Tone(440, 1.0, 1.5),)


@pytest.mark.parametrize(("preset", "known"), [("", False), ("turbo", False), ("ultrafast", True), ("placebo", True)])
def test_presets_are_those_of_x264(preset, known):
    with nullcontext() if known else pytest.raises(ValidationError, match="preset"):
        EncodeSettings(preset=preset)


def numbers(reader):
    return [read_number(image) for _, image in reader.frames(range(len(reader)))]


@pytest.mark.parametrize(
    "rate", [Fraction(25), Fraction(30_000, 1001), Fraction(24_000, 1001), Fraction(25, 2), Fraction(60)]
)
@pytest.mark.parametrize("digits", [3, 9])
def test_a_constant_rate_stays_constant(rate, digits):
    """Also from a clock that rounds to milliseconds, and from any place in the video."""
    times = [round(float((7 + k) / rate), digits) for k in range(50)]
    assert clock(times) == (1 / rate, list(range(50)))


@given(st.lists(st.floats(1e-7, 10), min_size=1, max_size=50), st.floats(0, 1e4))
def test_other_times_are_kept_to_a_tick_and_ascend(steps, start):
    times = (start + np.cumsum([0, *steps])).tolist()
    tick, stamps = clock(times)
    assert stamps[0] == 0
    assert all(one < other for one, other in pairwise(stamps))
    error = np.abs(np.array(stamps) * float(tick) - (np.array(times) - times[0]))
    assert error.max() <= max(1.1e-3, len(times) / 90_000)


@pytest.mark.parametrize("times", [None, UNEVEN])
def test_frames_and_times_come_back(times, tmp_path):
    source = str(write(tmp_path / "a.mp4", number_frames(COUNT, SIZE), File(times=times, options=X264)))
    clip = str(tmp_path / "clip.mp4")
    assert encode_span(source, 33, 71, clip, FAST) == SIZE
    with VideoReader(source) as whole, VideoReader(clip) as part:
        assert numbers(part) == list(range(33, 71))
        assert np.abs(part.times - (whole.times[33:71] - whole.times[33])).max() < 1e-5
        assert part.seconds == pytest.approx(whole.times[71] - whole.times[33], abs=1e-5)
        assert np.abs(part.read(5).astype(int) - whole.read(38)).mean() < 4


def test_the_same_frames_give_the_same_bytes(tmp_path):
    files = []
    for name in ("one.mp4", "another.mp4"):
        path = tmp_path / name
        write_mp4(str(path), number_frames(20, SIZE), np.arange(20) / 25, 0.8, EncodeSettings())
        files.append(path.read_bytes())
    assert files[0] == files[1]
    assert files[0].index(b"moov") < files[0].index(b"mdat")
    created = files[0].index(b"mvhd") + 8
    assert struct.unpack(">II", files[0][created : created + 8]) == (0, 0)


@pytest.mark.parametrize("size", [(64, 48), (63, 48), (64, 47), (63, 47), (1, 1)])
def test_odd_sizes_repeat_their_last_row_and_column(size, tmp_path):
    width, height = size
    image = np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8)
    padded = even(image)
    assert padded.shape == (height + height % 2, width + width % 2, 3)
    assert np.array_equal(padded[:height, :width], image)
    assert np.array_equal(padded[-1, :width], image[-1])
    assert np.array_equal(padded[:height, -1], image[:, -1])
    clip = str(tmp_path / "clip.mp4")
    assert write_mp4(clip, [image] * 3, [0, 0.04, 0.08], 0.12, FAST) == padded.shape[1::-1]
    with VideoReader(clip) as reader:
        assert reader.read(2).shape == padded.shape


def test_colours_are_right(tmp_path):
    colours = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (200, 100, 50), (128, 128, 128), (0, 0, 0), (255, 255, 255)]
    clip = str(tmp_path / "clip.mp4")
    frames = [np.full((48, 64, 3), colour, np.uint8) for colour in colours]
    write_mp4(clip, frames, [k / 25 for k in range(7)], 7 / 25, EncodeSettings(crf=1))
    with VideoReader(clip) as reader:
        found = [image[24, 32].astype(int) for _, image in reader.frames(range(7))]
    assert np.abs(np.array(found) - np.array(colours)).max() <= 3


def test_quality_and_size_follow_the_settings(tmp_path):
    image = photograph("astronaut-1")
    sizes, errors = [], []
    for crf in (10, 40):
        clip = str(tmp_path / f"{crf}.mp4")
        write_mp4(clip, [image] * 5, [k / 25 for k in range(5)], 0.2, EncodeSettings(crf=crf, preset="veryfast"))
        with VideoReader(clip) as reader:
            errors.append(np.abs(reader.read(3).astype(int) - image).mean())
        sizes.append(os.path.getsize(clip))
    assert sizes[0] > 5 * sizes[1]
    assert errors[0] < 3 < errors[1]


@pytest.mark.parametrize("frames", [0, 2, 4])
def test_frames_must_be_as_many_as_times(frames, tmp_path):
    times = [0, 0.04, 0.08] if frames else []
    with pytest.raises(ValueError, match=r"clip needs a frame|zip"):
        write_mp4(str(tmp_path / "a.mp4"), number_frames(frames, SIZE), times, 0.12, FAST)
