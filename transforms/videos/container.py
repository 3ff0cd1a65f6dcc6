"""Video files of strangers: what they are by their first bytes, how they are opened, and what is in them.

The container's format is told by content and forced on FFmpeg, which may open that one file only: no playlists, no
references to other files, no network. `probe` looks at a file in a process of its own, since headers may lie about
memory and time, and a decoder may crash.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, cast

from transforms.child_python import child_command
from transforms.tables.reasons import Rejected, told
from transforms.videos.settings import VideoAcceptSettings

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.codeccontext import VideoCodecContext
    from av.video.stream import VideoStream

HEAD = 2048  # bytes that `sniff_container` looks at
_IO_SECONDS = 60  # for opening, and for each packet
_PIXELS = 8_000_000  # of a frame, that a decoder may allocate whatever the header said; see `_choose_streams`
_MOST_PIXELS = 200_000_000  # of a frame, that a decoder may allocate while the header is read
_THINNEST = Fraction(1, 4)  # width of a pixel over its height
CODECS = frozenset(
    {"h264", "hevc", "vp8", "vp9", "av1", "libdav1d", "libvpx", "libvpx-vp9", "mpeg1video", "mpeg2video", "mpeg4"}
    | {"msmpeg4v1", "msmpeg4v2", "msmpeg4", "h263", "flv", "vp6", "vp6f", "vp6a", "wmv1", "wmv2", "wmv3", "vc1"}
    | {"theora", "mjpeg", "prores", "dnxhd", "gif", "apng"}
)
_PLAYLISTS = (
    b"#extm3u",
    b"ffconcat",
    b"[playlist]",
    b"[reference]",
    b"v=0\r",
    b"v=0\n",
    b"<asx",
    b"<smil",
    b"rtsptext",
)
_ATOMS = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot")
_MAGIC = (
    (b"\x1a\x45\xdf\xa3", "matroska"),
    (b"\0\0\x01\xba", "mpeg"),
    (b"\0\0\x01\xb3", "mpegvideo"),
    (b"FLV\x01", "flv"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "asf"),
    (b"OggS\0", "ogg"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
)
_PNG = b"\x89PNG\r\n\x1a\n"
_STILL, _MOVING = frozenset({b"avif", b"mif1", b"heic", b"heix", b"heim"}), frozenset({b"avis", b"msf1", b"hevc"})
MISSING = 'Videos need the package av, which is not installed: pip install "manyfaces[video]".'


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """What a video file is; see the row type Video for the fields.

    `frames` counts those whose packets are whole, from the first key frame on; it is what a VideoReader gives.
    """

    container: str
    codec: str
    width: int
    height: int
    rotation: int
    frames: int
    seconds: float
    fps: float
    has_audio: bool


def sniff_container(head: bytes) -> str:
    """The container's format by the first bytes (HEAD of them); Rejected `not_a_video` or `playlist`."""
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if head[4:8] in _ATOMS:
        _check_brands(head)
        return "mov"
    if head[:4] == b"RIFF" and head[8:12] in (b"AVI ", b"AVIX"):
        return "avi"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        raise Rejected("not_a_video", "a picture; animations in WebP are not read")
    if _is_transport_stream(head):
        return "mpegts"
    if head.startswith(_PNG) and b"acTL" in head.partition(b"IDAT")[0]:
        return "apng"
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith(_PLAYLISTS) or b"<mpd" in text or b"<smoothstreamingmedia" in text:
        raise Rejected("playlist", f"starts with {head[:16]!r}")
    raise Rejected("not_a_video", f"starts with {head[:16]!r}" if head else "no bytes")


def _check_brands(head: bytes) -> None:
    """Rejected where an ISO file says that it is a picture (ISO/IEC 23008-12): FFmpeg would give it as one frame."""
    size = min(int.from_bytes(head[:4], "big"), len(head))
    brands = {head[8:12], *(head[at : at + 4] for at in range(16, size, 4))}
    if head[4:8] == b"ftyp" and head[8:12] in _STILL and not brands & _MOVING:
        raise Rejected("not_a_video", f"a still picture: {head[8:12].decode()}")


def _is_transport_stream(head: bytes) -> bool:
    """Whether packets of 188 bytes come one after the other, wherever in a packet the file begins (ISO/IEC 13818-1).

    Before each there may be four bytes of time, or behind it 16 of parity. Four packets are enough where the first one
    begins the file; else there must be packets as far as `head` goes.
    """
    if _has_packets(head, range(0, 565, 188)) or _has_packets(head, range(4, 581, 192)):
        return True
    every = (range(begin, HEAD - 3, size) for size in (188, 192, 204) for begin in range(size))
    return len(head) == HEAD and any(_has_packets(head, places) for places in every)


def _has_packets(head: bytes, places: range) -> bool:
    """Whether each place has a packet's header: a sync byte, a payload or more; and not all of it is text."""
    if len(head) < places[-1] + 4 or head[places[0]] != 0x47:
        return False
    headers = [head[at : at + 4] for at in places]
    return all(one[0] == 0x47 and one[3] & 0x30 for one in headers) and any(
        not 9 <= byte < 127 for one in headers for byte in one
    )


@contextmanager
def open_video(path: str, threads: int = 1, audio: bool = False) -> Iterator["InputContainer"]:
    """The open container, of which only the best video stream is read, and with `audio` the best audio stream.

    Rejected `not_a_video`, `playlist`, `no_video_stream`, `unknown_codec`, `broken_video`. `threads` are the decoder's.
    """
    try:
        import av
    except ImportError:
        raise ModuleNotFoundError(MISSING) from None
    with open(path, "rb") as file:
        kind = sniff_container(file.read(HEAD))
    limits = {"protocol_whitelist": "file", "format_whitelist": kind}
    try:
        container = av.open(
            f"file:{os.path.abspath(path)}", "r", format=kind, container_options=limits, timeout=_IO_SECONDS,
            metadata_errors="replace", options={"max_pixels": str(_MOST_PIXELS)},
        )  # fmt: skip
    except (av.FFmpegError, ValueError, OverflowError) as error:
        raise Rejected("broken_video", line(error)) from None
    with container:
        _choose_streams(container, threads, audio)
        yield container


def video_stream(container: "InputContainer") -> "VideoStream":
    """The stream of an opened video that counts."""
    return cast("VideoStream", container.streams.best("video"))


def shown_size(stream: "VideoStream", width: int, height: int) -> tuple[int, int]:
    """Width and height at which frames stored as these are to be shown: where pixels are not square, one side is more.

    A shape of pixels beyond 4 to 1 is no video's, and is not believed.
    """
    shape = stream.sample_aspect_ratio
    if not shape or not _THINNEST <= shape <= 1 / _THINNEST:
        return width, height
    return (round(width * shape), height) if shape > 1 else (width, round(height / shape))


def container_kind(container: "InputContainer") -> str:
    """FFmpeg's first name of the container's format."""
    return container.format.name.split(",")[0]


def _choose_streams(container: "InputContainer", threads: int, audio: bool) -> None:
    from av.stream import Discard, Disposition

    videos = container.streams.video
    if not videos:
        raise Rejected("no_video_stream", ", ".join(stream.type for stream in container.streams) or "no streams")
    best = container.streams.best("video")
    if best is None or best.codec_context is None:
        raise Rejected("unknown_codec", "FFmpeg has no decoder for it")
    context = cast("VideoCodecContext", best.codec_context)
    if context.name not in CODECS:
        raise Rejected("unknown_codec", context.name)
    if best.disposition & Disposition.attached_pic:
        raise Rejected("no_video_stream", "a cover picture only")
    for stream in container.streams:
        if stream is not best and not (audio and stream is container.streams.best("audio")):
            stream.discard = Discard.all
    context.thread_count, context.copy_opaque = threads, True
    # streams may grow on the way, but not from a stamp to a wall, nor beyond what the header was let in with
    context.options = {"max_pixels": str(max(_PIXELS, context.width * context.height))}


def probe(path: str, accept: VideoAcceptSettings) -> VideoInfo:
    """What the file is, if it is let in; Rejected says why not. Bounded in time and memory, whatever is in the file."""
    request = json.dumps({"path": os.path.abspath(path), "accept": accept.model_dump(mode="json")})
    try:
        done = subprocess.run(  # noqa: S603 the command is ours, the path goes through the pipe
            child_command("transforms.videos.probe"),
            input=request,
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            errors="replace",  # decoders may quote the file in what they say
            timeout=2 * accept.probe_seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Rejected("broken_video", f"no end in sight after {2 * accept.probe_seconds:g} s") from None
    if done.returncode < 0:
        raise Rejected("broken_video", f"looking at it ended with signal {-done.returncode}")
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        raise RuntimeError(f"the process that looks at {path} failed: {done.stderr[-500:]}") from None
    if "missing" in answer:
        raise ModuleNotFoundError(answer["missing"])
    if "code" in answer:
        raise told(answer["code"], answer["detail"])
    return VideoInfo(**answer)


def line(error: BaseException) -> str:
    """An error as one short line, without FFmpeg's mention of the local path."""
    words = getattr(error, "strerror", None) or str(error) or "no words"
    return f"{type(error).__name__}: {words}".splitlines()[0][:200]
