"""The sound of a span: the right tone, on the video's clock, exactly as long as asked for."""

import io
import struct
import tracemalloc
import wave
from fractions import Fraction
from itertools import pairwise

import av
import numpy as np
import pytest

from tests.videos import File, Tone, number_frames, write
from transforms.tables.reasons import Rejected
from transforms.videos import audio
from transforms.videos.audio import cut_audio

SIZE = (64, 48)
TONES = (Tone(440, 1.0, 1.5), Tone(880, 2.0, 2.25))
CUT = (0.9, 2.9)  # seconds
FILES = {
    "aac.mp4": File(tones=TONES),
    "stereo.mp4": File(tones=TONES, channels=2),
    "mp3.mkv": File(tones=TONES, audio_codec="libmp3lame"),
    "opus.webm": File("libvpx", options={"cpu-used": "8"}, tones=TONES, audio_codec="libopus", rate=48_000),
    "pcm.mov": File(tones=TONES, audio_codec="pcm_s16le"),
    "mp2.mpg": File("mpeg1video", options={}, tones=TONES, audio_codec="mp2"),
    "slow.mp4": File(tones=TONES, rate=16_000),
}


def cut(tmp_path, name, how, span, mono=True):
    """The samples (N, channels) of a span of a composed video of three seconds, -1 to 1, and their rate."""
    path = tmp_path / name
    if not path.exists():
        write(path, number_frames(75, SIZE), how)
    out = io.BytesIO()
    assert cut_audio(str(path), *span, out, mono)
    with wave.open(io.BytesIO(out.getvalue())) as wav:
        data = np.frombuffer(wav.readframes(wav.getnframes()), np.int16).reshape(-1, wav.getnchannels())
        return data / 32_768, wav.getframerate()


def heard(samples, rate, start):
    """Where the tones of a mono span begin and end, seconds of the video; and the frequency of each, Hz."""
    loud = np.abs(samples[:, 0]) > 0.15
    edges = np.flatnonzero(loud)
    parts = np.split(edges, np.flatnonzero(np.diff(edges) > rate // 100) + 1)
    found = []
    for part in parts:
        tone = samples[part[0] : part[-1] + 1, 0]
        spectrum = np.abs(np.fft.rfft(tone * np.hanning(len(tone)), 2**17))
        found.append((start + part[0] / rate, start + part[-1] / rate, np.argmax(spectrum) * rate / 2**17))
    return np.array(found)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("span", [(0.0, 3.0), CUT])
def test_tones_are_where_they_were_put(name, span, tmp_path):
    samples, rate = cut(tmp_path, name, FILES[name], span)
    assert samples.shape == (round(span[1] * rate) - round(span[0] * rate), 1)
    expected = [(1.0, 1.5, 440), (2.0, 2.25, 880)]
    found = heard(samples, rate, span[0])
    assert found.shape == (2, 3)
    assert np.abs(found[:, :2] - np.array(expected)[:, :2]).max() < 0.003
    assert np.abs(found[:, 2] - [440, 880]).max() < 2


@pytest.mark.parametrize("mono", [True, False])
def test_channels_are_mixed_or_kept(mono, tmp_path):
    samples, rate = cut(tmp_path, "stereo.mp4", FILES["stereo.mp4"], (1.1, 1.4), mono)
    assert samples.shape == (round(0.3 * rate), 1 if mono else 2)
    assert np.abs(samples).max() == pytest.approx(0.5, abs=0.05)


FROM_THE_START = (Tone(440, 0.0, 3.0),)
NOT_SOUGHT_BACK = {  # containers in which nothing before the beginning can be sought
    "mp3.flv": File(tones=FROM_THE_START, audio_codec="libmp3lame"),
    "mp3.avi": File(tones=FROM_THE_START, audio_codec="libmp3lame"),
    "flac.mkv": File(tones=FROM_THE_START, audio_codec="flac"),
}


@pytest.mark.parametrize("name", NOT_SOUGHT_BACK)
@pytest.mark.parametrize("span", [(0.0, 2.5), (0.7, 2.5)])
def test_nothing_is_missing_at_the_beginning(name, span, tmp_path):
    samples, rate = cut(tmp_path, name, NOT_SOUGHT_BACK[name], span)
    ((begin, end, _),) = heard(samples, rate, span[0])
    assert (begin, end) == (pytest.approx(span[0], abs=0.03), pytest.approx(span[1], abs=0.03))


@pytest.mark.parametrize("name", ["late.mp4", "late.mkv", "late.ts"])
def test_time_counts_from_the_first_frame_of_the_video(name, tmp_path):
    """The video begins at 0.5 s of the file's clock, the sound at 0: half a second of it is before the video."""
    samples, rate = cut(tmp_path, name, File(tones=TONES, first=0.5), (0.0, 2.0))
    found = heard(samples, rate, 0.0)
    assert np.abs(found[:, :2] - [[0.5, 1.0], [1.5, 1.75]]).max() < 0.003


def test_where_there_is_no_sound_there_is_silence(tmp_path):
    """The sound ends after 1.2 s, in the middle of a tone."""
    how = File(tones=TONES, audio_seconds=1.2)
    samples, rate = cut(tmp_path, "short.mp4", how, (0.0, 3.0))
    assert len(samples) == 3 * rate
    found = heard(samples, rate, 0.0)
    assert found.shape == (1, 3)
    assert found[0, :2] == pytest.approx([1.0, 1.2], abs=0.03)
    assert not samples[round(1.3 * rate) :].any()


@pytest.mark.parametrize("span", [(5.0, 6.0), (2.95, 4.0), (1.0, 1.0)])
def test_spans_at_and_behind_the_end(span, tmp_path):
    samples, rate = cut(tmp_path, "aac.mp4", FILES["aac.mp4"], span)
    assert len(samples) == round(span[1] * rate) - round(span[0] * rate)


def test_neighbouring_spans_have_every_sample_once(tmp_path):
    bounds = [0.0, 0.7, 1.234, 1.777, 2.5, 3.0]
    parts = [cut(tmp_path, "aac.mp4", FILES["aac.mp4"], span)[0] for span in pairwise(bounds)]
    whole, _ = cut(tmp_path, "aac.mp4", FILES["aac.mp4"], (0.0, 3.0))
    joined = np.concatenate(parts)
    assert joined.shape == whole.shape
    assert np.abs(joined - whole).max() < 1e-3


def test_a_video_without_sound(tmp_path):
    path = write(tmp_path / "a.mp4", number_frames(10, SIZE))
    out = io.BytesIO()
    assert not cut_audio(str(path), 0, 1, out)
    assert not out.getvalue()


def test_what_is_no_video(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"#EXTM3U")
    with pytest.raises(Rejected, match="playlist"):
        cut_audio(str(tmp_path / "a.mp4"), 0, 1, io.BytesIO())


@pytest.mark.parametrize("rate", [768_001, 2**31 - 1])
def test_a_rate_that_no_sound_has_is_no_sound(tmp_path, rate):
    """Else a header of some bytes would have gigabytes of silence written."""
    how = File("mpeg4", options={}, tones=TONES, audio_codec="pcm_s16le", rate=8000)
    path = write(tmp_path / "a.avi", number_frames(25, SIZE), how)
    honest = struct.pack("<HHIIHH", 1, 1, 8000, 16_000, 2, 16)  # WAVEFORMAT
    lie = struct.pack("<HHIIHH", 1, 1, rate, 16_000, 2, 16)
    path.write_bytes(path.read_bytes().replace(honest, lie))
    out = io.BytesIO()
    assert not cut_audio(str(path), 0.0, 1.0, out)
    assert not out.getvalue()


def test_a_packet_that_says_a_rate_of_its_own_does_not_become_gigabytes(tmp_path, monkeypatch):
    """A second of sound at 48 kHz, and in it a packet of 60,000 samples at 1 Hz: seventeen hours."""
    path = write(tmp_path / "a.mp4", number_frames(25, SIZE), File(tones=(Tone(440, 0, 1),), rate=48_000))

    def lying(container, stream):
        for number in range(40):
            slow = number == 20
            samples = np.full((1, 60_000 if slow else 1024), 0.5, np.float32)
            sound = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
            sound.sample_rate, sound.pts, sound.time_base = 1 if slow else 48_000, number * 1024, Fraction(1, 48_000)
            yield sound

    monkeypatch.setattr(audio, "_decoded", lying)
    tracemalloc.start()
    out = io.BytesIO()
    assert cut_audio(str(path), 0, 0.8, out)
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()
    with wave.open(io.BytesIO(out.getvalue())) as wav:
        data = np.frombuffer(wav.readframes(wav.getnframes()), np.int16)
    assert len(data) == 38_400
    assert (data[20 * 1024 + 100 : 21 * 1024 - 100] == 0).all()  # in its place is silence
    assert (data[:20_000] > 16_000).all()


def test_silence_does_not_fill_the_disk(tmp_path):
    """Two frames four hours apart, and a little sound: an hour of it is more than a file of this size can have."""
    how = File(times=(0, 14_000), tones=(Tone(440, 0, 0.2),), audio_seconds=0.2)
    path = write(tmp_path / "a.mkv", number_frames(2, SIZE), how)
    assert cut_audio(str(path), 0, 60, io.BytesIO())
    out = io.BytesIO()
    assert not cut_audio(str(path), 0, 3600, out)
    assert out.getvalue() == b""
