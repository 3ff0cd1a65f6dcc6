"""Video files of strangers: what they are, what is refused and for which reason, inside bounds of time and memory."""

import os
import random
import struct
import sys
import time
import wave
import zlib
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests.videos import File, Tone, number_frames, write
from transforms.tables.reasons import REASONS, Rejected
from transforms.videos import container
from transforms.videos.container import VideoInfo, open_video, probe, sniff_container
from transforms.videos.index import decode_all
from transforms.videos.probe import inspect_video
from transforms.videos.settings import VideoAcceptSettings

ACCEPT = VideoAcceptSettings(probe_seconds=20)
AS_FAR_AS_IT_GOES = VideoAcceptSettings(probe_seconds=20, truncated="keep")
SIZE = (160, 120)
HEADER_FIRST = {"movflags": "+faststart"}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The bytes of small videos by suffix; MP4 with its header first."""
    folder = tmp_path_factory.mktemp("videos")
    kinds = {
        "mp4": File(mux=HEADER_FIRST, tones=(Tone(440, 0, 1),)),
        "mkv": File(),
        "webm": File("libvpx", options={"cpu-used": "8"}),
        "avi": File("mpeg4", options={}),
        "mpg": File("mpeg1video", options={}),
        "ts": File(),
        "flv": File("flv", options={}),
    }
    return {kind: write(folder / f"a.{kind}", number_frames(50, SIZE), how).read_bytes() for kind, how in kinds.items()}


def code(tmp_path, data, accept=ACCEPT):
    path = tmp_path / "file.mp4"
    path.write_bytes(data)
    with pytest.raises(Rejected) as why:
        inspect_video(str(path), accept)
    assert why.value.code in REASONS
    assert str(tmp_path) not in why.value.detail
    return why.value.code


@pytest.mark.parametrize(
    ("kind", "container"),
    [("mp4", "mov"), ("mkv", "matroska"), ("webm", "matroska"), ("avi", "avi"), ("mpg", "mpeg"), ("ts", "mpegts"),
     ("flv", "flv")],
)  # fmt: skip
def test_containers_are_told_by_their_bytes(kind, container, files, tmp_path):
    assert sniff_container(files[kind]) == container
    path = tmp_path / "no_suffix"
    path.write_bytes(files[kind])
    info = inspect_video(str(path), ACCEPT)
    assert (info.container, info.frames, info.width, info.height, info.fps) == (container, 50, *SIZE, 25)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not_a_video"),
        (b"\0" * 4000, "not_a_video"),
        (b"<!DOCTYPE html><html></html>", "not_a_video"),
        (b"\xff\xd8\xff\xe0" + bytes(100), "not_a_video"),
        (b"GIF89a" + bytes(100), "broken_video"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "not_a_video"),
        (b"G" + bytes(1000), "not_a_video"),
        (b"frame%03d.png", "not_a_video"),
        (b"#EXTM3U\nhttp://127.0.0.1/a.ts\n", "playlist"),
        (b"\xef\xbb\xbf \r\n#extm3u8\n", "playlist"),
        (b"ffconcat version 1.0\nfile '/etc/passwd'\n", "playlist"),
        (b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\n", "playlist"),
        (b'<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"/>', "playlist"),
        (b"[playlist]\nFile1=http://127.0.0.1/\n", "playlist"),
        (b"<ASX version='3.0'>", "playlist"),
        (b"RTSPtextRTSP://127.0.0.1/", "playlist"),
    ],
)
def test_what_is_no_video(data, reason, tmp_path):
    assert code(tmp_path, data) == reason


def m2ts(ts):
    """The stream as Blu-ray has it: four bytes of time before each packet."""
    return b"".join(b"\0\0\0\1" + ts[at : at + 188] for at in range(0, len(ts), 188))


def dvb(ts):
    """The stream as receivers have it: sixteen bytes of parity behind each packet."""
    return b"".join(ts[at : at + 188] + b"\x5a" * 16 for at in range(0, len(ts), 188))


@pytest.mark.parametrize("how", [bytes, m2ts, dvb])
@pytest.mark.parametrize("lost", [0, 1, 4, 88, 100, 187])
def test_a_transport_stream_may_begin_inside_a_packet(how, lost, files, tmp_path):
    data = how(files["ts"])[lost:]
    assert sniff_container(data[: container.HEAD]) == "mpegts"
    (tmp_path / "a").write_bytes(data)
    assert inspect_video(str(tmp_path / "a"), ACCEPT).frames == 50


@pytest.mark.parametrize(
    "data",
    [
        b"G" * 4000,
        b"G,1\n" * 1000,
        (b"Gorilla" + b"." * 86 + b"\n") * 50,
        (b"x" * 100 + b"Gray" + b"-" * 84) * 20,
        (b"\0" * 100 + b"G" + bytes(87)) * 20,
        bytes(range(256)) * 16,
    ],
)
def test_what_has_a_g_here_and_there_is_no_transport_stream(data):
    with pytest.raises(Rejected, match="not_a_video"):
        sniff_container(data[1 : container.HEAD + 1])


def test_pictures_never_look_like_transport_streams():
    """Of random bytes none does; those of a picture are nearly that."""
    chance = random.Random(1)
    for _ in range(300):
        with pytest.raises(Rejected, match="not_a_video"):
            sniff_container(b"\xff\xd8\xff\xe0" + chance.randbytes(container.HEAD - 4))


def test_an_index_beyond_all_bounds_is_refused_where_it_costs_nobody(files, tmp_path):
    """A small MP4 whose header says that it has twelve million frames of a byte: readers would need 400 MB for it."""
    data = lying(files["mp4"], b"stsz", 4, struct.pack(">II", 1, 12_000_000))
    (tmp_path / "a.mp4").write_bytes(lying(data, b"stsc", 12, struct.pack(">I", 12_000_000)))
    with pytest.raises(Rejected, match="12000088 packets in the index"):
        probe(str(tmp_path / "a.mp4"), ACCEPT)


def test_a_header_that_unpacks_to_gigabytes_is_refused_where_it_costs_nobody(files, tmp_path):
    """A QuickTime file of 1 MB with a compressed header of 400 MB, nearly all of it filling."""
    data = files["mp4"]
    at = data.index(b"moov") - 4
    moov = data[at : at + int.from_bytes(data[at : at + 4], "big")]
    filling = 400_000_000
    press = zlib.compressobj(1)
    inner = struct.pack(">I", len(moov) + 8 + filling) + moov[4:] + struct.pack(">I4s", 8 + filling, b"free")
    packed = press.compress(inner) + b"".join(press.compress(bytes(10**7)) for _ in range(filling // 10**7))
    packed += press.flush()
    size = len(inner) + filling
    body = struct.pack(">I4s4s", 12, b"dcom", b"zlib") + struct.pack(">I4sI", 12 + len(packed), b"cmvd", size)
    cmov = struct.pack(">I4s", 8 + len(body) + len(packed), b"cmov") + body + packed
    made = data[:at] + struct.pack(">I4s", 8 + len(cmov), b"moov") + cmov + data[at + len(moov) :]
    (tmp_path / "a.mov").write_bytes(made)
    with pytest.raises(Rejected, match=r"broken_video.*takes \d{9} bytes"):
        probe(str(tmp_path / "a.mov"), ACCEPT)


def test_frames_grow_no_larger_than_what_was_let_in(tmp_path):
    """A stream of stamps that goes on as a wall: 160 x 120, then 3600 x 2400 pixels; to a page it may grow."""
    small = write(tmp_path / "a.ts", number_frames(10, SIZE), File()).read_bytes()
    for size, count in (((3600, 2400), 10), ((640, 480), 11)):
        grey = np.full((size[1], size[0], 3), 99, np.uint8)
        large = write(tmp_path / "b.ts", [grey], File(first=0.4)).read_bytes()
        (tmp_path / "c.ts").write_bytes(small + large)
        with open_video(str(tmp_path / "c.ts")) as container:
            frames = [frame for _, frame in decode_all(container)]
        assert len(frames) == count
        assert max(frame.width for frame in frames) == (640 if count == 11 else 160)


def test_probing_answers_from_its_own_process(files, tmp_path):
    path = tmp_path / "a.mp4"
    path.write_bytes(files["mp4"])
    assert probe(str(path), ACCEPT) == VideoInfo("mov", "h264", 160, 120, 0, 50, 2.0, 25.0, True)
    path.write_bytes(b"#EXTM3U")
    with pytest.raises(Rejected, match="playlist"):
        probe(str(path), ACCEPT)
    with pytest.raises(RuntimeError, match=r"(?s)absent\.mp4 failed.*No such file"):
        probe(str(tmp_path / "absent.mp4"), ACCEPT)


@pytest.mark.parametrize(
    ("accept", "reason"),
    [
        ({"min_height": 121}, "low_resolution"),
        ({"max_pixels": 160 * 120 - 1}, "too_many_pixels"),
        ({"max_frames": 49}, "too_long"),
        ({"max_seconds": 1.99}, "too_long"),
        ({"containers": ("matroska",)}, "not_a_video"),
    ],
)
def test_what_is_not_let_in(accept, reason, files, tmp_path):
    assert code(tmp_path, files["mp4"], VideoAcceptSettings(**accept)) == reason


def test_what_is_just_let_in(files, tmp_path):
    path = tmp_path / "a.mp4"
    path.write_bytes(files["mp4"])
    accept = VideoAcceptSettings(min_height=120, max_pixels=160 * 120, max_frames=50, max_seconds=2)
    assert inspect_video(str(path), accept).frames == 50


def test_the_height_of_a_turned_video_is_the_upright_one(tmp_path):
    path = write(tmp_path / "a.mp4", number_frames(5, SIZE), File(rotation=90))
    info = inspect_video(str(path), VideoAcceptSettings(min_height=120))
    assert (info.width, info.height, info.rotation) == (160, 120, 90)


def test_sound_alone_is_no_video(tmp_path):
    with wave.open(str(tmp_path / "a.wav"), "wb") as out:
        out.setparams((1, 2, 8000, 0, "NONE", ""))
        out.writeframes(bytes(16_000))
    assert code(tmp_path, (tmp_path / "a.wav").read_bytes()) == "not_a_video"
    with av.open(str(tmp_path / "a.m4a"), "w", format="mp4") as out:
        stream = out.add_stream("aac", rate=8000, layout="mono")
        for place in range(20):
            sound = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            sound.sample_rate, sound.pts, sound.time_base = 8000, place * 1024, Fraction(1, 8000)
            out.mux(stream.encode(sound))
        out.mux(stream.encode(None))
    assert code(tmp_path, (tmp_path / "a.m4a").read_bytes()) == "no_video_stream"


def test_a_header_without_frames(files, tmp_path):
    assert code(tmp_path, files["mkv"][:700]) == "truncated_video"
    assert code(tmp_path, files["mkv"][:700], AS_FAR_AS_IT_GOES) == "no_frames"
    data = bytearray(files["mp4"])
    data[data.index(b"mdat") + 4 :] = bytes(len(data) - data.index(b"mdat") - 4)
    assert code(tmp_path, bytes(data)) == "no_frames"


def test_an_encrypted_video_has_no_frames(tmp_path):
    """Its packets may well decode, to colours that mean nothing."""
    keys = {"encryption_scheme": "cenc-aes-ctr", "encryption_key": "ab" * 16, "encryption_kid": "cd" * 16}
    path = write(tmp_path / "a.mp4", number_frames(20, SIZE), File(mux=keys))
    assert b"encv" in path.read_bytes()
    assert code(tmp_path, path.read_bytes()) == "no_frames"


def test_a_codec_that_is_not_known(files, tmp_path):
    assert code(tmp_path, files["avi"].replace(b"FMP4", b"ZZZZ")) == "unknown_codec"
    how = File("ffv1", options={})
    assert code(tmp_path, write(tmp_path / "a.mkv", number_frames(3, SIZE), how).read_bytes()) == "unknown_codec"


def lying(data, box, at, value):
    """The file with a number of a box changed: `at` bytes behind the box's name."""
    data = bytearray(data)
    place = data.index(box) + 4 + at
    data[place : place + len(value)] = value
    return bytes(data)


LIES = {
    "box of 4 GB": lambda mp4: struct.pack(">I4sQ", 1, b"ftyp", 4 << 30) + mp4[8:],
    "a thousand million frames": lambda mp4: lying(mp4, b"stsz", 8, struct.pack(">I", 10**9)),
    "as many of one size": lambda mp4: lying(mp4, b"stsz", 4, struct.pack(">II", 100, 10**9)),
    "endless frames": lambda mp4: lying(mp4, b"stts", 8, struct.pack(">II", 1 << 30, 0x7FFFFFFF)),
    "ticks of nothing": lambda mp4: lying(mp4, b"mdhd", 12, struct.pack(">I", 0)),
    "ticks without end": lambda mp4: lying(mp4, b"mdhd", 12, struct.pack(">I", 0xFFFFFFFF)),
    "large chunks": lambda mp4: lying(
        lying(mp4, b"stsz", 4, struct.pack(">II", 1, 60_000_000)), b"stsc", 12, struct.pack(">I", 60_000_000)
    ),
    "no samples behind the header": lambda mp4: mp4[: mp4.index(b"mdat") + 4],
}


@pytest.mark.parametrize("lie", LIES)
def test_headers_that_lie_end_in_time_and_cost_their_own_process_only(lie, files, tmp_path):
    """Either there is a reason, or what is really there was found."""
    path = tmp_path / "lie.mp4"
    path.write_bytes(LIES[lie](files["mp4"]))
    began = time.monotonic()
    try:
        info = probe(str(path), VideoAcceptSettings(probe_seconds=3, probe_memory=2**30))
    except Rejected as why:
        assert why.code in ("broken_video", "no_frames", "too_long", "no_video_stream", "truncated_video")  # noqa: PT017 the other end is fine too
    else:
        assert info.frames <= 50
    assert time.monotonic() - began < 60


def test_sizes_in_headers_are_not_believed(files, tmp_path):
    """100,000 x 100,000 pixels in an AVI's header; the stream itself says 160 x 120."""
    path = tmp_path / "a.avi"
    path.write_bytes(lying(files["avi"], b"strf", 8, struct.pack("<II", 100_000, 100_000)))
    info = inspect_video(str(path), ACCEPT)
    assert (info.width, info.height) == SIZE


def test_a_crash_of_the_decoder_is_a_reason(files, tmp_path, monkeypatch):
    """The child is one that dies as by a fault of memory."""
    path = tmp_path / "a.mp4"
    path.write_bytes(files["mp4"])
    script = tmp_path / "python"
    script.write_text("#!/bin/sh\nprintf '\\377' >&2\nkill -SEGV $$\n")
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))
    with pytest.raises(Rejected, match="signal 11"):
        probe(str(path), ACCEPT)


def test_a_probe_without_end_is_ended(files, tmp_path, monkeypatch):
    path = tmp_path / "a.mp4"
    path.write_bytes(files["mp4"])
    script = tmp_path / "python"
    script.write_text("#!/bin/sh\nexec sleep 60\n")
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))
    with pytest.raises(Rejected, match="no end in sight"):
        probe(str(path), VideoAcceptSettings(probe_seconds=0.5))


def test_no_other_file_is_opened(tmp_path):
    """A QuickTime file whose pictures are in another file: FFmpeg is not to look there."""
    other = write(tmp_path / "other.mov", number_frames(30, SIZE), File(mux=HEADER_FIRST))
    data = other.read_bytes()
    path = str(other).encode()
    alias = b"\0" * 150 + struct.pack(">HH", 2, len(path)) + path + b"\0" * (len(path) % 2) + struct.pack(">hH", -1, 0)
    entry = struct.pack(">I4sI", 12 + len(alias), b"alis", 0) + alias
    place = data.index(b"dref") - 4
    length = struct.unpack(">I", data[place : place + 4])[0]
    box = struct.pack(">I4sII", 16 + len(entry), b"dref", 0, 1) + entry
    grown = len(box) - length
    made = bytearray(data[:place] + box + data[place + length :])
    for name in (b"dinf", b"minf", b"mdia", b"trak", b"moov"):
        start = made.index(name) - 4
        made[start : start + 4] = struct.pack(">I", struct.unpack(">I", made[start : start + 4])[0] + grown)
    (tmp_path / "pointing.mov").write_bytes(bytes(made[: made.index(b"mdat") + 4]))
    assert code(tmp_path, (tmp_path / "pointing.mov").read_bytes(), AS_FAR_AS_IT_GOES) == "no_frames"


@pytest.mark.parametrize("kind", ["mp4", "mkv", "webm", "avi", "mpg", "ts", "flv"])
def test_damaged_files_end_with_a_reason_or_with_frames(kind, files, tmp_path):
    chance = random.Random(kind)
    path = tmp_path / f"a.{kind}"
    for _ in range(12):
        data = bytearray(files[kind])
        for _ in range(chance.choice((1, 5, 50))):
            data[chance.randrange(chance.choice((200, len(data))))] = chance.randrange(256)
        path.write_bytes(bytes(data))
        try:
            assert inspect_video(str(path), ACCEPT).frames > 0
        except Rejected as why:
            assert why.code in REASONS  # noqa: PT017 the other end is fine too


def test_without_the_package_one_sentence_says_what_to_install(files, tmp_path, monkeypatch):
    (tmp_path / "a.mp4").write_bytes(files["mp4"])
    monkeypatch.setitem(sys.modules, "av", None)
    with (
        pytest.raises(ModuleNotFoundError, match=r'pip install "manyfaces\[video\]"'),
        open_video(str(tmp_path / "a.mp4")),
    ):
        pass


def test_the_probe_finds_the_project_from_any_folder(files, tmp_path, monkeypatch):
    (tmp_path / "a.mp4").write_bytes(files["mp4"])
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    assert probe("a.mp4", ACCEPT).frames == 50
    assert Path(container.__file__).is_absolute()
    assert os.environ.get("PYTHONPATH") is None
