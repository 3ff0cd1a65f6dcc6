"""The frames that this process has decoded last, and the videos that it has open.

Stages name a frame by pointer and ask here for its pixels, so that the next stage's question for the same frame costs
nothing. Both caches are bounded; what was not asked for longest goes first.
"""

import os
from collections import OrderedDict
from contextlib import ExitStack
from threading import Lock

from model_handlers.interface import Pixels
from transforms.videos.index import Floats
from transforms.videos.library import local_file
from transforms.videos.reader import VideoReader

BYTES = int(os.environ.get("MANYFACES_FRAME_CACHE_BYTES") or 256 * 2**20)  # of decoded frames
READERS = int(os.environ.get("MANYFACES_OPEN_VIDEOS") or 8)
Pointer = tuple[str, str, int]


class _Shared:
    """An open video that several threads read, one at a time."""

    def __init__(self, run: str, media: str) -> None:
        self.lock = Lock()
        self.reader: VideoReader | None = None
        self._video, self._opened = (run, media), ExitStack()

    def open(self) -> VideoReader:
        if self.reader is None:
            with ExitStack() as opened:
                path = opened.enter_context(local_file(*self._video))
                self.reader = opened.enter_context(VideoReader(path))
                self._opened = opened.pop_all()  # of one that cannot be opened, nothing stays
        return self.reader

    def close(self) -> None:
        with self.lock:
            self.reader = None
            self._opened.close()


_LOCK = Lock()  # of the two dictionaries, never held while decoding
_FRAMES: OrderedDict[Pointer, Pixels] = OrderedDict()
_VIDEOS: OrderedDict[tuple[str, str], _Shared] = OrderedDict()


def frame_pixels(run: str, media: str, number: int) -> Pixels:
    """The frame of a video of the run as upright RGB (H,W,3) uint8, read-only; errors are those of VideoReader."""
    pointer = (run, media, number)
    if (known := _known(pointer)) is not None:
        return known
    video = _video(run, media)
    with video.lock:
        if (known := _known(pointer)) is not None:  # another thread has read it meanwhile
            return known
        pixels = video.open().read(number)
    pixels.flags.writeable = False
    _keep(pointer, pixels)
    return pixels


def frame_times(run: str, media: str) -> tuple[Floats, float]:
    """(N,) the seconds at which the frames of a video of the run begin, and at which the last one ends."""
    video = _video(run, media)
    with video.lock:
        reader = video.open()
        return reader.times, reader.seconds


def _known(pointer: Pointer) -> Pixels | None:
    with _LOCK:
        if pointer in _FRAMES:
            _FRAMES.move_to_end(pointer)
        return _FRAMES.get(pointer)


def _keep(pointer: Pointer, pixels: Pixels) -> None:
    with _LOCK:
        _FRAMES[pointer] = pixels
        held = sum(frame.nbytes for frame in _FRAMES.values())
        while held > BYTES and len(_FRAMES) > 1:
            held -= _FRAMES.popitem(last=False)[1].nbytes


def _video(run: str, media: str) -> _Shared:
    with _LOCK:
        video = _VIDEOS.setdefault((run, media), _Shared(run, media))
        _VIDEOS.move_to_end((run, media))
        oldest = [_VIDEOS.popitem(last=False)[1] for _ in range(len(_VIDEOS) - READERS)]
    for one in oldest:
        one.close()  # one that is waited for is opened again
    return video
