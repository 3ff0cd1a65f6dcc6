"""Whether files say that their end is missing: real containers, cut anywhere, continued, and with lengths that lie."""

import io
import struct

import av
import pytest

from tests import videos
from transforms.tables.reasons import Rejected
from transforms.videos.file_end import missing_bytes
from transforms.videos.probe import inspect_video
from transforms.videos.settings import VideoAcceptSettings

COUNT, SIZE = 30, (160, 120)
TONES = (videos.Tone(440, 0, 1),)
GROUPS = {"preset": "ultrafast", "g": "10"}
FILES = {
    "last.mp4": videos.File(tones=TONES),
    "first.mp4": videos.File(tones=TONES, mux={"movflags": "+faststart"}),
    "parts.mp4": videos.File(tones=TONES, options=GROUPS, mux={"movflags": "frag_keyframe+empty_moov"}),
    "a.mov": videos.File(),
    "a.mkv": videos.File(tones=TONES, options=GROUPS),
    "cues.mkv": videos.File(options=GROUPS, mux={"reserve_index_space": "2000"}),
    "live.mkv": videos.File(options=GROUPS, mux={"live": "1"}),
    "a.webm": videos.File(codec="libvpx", options={"deadline": "realtime"}),
    "a.avi": videos.File(codec="mpeg4", options={}),
    "sound.avi": videos.File(codec="mpeg4", options={}, tones=TONES, audio_codec="mp3"),
    "a.mpg": videos.File(codec="mpeg1video", options={}),
    "a.m1v": videos.File(codec="mpeg1video", options={}),
    "a.ts": videos.File(options=GROUPS, tones=TONES),
    "a.flv": videos.File(codec="flv", options={}),
    "a.wmv": videos.File(codec="wmv2", options={}),
}
TELLING = [name for name in FILES if name.endswith((".mp4", ".mov", ".mkv", ".webm", ".avi")) and name != "live.mkv"]
PIPED = {"piped.avi": "a.avi", "piped.mkv": "a.mkv", "piped.ts": "a.ts", "piped.flv": "a.flv"}
MUXERS = {"mkv": "matroska", "ts": "mpegts"}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The bytes of a video of 30 frames in each container; the piped ones by a writer that could not go back."""
    folder = tmp_path_factory.mktemp("ends")
    paths = {n: videos.write(folder / n, videos.number_frames(COUNT, SIZE), how) for n, how in FILES.items()}
    return {n: path.read_bytes() for n, path in paths.items()} | {n: piped(n, paths[p]) for n, p in PIPED.items()}


def piped(name, source):
    """The picture of the source, written anew to something that cannot seek."""
    suffix = name.rpartition(".")[2]
    whole = io.BytesIO()

    class Pipe:
        def write(self, data):
            return whole.write(data)

    with av.open(str(source)) as from_, av.open(Pipe(), "w", format=MUXERS.get(suffix, suffix)) as out:
        stream = from_.streams.video[0]
        target = out.add_stream_from_template(stream)
        for packet in from_.demux(stream):
            if packet.dts is not None:
                packet.stream = target
                out.mux(packet)
    return whole.getvalue()


def verdict(tmp_path, data, **accept):
    """The number of frames, or the reason."""
    path = tmp_path / "file"
    path.write_bytes(data)
    try:
        return inspect_video(str(path), VideoAcceptSettings(**accept)).frames
    except Rejected as why:
        return why.code


@pytest.mark.parametrize("name", TELLING)
def test_a_file_that_was_cut_off_is_found(name, made, tmp_path):
    data = made[name]
    cuts = [1, 100, len(data) // 4, len(data) // 3, len(data) // 2, len(data) * 9 // 10]
    if name == "parts.mp4":  # its last box repeats where the others are
        cuts = [lost for lost in cuts if lost > len(data) - data.rindex(b"mfra") + 4]
    found = [verdict(tmp_path, data[:-lost]) for lost in cuts]
    assert found == ["truncated_video"] * len(cuts)


@pytest.mark.parametrize("name", ["first.mp4", "parts.mp4", "a.mkv", "a.avi"])
def test_a_truncated_video_is_used_as_far_as_it_goes_if_so_configured(name, made, tmp_path):
    cut = made[name][: len(made[name]) * 2 // 3]
    assert 1 <= verdict(tmp_path, cut, truncated="keep") < COUNT


@pytest.mark.parametrize("name", ["live.mkv", "a.mpg", "a.m1v", "a.ts", "a.flv", "a.wmv", *PIPED])
def test_what_cannot_tell_is_used_as_far_as_it_goes(name, made, tmp_path):
    data = made[name]
    assert verdict(tmp_path, data) == COUNT
    found = verdict(tmp_path, data[: len(data) * 2 // 3])
    assert (
        found == "truncated_video" if name == "piped.avi" else 1 <= found < COUNT
    )  # where the cut goes through a chunk


def box(name, length, data):
    return struct.pack(">I4s", length, name) + data


TRAILERS = {
    "maker's": bytes.fromhex("c8c3a5f3 9f1b2e77") * 11,
    "long": bytes(range(255, 0, -1)) * 12,
    "zeros": bytes(1000),
    "five zeros": bytes(5),
    "ones": b"\xff" * 500,
    "line end": b"\r\n",
    "ID3": b"TAG" + b" " * 125,
    "phone's": b"SEFT some words\0\1" * 5,
    "box": box(b"free", 100, bytes(92)),
    "box that lies": box(b"free", 10_000, bytes(92)),
    "large box": box(b"uuid", 1, struct.pack(">Q", 1 << 60) + bytes(92)),
}


@pytest.mark.parametrize("name", [*FILES, *PIPED])
def test_what_lies_behind_the_end_does_not_matter(name, made, tmp_path):
    trailers = {trailer: data for trailer, data in TRAILERS.items() if name != "a.m1v" or b"\0\0\1" not in data}
    found = {trailer: verdict(tmp_path, made[name] + data) for trailer, data in trailers.items()}
    assert found == dict.fromkeys(trailers, COUNT)  # a raw stream goes on wherever there is a start code


@pytest.mark.parametrize("name", ["last.mp4", "first.mp4", "a.mov"])
def test_another_file_behind_the_end_does_not_matter_even_if_it_is_cut(name, made, tmp_path):
    data = made[name]
    assert verdict(tmp_path, data + data) == COUNT
    assert verdict(tmp_path, data + data[: len(data) // 2]) == COUNT


def patched(data, *changes):
    """The data with bytes at places replaced: pairs of a mark and what stands behind it instead."""
    data = bytearray(data)
    for mark, shift, value in changes:
        at = data.index(mark) + shift
        data[at : at + len(value)] = value
    return bytes(data)


FULL, NONE, MORE = b"\xff" * 4, bytes(4), struct.pack("<I", 10**6)
UNKNOWN = b"\x01" + b"\xff" * 7  # a size of Matroska
LIES = {
    "RIFF full": ("a.avi", (b"RIFF", 4, FULL)),
    "RIFF zero": ("a.avi", (b"RIFF", 4, NONE)),
    "RIFF more": ("a.avi", (b"RIFF", 4, MORE)),
    "RIFF and list full": ("sound.avi", (b"RIFF", 4, FULL), (b"movi", -4, FULL)),
    "RIFF and list zero": ("sound.avi", (b"RIFF", 4, NONE), (b"movi", -4, NONE)),
    "data zero": ("first.mp4", (b"mdat", -4, NONE)),
    "data full": ("first.mp4", (b"mdat", -4, b"\x7f" + FULL[:3])),
    "data more": ("first.mp4", (b"mdat", -4, struct.pack(">I", 10**6))),
    "segment unknown": ("a.mkv", (b"\x18\x53\x80\x67", 4, UNKNOWN)),
    "segment more": ("a.mkv", (b"\x18\x53\x80\x67", 4, b"\x01" + bytes(3) + struct.pack(">I", 10**6))),
}


@pytest.mark.parametrize("lie", LIES)
def test_lengths_are_not_believed_over_what_is_there(lie, made, tmp_path):
    """And what is cut off all the same is found, where an index promises it."""
    name, *changes = LIES[lie]
    data = patched(made[name], *changes)
    assert verdict(tmp_path, data) == COUNT
    cut = verdict(tmp_path, data[: len(data) * 2 // 3])
    assert cut == "truncated_video" if lie != "segment unknown" else 1 <= cut < COUNT


def test_a_cut_file_whose_length_was_mended_is_found_by_its_index(made, tmp_path):
    data = made["first.mp4"]
    cut = data[: len(data) * 2 // 3]
    length = struct.pack(">I", len(cut) - cut.index(b"mdat") + 4)
    assert verdict(tmp_path, patched(cut, (b"mdat", -4, length))) == "truncated_video"


HEADS = [
    ("mov", b"", 0),
    ("mov", b"\0\0\0", 0),
    ("mov", struct.pack(">I4s", 0, b"mdat") + bytes(50), 0),
    ("mov", struct.pack(">I4s", 3, b"mdat") + bytes(50), 0),
    ("mov", struct.pack(">I4sQ", 1, b"mdat", 4 << 30) + bytes(50), (4 << 30) - 66),
    ("mov", struct.pack(">I4sQ", 1, b"mdat", 2), 0),
    ("mov", struct.pack(">I4s", 100, b"moov") + bytes(50), 42),
    ("mov", struct.pack(">I4s", 100, b"free") + bytes(50), 0),
    ("matroska", b"", 0),
    ("matroska", b"\0" * 16, 0),
    ("matroska", b"\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff", 0),
    ("matroska", b"\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67\x84", 4),
    ("matroska", b"\x1a\x45\xdf\xa3" + b"\xff" * 12, 0),
    ("matroska", b"\x1a\x45\xdf\xa3\x01\xfe" + b"\xff" * 6 + bytes(50), 0),
    ("avi", b"", 0),
    ("avi", b"RIFF\0\0\0\0AVI ", 0),
    ("avi", b"RIFF\xff\xff\xff\x7fAVI ", 0x7FFFFFFF - 4),
    ("avi", b"RIFF\xff\xff\xff\x7fAVI LIST" + bytes(4) + b"movi" + b"00dc\xff\0\0\0" + bytes(50), 205),
    ("mpegts", b"G" * 100, 0),
]


@pytest.mark.parametrize(("kind", "head", "missing"), HEADS)
def test_heads_that_lie(kind, head, missing, tmp_path):
    (tmp_path / "file").write_bytes(head)
    assert missing_bytes(str(tmp_path / "file"), kind) == missing
