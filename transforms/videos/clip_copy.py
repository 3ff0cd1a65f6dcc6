"""Clips that are copied out of a video packet by packet, without being encoded again."""

from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import count
from pathlib import Path

import numpy as np

from transforms.disk import is_full
from transforms.tables.reasons import Rejected
from transforms.videos.container import line, open_video, video_stream
from transforms.videos.index import NO_STAMP, FrameIndex, file_index, packets

# Seconds by which sound may lie before its picture in a file, as FFmpeg writes it; more costs a second reading.
_APART = 10
_PLAIN = {"fflags": "+bitexact"}  # no dates, no random names: the same clip, the same bytes


@dataclass(frozen=True, slots=True)
class Copied:
    """What a copied clip really holds: frames `first` to before `end` of the source, and their times in seconds."""

    first: int
    end: int
    start: float
    stop: float


@dataclass(frozen=True, slots=True)
class _Part:
    """What to copy: the packets of these places, the place of the one that is shown first, and so many seconds."""

    places: frozenset[int]
    first: int
    seconds: float


def copy_span(source: str, start: float, stop: float, path: str) -> Copied:
    """Copy picture and sound from `start` to `stop` (seconds) without encoding; says what the file really holds.

    Cuts fall on key frames: the last one at or before `start`, and the first at or after `stop`. The suffix of `path`
    chooses the container: .mkv holds nearly every codec. Rejected `broken_video` where that container cannot hold the
    streams or the source has no times to copy.
    """
    import av

    index = file_index(source)
    first, end = _whole_groups(index, start, stop)
    held = np.flatnonzero((index.packets >= first) & (index.packets < end) & (index.starts >= first))
    if (index.stamps[index.packets[held]] == NO_STAMP).any():
        raise Rejected("broken_video", "the container has no times of frames to copy; encode the span instead")
    last = int(held[-1])
    stop = float(index.times[last + 1]) if last + 1 < len(index.times) else index.seconds
    start = float(index.times[held[0]])
    part = _Part(frozenset(index.packets[held].tolist()), int(index.packets[held[0]]), stop - start)
    try:
        # from the beginning, if seeking does not lead to where it should
        if not any(_copy(source, path, index, part, entry) for entry in (_entry(index, int(held[0])), 0)):
            raise Rejected("broken_video", "reading it once more gives other packets")
    except (av.FFmpegError, ValueError, OverflowError) as error:
        if is_full(error):
            raise
        raise Rejected("broken_video", f"cannot be copied to {Path(path).suffix}: {line(error)}") from None
    return Copied(int(held[0]), last + 1, start, stop)


def _whole_groups(index: FrameIndex, start: float, stop: float) -> tuple[int, int]:
    """The places of the first packet to copy and of the one after the last, both of key frames."""
    begin = max(0, int(np.searchsorted(index.times, start + 1e-6, side="right")) - 1)
    keys, numbers = np.unique(index.starts, return_index=True)
    first = int(index.starts[begin])
    later = keys[(keys > first) & (numbers >= np.searchsorted(index.times, stop - 1e-6))]
    return first, int(later[0]) if len(later) else len(index.stamps)


def _entry(index: FrameIndex, first: int) -> int:
    """The place of a key frame behind which comes all that belongs to the frame `first`; 0: the file's beginning."""
    before = int(np.searchsorted(index.times, index.times[first] - _APART, side="right")) - 1
    return int(index.starts[before]) if before > 0 and len(index.places) else 0


def _copy(source: str, path: str, index: FrameIndex, part: _Part, entry: int) -> bool:
    """Write the part to `path`, reading from the place `entry` on; whether all of it came."""
    import av

    with open_video(source, audio=True) as container, av.open(path, "w", options=_PLAIN) as out:
        video, audio = video_stream(container), container.streams.best("audio")
        others = [] if audio is None or audio.codec_context is None else [audio]
        copies = {stream.index: out.add_stream_from_template(stream, opaque=True) for stream in (video, *others)}
        begin = int(index.stamps[part.first]) * Fraction(video.time_base or 1)
        end = begin + Fraction(part.seconds)
        if entry:
            with suppress(av.FFmpegError):  # it is read from its beginning then
                container.seek(int(index.seeks[entry]), stream=video)
        left, counted = set(part.places), count()
        sound_comes = not entry or not others  # all of it: some from before the part was read
        goes_on = {stream.index for stream in (video, *others)}  # streams that may still have something
        for packet in packets(container, *others):
            tick, number = Fraction(packet.time_base), packet.stream.index
            if number == video.index:
                place = index.place(packet) if entry else next(counted)
                inside = place in left
                left.discard(-1 if place is None else place)
            else:
                inside = packet.pts is not None and begin <= packet.pts * tick < end
                sound_comes = sound_comes or (packet.pts is not None and packet.pts * tick <= begin)
            if inside:
                shift = round(begin / tick)
                packet.stream = copies[number]
                packet.pts, packet.dts = (None if at is None else at - shift for at in (packet.pts, packet.dts))
                out.mux(packet)
            elif packet.dts is not None and packet.dts * tick >= end:
                goes_on.discard(number)
            if not left and not goes_on:
                break
    return sound_comes and not left
