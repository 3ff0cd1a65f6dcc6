"""A video and a sound in two files, put together in one without being encoded again."""

import heapq
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from transforms.disk import is_full
from transforms.tables.reasons import Rejected
from transforms.videos.container import HEAD, sniff_container

_MP4 = frozenset({"h264", "hevc", "mpeg4", "aac", "mp3", "ac3", "eac3"})
_WEBM = frozenset({"vp8", "vp9", "av1", "libdav1d", "libvpx", "libvpx-vp9", "opus", "vorbis", "libopus", "libvorbis"})


def join(video: str, audio: str, path: str) -> None:
    """Write the file `path` with the video of one file and the audio of the other; the same bytes each time.

    Rejected (`not_a_video`, `broken_video` ...) where one of them cannot be read.
    """
    import av

    try:
        with _open(video) as pictures, _open(audio) as sounds:
            sources = [_stream(pictures, "video"), _stream(sounds, "audio")]
            names = {source.codec_context.name for source in sources}
            kind = "mp4" if names <= _MP4 else "webm" if names <= _WEBM else "matroska"
            with av.open(path, "w", format=kind, options={"fflags": "+bitexact"}) as out:
                targets = [out.add_stream_from_template(source) for source in sources]
                both = _packets(pictures, sources[0], targets[0]), _packets(sounds, sources[1], targets[1])
                for _, packet in heapq.merge(*both, key=lambda timed: timed[0]):
                    out.mux(packet)
    except (av.FFmpegError, ValueError) as error:
        if is_full(error):
            raise
        raise Rejected("broken_video", f"video and audio cannot be put together: {error}") from None


@contextmanager
def _open(path: str) -> Iterator[Any]:
    """The file, opened as what its first bytes say; it may refer to no other."""
    import av

    with open(path, "rb") as file:
        kind = sniff_container(file.read(HEAD))
    limits = {"protocol_whitelist": "file", "format_whitelist": kind}
    with av.open(
        f"file:{os.path.abspath(path)}", "r", format=kind, container_options=limits, metadata_errors="replace"
    ) as container:
        yield container


def _stream(container: Any, kind: str) -> Any:
    stream = container.streams.best(kind)
    if stream is None or stream.codec_context is None:
        raise Rejected("broken_video", f"a format said to have {kind} has none that is known")
    return stream


def _packets(container: Any, stream: Any, target: Any) -> Iterator[tuple[float, Any]]:
    """The stream's packets with their times, seconds, meant for the target."""
    time = 0.0
    for packet in container.demux(stream):
        if packet.dts is None:  # the mark at the end, or nothing that could be placed
            continue
        time = max(time, float(packet.dts * packet.time_base))
        packet.stream = target
        yield time, packet
