"""The process in which a video is looked at: JSON in and out.

It bounds its own memory and processor time, so that a file whose header lies ends this process and no other.
"""

import json
import resource
import sys
from dataclasses import asdict

from transforms.media.file_end import missing_bytes
from transforms.media.video import VideoInfo, container_kind, open_video, video_stream
from transforms.media.video_index import build_index, first_frame
from transforms.media.video_settings import VideoAcceptSettings
from transforms.orphans import die_with_parent
from transforms.tables.reasons import Rejected


def inspect_video(path: str, accept: VideoAcceptSettings) -> VideoInfo:
    """What the file is, if it is let in; in this process, without its bounds."""
    with open_video(path) as container:
        kind = container_kind(container)
        if kind not in accept.containers:
            raise Rejected("not_a_video", f"{kind} is not among the containers accepted")
        stream = video_stream(container)
        context = stream.codec_context
        _check_size(context.width, context.height, accept)
        codec, has_audio = context.codec.canonical_name, bool(container.streams.audio)
    if accept.truncated == "drop" and (missing := missing_bytes(path, kind)):
        raise Rejected("truncated_video", f"{missing} bytes are missing at the end")
    index = build_index(path, accept.max_frames)
    if index.seconds > accept.max_seconds:
        raise Rejected("too_long", f"{index.seconds:.1f} s")
    with open_video(path) as container:
        shape, rotation = first_frame(container)
    _check_size(shape[1], shape[0], accept)
    if shape[0] < accept.min_height:
        raise Rejected("low_resolution", f"{shape[1]} x {shape[0]}")
    frames = len(index.times)
    fps = frames / index.seconds if index.seconds else 0.0
    return VideoInfo(kind, codec, shape[1], shape[0], rotation, frames, index.seconds, fps, has_audio)


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
    die_with_parent()
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
