"""Copied clips: they hold whole groups of frames, say which, and do not depend on where reading began."""

from pathlib import Path

import av
import numpy as np
import pytest

from tests.videos import File, Tone, number_frames, read_number, write
from transforms.tables.reasons import Rejected
from transforms.videos import clip_copy
from transforms.videos.clip_copy import copy_span
from transforms.videos.reader import VideoReader

SIZE = (160, 120)
COUNT = 90
X264 = {"preset": "medium", "g": "20", "sc_threshold": "0"}
UNEVEN = [i * 0.04 + (0.013 if i % 3 == 1 else 0) for i in range(COUNT)]
TONES = (Tone(440, 1.0, 1.5),)


def numbers(reader):
    return [read_number(image) for _, image in reader.frames(range(len(reader)))]


COPIED = {
    "closed.mp4": File(options=X264, tones=TONES),
    "open.mp4": File(options=X264 | {"x264-params": "open-gop=1"}),
    "turned.mp4": File(options=X264, rotation=90, tones=TONES),
    "vp8.webm": File("libvpx", options={"g": "20", "cpu-used": "8"}, tones=TONES, audio_codec="libopus", rate=48_000),
    "late.ts": File(options=X264, first=7.0),
    "late.mkv": File(options=X264, first=7.0),
    "uneven.mp4": File(options=X264, times=UNEVEN),
    "mpeg4.avi": File("mpeg4", options={"g": "20", "sc_threshold": "1000000000"}),
}


@pytest.mark.parametrize("name", COPIED)
def test_a_copy_holds_whole_groups_and_says_so(name, tmp_path):
    source = str(write(tmp_path / name, number_frames(COUNT, SIZE), COPIED[name]))
    clip = str(tmp_path / f"copy{Path(name).suffix}")
    with VideoReader(source) as whole:
        copied = copy_span(source, 1.0, 2.1, clip)
        assert copied.first <= whole.number_at(1.0)
        assert copied.end > whole.number_at(2.09)
        assert copied.end - copied.first <= 60
        assert (copied.start, copied.stop) == (whole.times[copied.first], whole.times[copied.end])
        with VideoReader(clip) as part:
            assert numbers(part) == list(range(copied.first, copied.end))
            expected = whole.times[copied.first : copied.end] - copied.start
            assert np.abs(part.times - expected).max() < 1.1e-3
            assert np.array_equal(part.read(10), whole.read(copied.first + 10))


def test_the_whole_video_is_copied_where_no_key_frame_is_inside(tmp_path):
    source = str(write(tmp_path / "a.mp4", number_frames(40, SIZE), File(options={"g": "250", "preset": "ultrafast"})))
    copied = copy_span(source, 0.5, 0.9, str(tmp_path / "b.mp4"))
    assert (copied.first, copied.end, copied.start, copied.stop) == (0, 40, 0, pytest.approx(1.6))
    copied = copy_span(source, 0.0, 99.0, str(tmp_path / "c.mp4"))
    assert (copied.first, copied.end) == (0, 40)


def test_sound_is_copied_with_the_picture(tmp_path):
    source = str(write(tmp_path / "a.mp4", number_frames(COUNT, SIZE), COPIED["closed.mp4"]))
    copied = copy_span(source, 1.0, 2.1, str(tmp_path / "b.mp4"))
    with av.open(str(tmp_path / "b.mp4")) as container:
        frames = list(container.decode(audio=0))
    heard = np.concatenate([frame.to_ndarray()[0] for frame in frames])
    onset = float(frames[0].time) + np.flatnonzero(np.abs(heard) > 0.2)[0] / 44_100
    assert onset == pytest.approx(1.0 - copied.start, abs=0.03)


@pytest.mark.parametrize(("name", "suffix"), [("b_frames.avi", ".mkv"), ("vp8.webm", ".flv")])
def test_what_cannot_be_copied_has_a_reason(name, suffix, tmp_path):
    how = COPIED.get(name, File(options=X264))
    source = str(write(tmp_path / name, number_frames(COUNT, SIZE), how))
    with pytest.raises(Rejected, match="broken_video"):
        copy_span(source, 1.0, 2.0, str(tmp_path / f"copy{suffix}"))


FAST = {"preset": "ultrafast", "g": "50"}
LONG = {  # 40 seconds, and sound
    "a.mp4": File(options=FAST, tones=(Tone(440, 0.0, 40.0),)),
    "a.mkv": File(options=FAST),
    "a.ts": File(options=FAST, tones=(Tone(440, 0.0, 40.0),), first=3.0),
    "a.avi": File("mpeg4", options={"g": "50"}),
}


def counted_packets(monkeypatch):
    """A list that grows with every packet that is read for a copy."""
    read, original = [], clip_copy.packets

    def packets(*streams):
        for packet in original(*streams):
            read.append(packet.size)
            yield packet

    monkeypatch.setattr(clip_copy, "packets", packets)
    return read


@pytest.mark.parametrize("name", LONG)
def test_what_is_copied_does_not_depend_on_where_reading_begins(name, tmp_path, monkeypatch):
    source = str(write(tmp_path / name, number_frames(1000, (64, 48)), LONG[name]))
    read = counted_packets(monkeypatch)
    copied = copy_span(source, 30.0, 32.0, str(tmp_path / f"sought{Path(name).suffix}"))
    by_seeking = len(read)
    with monkeypatch.context() as patch:
        patch.setattr(clip_copy, "_entry", lambda index, first: 0)
        assert copy_span(source, 30.0, 32.0, str(tmp_path / f"read{Path(name).suffix}")) == copied
    clips = [tmp_path / f"{kind}{Path(name).suffix}" for kind in ("sought", "read")]
    assert clips[0].read_bytes() == clips[1].read_bytes()
    assert by_seeking < 0.7 * (len(read) - by_seeking)
    with VideoReader(str(clips[0])) as part:
        assert numbers(part) == list(range(copied.first, copied.end))


def test_a_seek_that_leads_astray_is_made_good(tmp_path, monkeypatch):
    source = str(write(tmp_path / "a.mp4", number_frames(1000, (64, 48)), LONG["a.mp4"]))
    expected = copy_span(source, 30.0, 32.0, str(tmp_path / "b.mp4"))
    monkeypatch.setattr(clip_copy, "_entry", lambda index, first: 900)
    assert copy_span(source, 30.0, 32.0, str(tmp_path / "c.mp4")) == expected
    assert (tmp_path / "b.mp4").read_bytes() == (tmp_path / "c.mp4").read_bytes()


@pytest.mark.parametrize("kinds", [("video", "audio"), ("audio", "video")])
def test_sound_far_from_its_picture_is_found(kinds, tmp_path):
    mixed = write(tmp_path / "mixed.mp4", number_frames(1000, (64, 48)), LONG["a.mp4"])
    apart = tmp_path / "apart.mkv"
    with av.open(str(mixed)) as source, av.open(str(apart), "w") as out:
        copies = [out.add_stream_from_template(stream, opaque=True) for stream in source.streams]
        found = [packet for packet in source.demux() if packet.size]
        for packet in sorted(found, key=lambda packet: kinds.index(packet.stream.type)):  # one stream after the other
            packet.stream = copies[packet.stream.index]
            out.mux(packet)
    copied = copy_span(str(apart), 20.0, 22.0, str(tmp_path / "sought.mkv"))
    with av.open(str(tmp_path / "sought.mkv")) as clip:
        seconds = sum(frame.samples / frame.sample_rate for frame in clip.decode(audio=0))
    assert seconds == pytest.approx(copied.stop - copied.start, abs=0.1)
