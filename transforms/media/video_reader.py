"""Frames of a video file by number: exactly the frame that a decoding from the start would give, by the shortest way.

To read a frame the decoder starts at the last key frame before it, or goes on from where it stands if that is nearer.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np

from transforms.media.upright import Pixels, display_matrix, is_turned, upright
from transforms.media.video import open_video
from transforms.media.video_index import Floats, build_index, decode, identity, packets
from transforms.tables.reasons import Rejected

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.frame import VideoFrame

MAX_FRAMES = 10_000_000  # of a file that was never probed
_EPSILON = 1e-6  # seconds; times are floats


class VideoReader:
    """An open video; not for several threads at once. Errors on opening are those of `open_video` and `build_index`."""

    def __init__(self, path: str, threads: int = 1) -> None:
        from av.video.reformatter import VideoReformatter

        self._path, self._threads = path, threads
        self._index = build_index(path, MAX_FRAMES)
        self._numbers = {int(place): number for number, place in enumerate(self._index.packets)}
        self._scaler = VideoReformatter()
        self._opened = ExitStack()
        self._open()

    def __enter__(self) -> "VideoReader":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._opened.close()

    @property
    def times(self) -> Floats:
        """(N,) seconds of each frame from the first one, ascending."""
        return self._index.times

    @property
    def seconds(self) -> float:
        """From the start of the first frame to the end of the last."""
        return self._index.seconds

    @property
    def keys(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """(N,) for each frame the number of frames to decode to reach it from its key frame, itself included."""
        return self._index.packets - self._index.starts + 1

    def __len__(self) -> int:
        return len(self._index.times)

    def number_at(self, time: float) -> int:
        """The number of the frame that is shown at a time, seconds from the first frame; the nearest one outside."""
        found = int(np.searchsorted(self.times, time + _EPSILON, side="right")) - 1
        return min(max(found, 0), len(self) - 1)

    def read(self, number: int) -> Pixels:
        """The frame as upright RGB (H,W,3) uint8; IndexError outside, Rejected `broken_frame` if it does not decode."""
        return self._pixels(self._frame(number), None)

    def frames(self, numbers: Iterable[int], size: tuple[int, int] | None = None) -> Iterator[tuple[int, Pixels]]:
        """The frames of the numbers, which should ascend, each with its number; `size` (width, height) scales them."""
        for number in numbers:
            yield number, self._pixels(self._frame(number), size)

    def _frame(self, number: int) -> "VideoFrame":
        if not 0 <= number < len(self):
            raise IndexError(f"{self._path} has frames 0 to {len(self) - 1}, not {number}")
        start = int(self._index.starts[number])
        if not (self._shown < number and start <= self._place):
            self._go_to(start)
        while (found := self._next()) is not None:
            if found[0] == number:
                return found[1]
            if found[0] > number:
                break
        raise Rejected("broken_frame", f"frame {number} does not decode")

    def _open(self) -> None:
        """Stand at the beginning of the file, opened anew."""
        self._opened.close()
        self._container = self._opened.enter_context(open_video(self._path, self._threads))
        stream = self._container.streams.best("video")
        self._size = stream.codec_context.width, stream.codec_context.height
        self._restart(0)

    def _restart(self, place: int) -> None:
        self._packets = packets(self._container)
        self._waiting: deque[Packet[Any] | None] = deque()
        self._ready: deque[tuple[int, VideoFrame]] = deque()
        self._place, self._shown, self._ended = place, -1, False

    def _go_to(self, start: int) -> None:
        """Stand before the packet of this place, with an empty decoder."""
        if self._seek(start):
            return
        self._open()
        while self._place < start and next(self._packets, None) is not None:
            self._place += 1

    def _seek(self, start: int) -> bool:
        """Whether seeking has led to this place: as far as packets can be recognised, and the demuxer does as told."""
        import av

        if not self._index.places or not start:
            return False
        try:
            stream = self._container.streams.best("video")
            self._container.seek(int(self._index.stamps[start]), stream=stream)
        except av.FFmpegError:
            return False
        self._restart(0)
        for packet in self._packets:
            place = self._index.places.get(identity(packet))
            if place is None or place > start:
                return False
            if place == start:
                self._waiting.append(packet)
                self._place = start
                return True
        return False

    def _next(self) -> tuple[int, "VideoFrame"] | None:
        """The next frame that the decoder gives, and its number; None at the end."""
        while not self._ready:
            if self._ended:
                return None
            packet = self._waiting.popleft() if self._waiting else next(self._packets, None)
            if packet is None:
                self._ended = True
            else:
                packet.opaque = (self._place,)  # found again by its address: it must be no shared object
                self._place += 1
            for frame in decode(self._container, packet):
                number = self._numbers.get(frame.opaque[0]) if frame.opaque else None
                if number is not None:
                    self._ready.append((number, frame))
        self._shown = self._ready[0][0]
        return self._ready.popleft()

    def _pixels(self, frame: "VideoFrame", size: tuple[int, int] | None) -> Pixels:
        matrix = display_matrix(frame)
        width, height = size or (self._size[::-1] if is_turned(matrix) else self._size)
        stored = (height, width) if is_turned(matrix) else (width, height)
        how = "AREA" if size else "BILINEAR"
        scaled = self._scaler.reformat(frame, *stored, "rgb24", interpolation=how, threads=1)
        return upright(scaled.to_ndarray(), matrix)
