"""Whether files say that their end is missing: real containers, cut anywhere, and heads that lie."""

import struct

import pytest

from tests import videos
from transforms.media.file_end import missing_bytes
from transforms.media.video_probe import inspect_video
from transforms.media.video_settings import VideoAcceptSettings
from transforms.tables.reasons import Rejected

FRAGMENTED = {"movflags": "frag_keyframe+empty_moov"}
FILES = [
    ("mov", "whole.mp4", videos.File(tones=(videos.Tone(440, 0, 1),))),
    ("mov", "first.mp4", videos.File(mux={"movflags": "+faststart"})),
    ("mov", "parts.mp4", videos.File(mux=FRAGMENTED)),
    ("matroska", "whole.mkv", videos.File()),
    ("matroska", "whole.webm", videos.File(codec="libvpx", options={"deadline": "realtime"})),
    ("avi", "whole.avi", videos.File(codec="mpeg4", options={})),
]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ends")
    return {name: videos.write(folder / name, videos.number_frames(30), how) for _, name, how in FILES}


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, name, _ in FILES])
def test_a_file_that_was_cut_off_says_how_much_is_missing(kind, name, made, tmp_path):
    data = made[name].read_bytes()
    assert missing_bytes(str(made[name]), kind) == 0
    for lost in (1, 100, len(data) // 3, len(data) // 2):
        cut = tmp_path / name
        cut.write_bytes(data[:-lost])
        found = missing_bytes(str(cut), kind)
        assert 0 <= found <= lost
        assert found > 0 or name == "parts.mp4"  # where it is cut between two fragments, nothing tells


@pytest.mark.parametrize("name", ["first.mp4", "whole.mkv", "whole.avi"])
def test_a_truncated_video_is_refused_or_used_as_far_as_it_goes(name, made, tmp_path):
    cut = tmp_path / name
    cut.write_bytes(made[name].read_bytes()[: made[name].stat().st_size * 2 // 3])
    with pytest.raises(Rejected) as why:
        inspect_video(str(cut), VideoAcceptSettings())
    assert (why.value.code, "bytes are missing" in why.value.detail) == ("truncated_video", True)
    assert 1 <= inspect_video(str(cut), VideoAcceptSettings(truncated="keep")).frames < 30


HEADS = [
    ("mov", b"", 0),
    ("mov", b"\0\0\0", 0),
    ("mov", struct.pack(">I4s", 0, b"mdat") + bytes(50), 0),
    ("mov", struct.pack(">I4s", 3, b"mdat") + bytes(50), 0),
    ("mov", struct.pack(">I4sQ", 1, b"mdat", 4 << 30) + bytes(50), (4 << 30) - 66),
    ("mov", struct.pack(">I4sQ", 1, b"mdat", 2), 0),
    ("matroska", b"", 0),
    ("matroska", b"\0" * 16, 0),
    ("matroska", b"\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff", 0),
    ("matroska", b"\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67\x84", 4),
    ("matroska", b"\x1a\x45\xdf\xa3" + b"\xff" * 12, 0),
    ("avi", b"", 0),
    ("avi", b"RIFF\0\0\0\0", 0),
    ("avi", b"RIFF\xff\xff\xff\x7f", 0x7FFFFFFF),
    ("mpegts", b"G" * 100, 0),
]


@pytest.mark.parametrize(("kind", "head", "missing"), HEADS)
def test_heads_that_lie(kind, head, missing, tmp_path):
    (tmp_path / "file").write_bytes(head)
    assert missing_bytes(str(tmp_path / "file"), kind) == missing
