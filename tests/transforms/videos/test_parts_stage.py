"""Shots as files: copied from key frame to key frame, or exactly the shot's frames and sound."""

import wave

import numpy as np
import pytest

from tests import videos
from transforms.tables.video_rows import Shot
from transforms.videos.audio import cut_audio
from transforms.videos.parts_stage import PartSettings, write_part
from transforms.videos.reader import VideoReader

KEYS = {"preset": "ultrafast", "crf": "20", "g": "20", "keyint_min": "20", "sc_threshold": "0"}
TONES = (videos.Tone(440, 0, 1), videos.Tone(880, 1, 2), videos.Tone(440, 2, 3))


@pytest.fixture
def run(tmp_path):
    """A run with one video of 75 frames at 25/s, a key frame every 20, another tone each second; and a silent one."""
    (tmp_path / "media").mkdir()
    for name, tones in (("loud", TONES), ("silent", ())):
        how = videos.File(options=KEYS, tones=tones, channels=2 if tones else 1)
        videos.write(tmp_path / "media" / f"{name}.mp4", videos.number_frames(75), how)
    return str(tmp_path)


def shot(name: str, first: int, end: int) -> Shot:
    return Shot(f"{name}-s0", name, None, "{}", f"media/{name}.mp4", first, end, first / 25, end / 25, *videos.SIZE)


def numbers(path: str) -> list[int]:
    with VideoReader(path) as reader:
        return [videos.read_number(image) for _, image in reader.frames(range(len(reader)))]


CASES = [
    ("key_frames", 27, 50, range(20, 60)),
    ("key_frames", 20, 40, range(20, 40)),
    ("exact", 27, 50, range(27, 50)),
    ("exact", 0, 75, range(75)),
    ("exact", 74, 75, range(74, 75)),
]


@pytest.mark.parametrize("name", ["loud", "silent"])
@pytest.mark.parametrize(("cuts", "first", "end", "held"), CASES)
def test_a_part_holds_the_frames_that_it_says(run, name, cuts, first, end, held):
    (row,) = write_part(run, PartSettings(cuts=cuts), shot(name, first, end))
    assert (row.first_frame, row.end_frame) == (held.start, held.stop)
    assert (row.start, row.end) == pytest.approx((held.start / 25, held.stop / 25))
    path = f"{run}/{row.file}"
    assert row.file == f"parts/{name}/{name}_part_0.mp4"
    assert numbers(path) == list(held)


def pitch(samples: np.ndarray, rate: int) -> float:
    return float(np.abs(np.fft.rfft(samples * np.hanning(len(samples)))).argmax() * rate / len(samples))


def test_an_exact_part_has_the_sound_of_its_frames(run, tmp_path):
    (row,) = write_part(run, PartSettings(cuts="exact"), shot("loud", 30, 45))  # from 1.2 to 1.8 s
    with (tmp_path / "sound.wav").open("wb") as out:
        assert cut_audio(f"{run}/{row.file}", 0, 0.6, out, mono=False)
    with wave.open(str(tmp_path / "sound.wav")) as wav:
        assert wav.getnchannels() == 2
        samples = np.frombuffer(wav.readframes(wav.getnframes()), np.int16).reshape(-1, 2)
        rate = wav.getframerate()
    assert np.abs(samples).max() > 3000
    assert pitch(samples[:, 0], rate) == pytest.approx(880, abs=5)


def test_equal_shots_give_equal_bytes(run):
    found = []
    for _ in range(2):
        (row,) = write_part(run, PartSettings(cuts="exact"), shot("loud", 10, 40))
        with open(f"{run}/{row.file}", "rb") as file:
            found.append(file.read())
    assert found[0] == found[1]
