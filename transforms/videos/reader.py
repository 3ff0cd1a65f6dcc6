"""Frames of a video file by number: exactly the frame that a decoding from the start would give, by the shortest way.

To read a frame the decoder starts at the last key frame before it, or goes on from where it stands if that is nearer.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import chain, islice
from types import TracebackType
from typing import TYPE_CHECKING, cast

import numpy as np

from model_handlers.interface import Pixels
from transforms.images.tone import HLG, PQ, Codes, to_standard
from transforms.tables.reasons import Rejected
from transforms.videos.container import line, open_video, video_stream
from transforms.videos.index import Floats, Integers, decode, file_index, first_frame, mark, packets, place_of
from transforms.videos.upright import display_matrix, is_turned, upright

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

_ATTEMPTS = 3  # key frames to start from: files may call a frame a key frame that is none
_PATIENCE, _ANY_VIDEO = 16, 1000  # times that a video, of so many packets more, is decoded for frames that never come
_UNKNOWN = 8  # packets behind a seek that may be none of the index: a stream is entered in the middle of one
_SKIPPING = frozenset({"h264", "mpeg1video", "mpeg2video"})  # that know beforehand which frames no other needs
_DRAWN = frozenset({"bgra", "rgba", "pal8", "ya8", "rgba64be", "ya16be"})  # what GIF and APNG give with transparency
_EPSILON = 1e-6  # seconds; times are floats


class VideoReader:
    """An open video; not for several threads at once. Errors on opening are those of `open_video` and `build_index`."""

    def __init__(self, path: str, threads: int = 1) -> None:
        from av.video.reformatter import VideoReformatter

        self._path, self._threads = path, threads
        self._index = file_index(path)
        self._keys = np.unique(self._index.starts)
        self._first, self._seekable = int(self._keys[0]), bool(len(self._index.places))
        self._gap = -1, 0, 0  # a key frame's place, and the numbers from and to that no decoding from there gives
        self._in_vain = 0  # packets decoded for frames that did not come
        self._scaler = VideoReformatter()
        with open_video(path, threads) as container:
            (height, width), _ = first_frame(container)
        self._size = width, height  # of all frames, whatever the container's header says
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
    def costs(self) -> Integers:
        """(N,) for each frame how many frames must be decoded to reach it from its key frame, itself included."""
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
        key, low, high = self._gap
        if not (key == start and low <= number < high):
            next_shown = len(self)
            for place in self._ways(number, start):
                if place is not None:
                    self._go_to(place)
                if (found := self._decode_to(number)) is not None:
                    return found
                next_shown = min(next_shown, self._shown if self._shown > number else len(self))
                self._in_vain += self._place - (self._place if place is None else place)
            self._gap = start, number, next_shown
        raise Rejected("broken_frame", f"frame {number} does not decode")

    def _ways(self, number: int, start: int) -> Iterator[int | None]:
        """Where to decode from to reach a frame, one way after the other: on from here (None), or from key frames."""
        onward = self._shown < number and start <= self._place
        if onward:
            yield None
        patient = self._in_vain <= _PATIENCE * (len(self._index.numbers) + _ANY_VIDEO)
        for _ in range(_ATTEMPTS if patient else 0 if onward else 1):
            yield start
            if start == self._first:
                return
            start = int(self._keys[np.searchsorted(self._keys, start) - 1])

    def _decode_to(self, number: int) -> "VideoFrame | None":
        """The frame, if it comes before any later one."""
        while (found := self._next(number)) is not None and found[0] <= number:
            if found[0] == number:
                return found[1]
        return None

    def _open(self) -> None:
        """Stand at the beginning of the file, opened anew."""
        self._opened.close()
        self._container = self._opened.enter_context(open_video(self._path, self._threads))
        self._skips = video_stream(self._container).codec_context.name in _SKIPPING
        self._restart(0)

    def _restart(self, place: int) -> None:
        """Read on from the packet of this place, with an empty decoder."""
        self._packets = packets(self._container)
        self._ready: deque[tuple[int, VideoFrame]] = deque()
        self._place, self._shown, self._ended = place, -1, False

    def _go_to(self, start: int) -> None:
        """Stand before the packet of this place, with an empty decoder."""
        if self._seekable and start:
            self._seekable = self._seek(start)
            if not self._seekable:
                self._open()
        elif self._place > start:
            self._open()
        else:
            video_stream(self._container).codec_context.flush_buffers()
            self._ready.clear()
            self._shown = -1
        while self._place < start and next(self._packets, None) is not None:
            self._place += 1

    def _seek(self, start: int) -> bool:
        """Whether seeking has led before this place: if packets can be recognised, and the demuxer does as told."""
        import av

        try:
            self._container.seek(int(self._index.seeks[start]), stream=video_stream(self._container))
        except av.FFmpegError:
            return False
        reading = packets(self._container)
        for packet in islice(reading, _UNKNOWN):
            place = self._index.place(packet)
            if place is not None:
                self._restart(place)
                self._packets = chain([packet], reading)
                return place <= start
        return False

    def _next(self, wanted: int) -> tuple[int, "VideoFrame"] | None:
        """The next frame that the decoder gives, and its number; None at the end.

        Frames before the wanted one are left out where no other is decoded from them.
        """
        while not self._ready:
            if self._ended:
                return None
            packet = next(self._packets, None)
            if packet is None:
                self._ended = True
            else:
                mark(packet, self._place)
                if self._skips:
                    before = 0 <= self._number(self._place) < wanted
                    video_stream(self._container).codec_context.skip_frame = "NONREF" if before else "DEFAULT"
                self._place += 1
            for frame in decode(self._container, packet):
                place = place_of(frame)
                if place is not None and self._number(place) >= 0:
                    self._ready.append((self._number(place), frame))
        self._shown = self._ready[0][0]
        return self._ready.popleft()

    def _number(self, place: int) -> int:
        """The number of the frame of a packet; -1 if it has none, or was not there when the index was made."""
        return int(self._index.numbers[place]) if place < len(self._index.numbers) else -1

    def _pixels(self, frame: "VideoFrame", size: tuple[int, int] | None) -> Pixels:
        import av

        matrix = display_matrix(frame)
        width, height = size or self._size
        stored = (height, width) if is_turned(matrix) else (width, height)
        how = "AREA" if size else "BILINEAR"  # of no meaning where nothing is scaled
        try:
            form = "rgb48le" if frame.color_trc in (PQ, HLG) else "rgba" if frame.format.name in _DRAWN else "rgb24"
            scaled = self._scaler.reformat(frame, *stored, form, interpolation=how, threads=1).to_ndarray()
        except (av.FFmpegError, ValueError) as error:
            raise Rejected("broken_frame", line(error)) from None
        if form == "rgb48le":
            return upright(to_standard(cast(Codes, scaled), int(frame.color_trc)), matrix)
        return upright(cast(Pixels, scaled) if form == "rgb24" else _on_white(cast(Pixels, scaled)), matrix)


def _on_white(image: Pixels) -> Pixels:
    """(H,W,4) RGBA laid on white, as RGB."""
    if image[..., 3].min() == 255:
        return image[..., :3]
    opacity = image[..., 3:].astype(np.uint16)
    return ((image[..., :3] * opacity + 255 * (255 - opacity) + 127) // 255).astype(np.uint8)
