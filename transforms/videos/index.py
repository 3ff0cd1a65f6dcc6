"""Which packet is which frame: the index of a video, made by reading its packets without decoding them.

Frames are numbered in the order in which they are shown, from the first key frame on. A packet that the container
marks as not to be shown (edit lists, hidden reference frames), as damaged or as encrypted is no frame.
"""

import os
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

import numpy as np

from transforms.tables.reasons import Rejected
from transforms.videos.container import container_kind, open_video, shown_size, video_stream
from transforms.videos.upright import clockwise, display_matrix, is_turned

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.stream import Stream
    from av.video.frame import VideoFrame

Integers = np.ndarray[Any, np.dtype[np.int64]]
Floats = np.ndarray[Any, np.dtype[np.float64]]
NO_STAMP = np.iinfo(np.int64).min  # where a packet has no time
MAX_FRAMES = 10_000_000  # of a file that was never probed
_UNTIMED = frozenset({"avi", "mpegvideo"})  # containers that cannot say in which order frames are shown
_SEEKABLE = frozenset({"mov", "matroska", "avi", "mpeg", "mpegts", "flv"})  # where a packet's position is its own
ANIMATED = frozenset({"gif", "apng"})  # each picture is drawn over the one before, whatever its flags say
_REORDERED = 64  # packets, more than any codec holds back before it shows its first frame


@dataclass(frozen=True, slots=True, eq=False)
class FrameIndex:
    """Arrays over the frames in the order in which they are shown.

    `packets`: the place of the frame's packet in the file; `starts`: the place of the key frame's packet from which
    decoding leads to the frame; `times`: seconds from the first frame. Arrays over the packets: `numbers`, of their
    frames or -1; `stamps`, when they are shown, in ticks of the file's clock or NO_STAMP; `seeks`, what to seek to.
    `names` are the identities of the packets, sorted, and `places` their places; empty where seeking is of no use.
    """

    packets: Integers
    starts: Integers
    times: Floats
    seconds: float
    numbers: Integers
    stamps: Integers
    seeks: Integers
    names: Integers
    places: Integers

    def place(self, packet: "Packet[Any]") -> int | None:
        """The place of a packet of the file, however it was reached; None if it is not recognised."""
        at = int(np.searchsorted(self.names, identity(packet)))
        return int(self.places[at]) if at < len(self.names) and self.names[at] == identity(packet) else None


@dataclass(slots=True)
class _Packets:
    """Columns over the packets of the stream, in the file's order."""

    pts: Integers
    dts: Integers
    last: int  # duration of the last one shown, ticks
    key: np.ndarray[Any, np.dtype[np.bool_]]
    shown: np.ndarray[Any, np.dtype[np.bool_]]
    identities: Integers


def packets(container: "InputContainer", *others: "Stream") -> Iterator["Packet[Any]"]:
    """The packets with data of the video stream, and of the others; ends where the file ends or cannot be read on."""
    import av

    # named here, since a generator may end with the process; the last where streams turn up that the header had not
    broken = (av.FFmpegError, ValueError, IndexError)
    try:
        for packet in container.demux((video_stream(container), *others)):
            if packet.size:  # an empty one would end the decoding
                yield packet
    except broken:
        return


def identity(packet: "Packet[Any]") -> int:
    """What tells a packet from all others of its stream: where it begins in the file, and its size."""
    position = packet.pos if packet.pos is not None else -1
    return (position & 0x7F_FFFF_FFFF) << 24 | packet.size & 0xFF_FFFF


def mark(packet: "Packet[Any]", place: int) -> None:
    """Have the decoder pass on the packet's place to the frame that comes of it."""
    packet.opaque = (place,)  # PyAV finds it again by its address: it must be no object that others have too


def place_of(frame: "VideoFrame") -> int | None:
    """The place of the packet that a frame comes of."""
    opaque: Any = frame.opaque
    return None if opaque is None else int(opaque[0])


def decode(container: "InputContainer", packet: "Packet[Any] | None") -> list["VideoFrame"]:
    """What the decoder gives for a packet, or at the end; a packet that it cannot take is left out."""
    import av

    try:
        return list(video_stream(container).decode(packet))
    except (av.FFmpegError, ValueError):
        return []


def decode_all(container: "InputContainer") -> Iterator[tuple[int, "VideoFrame"]]:
    """All frames of a container just opened, in the order in which they are shown, with their packets' places."""
    for place, packet in enumerate(chain(packets(container), (None,))):
        if packet is not None:
            mark(packet, place)
        for frame in decode(container, packet):
            if (found := place_of(frame)) is not None:
                yield found, frame


def file_index(path: str) -> FrameIndex:
    """The index of a video file that was probed once; those of the files asked for last are kept.

    Errors are those of `build_index`.
    """
    state = os.stat(path)
    return _file_index(path, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=4)
def _file_index(path: str, _size: int, _changed: int) -> FrameIndex:
    return build_index(path, MAX_FRAMES)


def build_index(path: str, max_frames: int) -> FrameIndex:
    """The index of a video file; Rejected `no_frames`, `too_long`, or as `open_video` says.

    Where the packets do not say in which order the frames are shown, all of them are decoded to see it.
    """
    with open_video(path) as container:
        found = _read_packets(packets(container), container, max_frames)
        order = _order_by_stamps(found)
        if order is None:
            order = _order_by_decoding(path)
        if not len(order):
            raise Rejected("no_frames", f"{len(found.identities)} packets")
        times, seconds = _times(container, found, order)
        seekable = container_kind(container) in _SEEKABLE
        by_dts = container_kind(container) != "matroska" and not (found.dts == NO_STAMP).any()
    numbers = np.full(len(found.identities), -1, np.int64)
    numbers[order] = np.arange(len(order))
    starts = _starts(order, numbers, np.flatnonzero(found.key))
    places = np.argsort(found.identities, kind="stable")
    names = found.identities[places]
    if not seekable or (np.diff(names) == 0).any():
        names, places = names[:0], places[:0]
    seeks = found.dts if by_dts else found.pts
    return FrameIndex(order, starts, times, seconds, numbers, found.pts, seeks, names, places)


def _read_packets(read: Iterable["Packet[Any]"], container: "InputContainer", max_frames: int) -> _Packets:
    stamps, identities, flags, duration = array("q"), array("q"), bytearray(), 0
    hides = video_stream(container).codec_context.name in ("vp8", "libvpx")
    for packet in read:
        if len(identities) >= 2 * max_frames:
            raise Rejected("too_long", f"more than {2 * max_frames} packets")
        hidden = hides and not memoryview(packet)[0] & 0x10  # VP8's show_frame, RFC 6386 section 9.1
        shown = not (hidden or packet.is_discard or packet.is_corrupt or packet.has_sidedata("encryption_info"))
        flags.append(packet.is_keyframe + 2 * shown)
        stamps.extend(NO_STAMP if stamp is None else stamp for stamp in (packet.pts, packet.dts))
        identities.append(identity(packet))
        duration = packet.duration or duration
    bits = np.frombuffer(bytes(flags), np.uint8)
    if np.count_nonzero(bits & 2) > max_frames:
        raise Rejected("too_long", f"more than {max_frames} frames")
    pts, dts = np.array(stamps, np.int64).reshape(-1, 2).T
    key = (bits & 1).astype(bool)
    if container_kind(container) in ANIMATED:
        key[1:] = False
    if len(key) and not key.any():
        key[0] = True
    trusted = container_kind(container) not in _UNTIMED or not video_stream(container).codec_context.has_b_frames
    if not trusted:
        pts = np.full_like(pts, NO_STAMP)
    return _Packets(pts, dts, duration, key, (bits & 2).astype(bool), np.array(identities, np.int64))


def _order_by_stamps(found: _Packets) -> Integers | None:
    """The places of the frames' packets in the order in which they are shown, if their stamps say so."""
    shown = np.flatnonzero(found.shown)
    stamps = found.pts[shown]
    if (stamps == NO_STAMP).any() or len(np.unique(stamps)) < len(stamps):
        return None
    if not len(shown):
        return shown
    first = np.argmax(found.key)
    if found.pts[first] != NO_STAMP:  # what is shown before the first key frame cannot be decoded
        shown = shown[(shown >= first) & (found.pts[shown] >= found.pts[first])]
    return shown[np.argsort(found.pts[shown], kind="stable")]


def _order_by_decoding(path: str) -> Integers:
    with open_video(path) as container:
        return np.array(list(dict.fromkeys(place for place, _ in decode_all(container))), np.int64)


def first_time(path: str) -> Fraction:
    """Seconds of the file's own clock at which its first frame is shown; 0 where the container does not say."""
    with open_video(path) as container:
        found = _read_packets(islice(packets(container), _REORDERED), container, _REORDERED)
        order = _order_by_stamps(found)
        if order is None or not len(order):
            return Fraction(0)
        return int(found.pts[order[0]]) * _tick(container)


def _tick(container: "InputContainer") -> Fraction:
    return Fraction(video_stream(container).time_base or 1)


def _times(container: "InputContainer", found: _Packets, order: Integers) -> tuple[Floats, float]:
    """Seconds of each frame from the first, and to the end of the last."""
    stamps, tick, last = found.pts[order], _tick(container), found.last
    if (stamps == NO_STAMP).any():
        stamps = np.sort(found.dts[order])  # decoding keeps pace with showing
    if (stamps == NO_STAMP).any() or (np.diff(stamps) <= 0).any():
        rate = video_stream(container).average_rate or Fraction(25)
        tick, stamps, last = 1 / rate, np.arange(len(order)), 1
    if not last:
        last = int(np.median(np.diff(stamps))) if len(stamps) > 1 else round(1 / (25 * tick))
    times = (stamps - stamps[0]) * float(tick.numerator) / tick.denominator
    return times, float((int(stamps[-1]) - int(stamps[0]) + last) * tick)


def _starts(order: Integers, numbers: Integers, keys: Integers) -> Integers:
    """For each frame the last key packet that is neither after it in the file nor shown after it."""
    choice = np.searchsorted(keys, order, side="right") - 1
    while (late := (numbers[keys[choice]] > np.arange(len(order))) & (choice > 0)).any():
        choice[late] -= 1
    return keys[np.maximum(choice, 0)]


def first_frame(container: "InputContainer") -> tuple[tuple[int, int], int]:
    """(height, width) of the first upright frame, degrees clockwise to make it so; Rejected `no_frames`."""
    for packet in chain(packets(container), (None,)):
        for frame in decode(container, packet):
            matrix = display_matrix(frame)
            width, height = shown_size(video_stream(container), frame.width, frame.height)
            return (width, height) if is_turned(matrix) else (height, width), clockwise(matrix)
    raise Rejected("no_frames", "nothing decodes")
