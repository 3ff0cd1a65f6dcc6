"""The process in which a video is looked at: JSON in and out.

It bounds its own memory and processor time, so that a file whose header lies ends this process and no other.
"""

import json
import resource
import sys
from dataclasses import asdict
from pathlib import Path

from transforms.tables.reasons import Rejected
from transforms.videos.container import HEAD, VideoInfo, container_kind, open_video, sniff_container, video_stream
from transforms.videos.file_end import missing_bytes
from transforms.videos.index import ANIMATED, build_index, first_frame
from transforms.videos.settings import VideoAcceptSettings

# What opening a file takes, everyone who opens it needs again, and a few bytes may say what takes gigabytes.
_STREAMS, _FEW_PACKETS = 4, 1_000_000  # of a video with as many frames as are let in, each with as many packets
_OPENING, _A_PIXEL = 2**28, 64  # bytes of memory, and those for each pixel of the frames that a decoder keeps


def inspect_video(path: str, accept: VideoAcceptSettings) -> VideoInfo:
    """What the file is, if it is let in; in this process, without its bounds."""
    with open(path, "rb") as file:
        sniffed = sniff_container(file.read(HEAD))
    if sniffed not in accept.containers:
        raise Rejected("not_a_video", f"{sniffed} is not among the containers accepted")
    try:
        kind, codec, has_audio = _look(path, accept)
    except Rejected as why:
        if why.code == "broken_video":  # it may lack what it would be opened by
            _check_end(path, sniffed, accept)
        raise
    _check_end(path, kind, accept)
    index = build_index(path, accept.max_frames)
    if index.seconds > accept.max_seconds:
        raise Rejected("too_long", f"{index.seconds:.1f} s")
    if kind in ANIMATED and len(index.times) == 1:
        raise Rejected("not_a_video", f"a still picture: {kind.upper()} of one frame")
    with open_video(path) as container:
        shape, rotation = first_frame(container)
    _check_size(shape[1], shape[0], accept)
    if shape[0] < accept.min_height:
        raise Rejected("low_resolution", f"{shape[1]} x {shape[0]}")
    frames = len(index.times)
    fps = frames / index.seconds if index.seconds else 0.0
    return VideoInfo(kind, codec, shape[1], shape[0], rotation, frames, index.seconds, fps, has_audio)


def _look(path: str, accept: VideoAcceptSettings) -> tuple[str, str, bool]:
    """The container, the codec and whether there is sound, by what opening the file tells."""
    before = _peak_memory()
    with open_video(path) as container:
        context = video_stream(container).codec_context
        _check_size(context.width, context.height, accept)
        indexed, grown = sum(len(stream.index_entries) for stream in container.streams), _peak_memory() - before
        if indexed > max(_STREAMS * accept.max_frames, _FEW_PACKETS):
            raise Rejected("too_long", f"{indexed} packets in the index")
        if grown > _OPENING + _A_PIXEL * context.width * context.height:
            raise Rejected("broken_video", f"opening it takes {grown} bytes of memory")
        return container_kind(container), context.codec.canonical_name, bool(container.streams.audio)


def _peak_memory() -> int:
    """The most bytes that this process has held so far."""
    try:  # first, since what a process counts by getrusage has begun with its parent's
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
        return 1024 * int(status.partition("VmHWM:")[2].split()[0])
    except (OSError, IndexError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _check_end(path: str, container: str, accept: VideoAcceptSettings) -> None:
    if accept.truncated == "drop" and (missing := missing_bytes(path, container)):
        raise Rejected("truncated_video", f"{missing} bytes are missing at the end")


def _check_size(width: int, height: int, accept: VideoAcceptSettings) -> None:
    if width * height > accept.max_pixels:
        raise Rejected("too_many_pixels", f"{width} x {height}")


def _bound(accept: VideoAcceptSettings) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (accept.probe_memory, accept.probe_memory))
    seconds = int(accept.probe_seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> None:
    """Read a request from standard input, answer on standard output."""
    request = json.load(sys.stdin)
    accept = VideoAcceptSettings(**request["accept"])
    _bound(accept)
    try:
        answer = asdict(inspect_video(request["path"], accept))
    except Rejected as why:
        answer = {"code": why.code, "detail": why.detail}
    except MemoryError as error:
        answer = {"code": "broken_video", "detail": f"more memory than {accept.probe_memory} bytes: {error}"}
    except ModuleNotFoundError as error:
        answer = {"missing": str(error)}
    json.dump(answer, sys.stdout)
