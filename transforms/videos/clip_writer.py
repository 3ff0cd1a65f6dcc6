"""Clips that are encoded anew: frames, or a span of a video, as an MP4 file."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np
from pydantic import Field

from model_handlers.interface import Pixels
from transforms.settings import Settings
from transforms.videos.covering import Paint
from transforms.videos.reader import VideoReader

if TYPE_CHECKING:
    from av.container import OutputContainer
    from av.packet import Packet
    from av.video.codeccontext import VideoCodecContext

_TICK = Fraction(1, 90_000)  # seconds, where the frame rate is not constant
_ROUNDED = 1.1e-3  # seconds by which times may miss a constant rate: Matroska's clock has milliseconds
_RATES = [Fraction(n) for n in (5, 6, 8, 10, 12, 15, 16, 20, 24, 25, 30, 48, 50, 60, 100, 120)]
_RATES += [Fraction(25, 2), *(Fraction(n * 1000, 1001) for n in (12, 15, 24, 30, 48, 60, 120))]
# else x264 takes the processor's own instructions; those of AVX-512 give other bytes from one time to the next
_SAME_EVERYWHERE = "cpu-independent=1"
_BT709 = 1  # FFmpeg's number of the colour space, its primaries and its transfer; also of the limited range
Preset = Literal[
    "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow", "placebo"
]


class EncodeSettings(Settings):
    """How clips are encoded."""

    crf: int = Field(18, ge=0, le=51, description="x264's quality: 0 lossless, 18 good to the eye, 51 worst")
    preset: Preset = Field("medium", description="x264's trade of time for size")


def even(image: Pixels) -> Pixels:
    """The image with its last row and column repeated where their number is odd: H.264 halves the colours' size."""
    height, width = image.shape[:2]
    if height % 2 == 0 and width % 2 == 0:
        return image
    return np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")


def clock(times: Sequence[float]) -> tuple[Fraction, list[int]]:
    """The tick in seconds and the frames' stamps in ticks, the first 0; one tick a frame where the rate is constant."""
    passed = np.asarray(times, np.float64) - times[0]
    if not passed[-1]:
        return Fraction(1, 25), list(range(len(times)))
    mean = (len(times) - 1) / passed[-1]
    rate = min(_RATES, key=lambda rate: abs(float(rate) - mean))
    if np.abs(passed - np.arange(len(times)) / float(rate)).max() < _ROUNDED:
        return 1 / rate, list(range(len(times)))
    stamps = np.rint(passed / float(_TICK)).astype(np.int64)
    later = np.arange(len(times))  # a tick at least from frame to frame
    return _TICK, (np.maximum.accumulate(stamps - later) + later).tolist()


def write_mp4(
    path: str, frames: Iterable[Pixels], times: Sequence[float], end: float, settings: EncodeSettings
) -> tuple[int, int]:
    """Encode frames as `open_mp4` says; returns the file's (width, height), even numbers."""
    size = 0, 0
    with open_mp4(path, times, end, settings) as write:
        for image in frames:
            size = write(image)
    return size


@contextmanager
def open_mp4(
    path: str, times: Sequence[float], end: float, settings: EncodeSettings
) -> Iterator[Callable[[Pixels], tuple[int, int]]]:
    """A function that takes RGB frames (H,W,3), all of one size, one by one, and encodes them as H.264 in MP4.

    Each frame is shown from its time (seconds, ascending) on, the last one until `end`. The same frames give the same
    bytes: one thread, no dates, no names. The file's header comes first. ValueError where counts differ or are 0.
    The function returns the file's (width, height), even numbers.
    """
    import av

    if not len(times):
        raise ValueError("a clip needs a frame at least")
    tick, stamps = clock(times)
    lasts = dict(zip(stamps, np.diff([*stamps, max(stamps[-1] + 1, round((end - times[0]) / tick))]), strict=True))
    mux = {"movflags": "+faststart", "fflags": "+bitexact"}
    with av.open(path, "w", format="mp4", container_options=mux) as out:
        options = {"preset": settings.preset, "crf": str(settings.crf), "x264-params": _SAME_EVERYWHERE}
        stream = out.add_stream("libx264", rate=1 / tick, options=options)
        context = stream.codec_context
        context.thread_count, context.time_base = 1, tick
        missing = deque(stamps)

        def write(image: Pixels) -> tuple[int, int]:
            if not missing:
                raise ValueError(f"a clip needs a frame for each of {len(stamps)} times, and no more")
            stamp, image = missing.popleft(), even(image)
            if stamp == stamps[0]:
                _set_up(context, image)
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
            frame = frame.reformat(format="yuv420p", dst_colorspace=_BT709, dst_color_range=_BT709, threads=1)
            frame.pts, frame.time_base = stamp, tick
            _mux(out, stream.encode(frame), lasts)
            return context.width, context.height

        yield write
        if missing:
            raise ValueError(f"a clip needs a frame for each of {len(stamps)} times; {len(missing)} are missing")
        _mux(out, stream.encode(None), lasts)


def _set_up(context: "VideoCodecContext", image: Pixels) -> None:
    context.height, context.width = image.shape[:2]
    context.pix_fmt = "yuv420p"
    context.colorspace = context.color_primaries = context.color_trc = context.color_range = _BT709


def _mux(out: "OutputContainer", encoded: Iterable["Packet[Any]"], lasts: dict[int, int]) -> None:
    for packet in encoded:
        packet.duration = int(lasts[cast(int, packet.pts)])
        out.mux(packet)


def encode_span(
    source: str, first: int, end: int, path: str, settings: EncodeSettings, paint: Paint | None = None
) -> tuple[int, int]:
    """Exactly the frames `first` to before `end` of a video as a file of their own; returns its (width, height).

    `paint` covers each frame before it is written.
    """
    with VideoReader(source) as reader:
        stop = float(reader.times[end]) if end < len(reader) else reader.seconds
        read = reader.frames(range(first, end))
        frames = (image if paint is None else paint(number, image) for number, image in read)
        return write_mp4(path, frames, [float(time) for time in reader.times[first:end]], stop, settings)
