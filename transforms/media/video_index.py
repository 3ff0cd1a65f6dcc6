"""Which packet is which frame: the index of a video, made by reading its packets without decoding them.

Frames are numbered in the order in which they are shown, from the first key frame on. A packet that the container
marks as not to be shown (edit lists, hidden reference frames) or as damaged is no frame.
"""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from transforms.media.upright import clockwise, display_matrix, is_turned
from transforms.media.video import open_video
from transforms.tables.reasons import Rejected

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame

Integers = np.ndarray[Any, np.dtype[np.int64]]
Floats = np.ndarray[Any, np.dtype[np.float64]]
_NO_STAMP = np.iinfo(np.int64).min
_UNTIMED = frozenset({"avi", "mpegvideo"})  # containers that cannot say in which order frames are shown
_SEEKABLE = frozenset({"mov", "matroska", "avi", "mpeg", "mpegts", "flv"})  # where a packet's position is its own


@dataclass(frozen=True, slots=True, eq=False)
class FrameIndex:
    """Arrays over the frames in the order in which they are shown.

    `packets`: the place of the frame's packet in the file; `starts`: the place of the key frame's packet from which
    decoding leads to the frame; `times`: seconds from the first frame. `places` finds the place of a packet by
    `identity`, and `stamps` has what to seek to, a packet's; both are empty where seeking is of no use.
    """

    packets: Integers
    starts: Integers
    times: Floats
    seconds: float
    places: dict[tuple[int, int], int]
    stamps: Integers


@dataclass(slots=True)
class _Packets:
    """Columns over the packets of the stream, in the file's order."""

    pts: Integers
    dts: Integers
    last: int  # duration of the last one shown, ticks
    key: np.ndarray[Any, np.dtype[np.bool_]]
    shown: np.ndarray[Any, np.dtype[np.bool_]]
    identities: list[tuple[int, int]]


def packets(container: "InputContainer") -> Iterator["Packet[Any]"]:
    """The packets of the chosen stream that have data; ends where the file ends or cannot be read on."""
    import av

    try:
        for packet in container.demux(container.streams.best("video")):
            if packet.size:  # an empty one would end the decoding
                yield packet
    except (av.FFmpegError, ValueError):
        return


def identity(packet: "Packet[Any]") -> tuple[int, int]:
    """What tells a packet from all others of its stream, however it was reached."""
    return packet.pos if packet.pos is not None else -1, packet.size


def decode(container: "InputContainer", packet: "Packet[Any] | None") -> list["VideoFrame"]:
    """What the decoder gives for a packet, or at the end; a packet that it cannot take is left out."""
    import av

    try:
        return list(container.streams.best("video").decode(packet))
    except (av.FFmpegError, ValueError):
        return []


def decode_all(container: "InputContainer") -> Iterator[tuple[int, "VideoFrame"]]:
    """All frames of a container just opened, in the order in which they are shown, with their packets' places."""
    for place, packet in enumerate(chain(packets(container), (None,))):
        if packet is not None:
            packet.opaque = (place,)  # found again by its address: it must be no shared object
        for frame in decode(container, packet):
            if frame.opaque is not None:
                yield frame.opaque[0], frame


def build_index(path: str, max_frames: int) -> FrameIndex:
    """The index of a video file; Rejected `no_frames`, `too_long`, or as `open_video` says.

    Where the packets do not say in which order the frames are shown, all of them are decoded to see it.
    """
    with open_video(path) as container:
        found = _read_packets(container, max_frames)
        order = _order_by_stamps(found)
        if order is None:
            order = _order_by_decoding(path)
        if not len(order):
            raise Rejected("no_frames", f"{len(found.identities)} packets")
        times, seconds = _times(container, found, order)
        seekable = _kind(container) in _SEEKABLE
    rank = np.full(len(found.identities), -1, np.int64)
    rank[order] = np.arange(len(order))
    places = {name: place for place, name in enumerate(found.identities)}
    if not seekable or len(places) < len(found.identities):
        places = {}
    return FrameIndex(order, _starts(order, rank, np.flatnonzero(found.key)), times, seconds, places, found.pts)


def _kind(container: "InputContainer") -> str:
    return container.format.name.split(",")[0]


def _read_packets(container: "InputContainer", max_frames: int) -> _Packets:
    stamps, flags, identities, duration = array("q"), bytearray(), [], 0
    hides = container.streams.best("video").codec_context.name in ("vp8", "libvpx")
    for packet in packets(container):
        if len(identities) >= 2 * max_frames:
            raise Rejected("too_long", f"more than {2 * max_frames} packets")
        hidden = hides and not memoryview(packet)[0] & 0x10  # VP8's show_frame, RFC 6386 section 9.1
        shown = not (hidden or packet.is_discard or packet.is_corrupt)
        flags.append(packet.is_keyframe + 2 * shown)
        stamps.extend(_NO_STAMP if stamp is None else stamp for stamp in (packet.pts, packet.dts))
        identities.append(identity(packet))
        duration = packet.duration or duration
    bits = np.frombuffer(bytes(flags), np.uint8)
    if np.count_nonzero(bits & 2) > max_frames:
        raise Rejected("too_long", f"more than {max_frames} frames")
    pts, dts = np.array(stamps, np.int64).reshape(-1, 2).T
    key = (bits & 1).astype(bool)
    if len(key) and not key.any():
        key[0] = True
    trusted = _kind(container) not in _UNTIMED or not container.streams.best("video").codec_context.has_b_frames
    return _Packets(
        pts if trusted else np.full_like(pts, _NO_STAMP), dts, duration, key, (bits & 2).astype(bool), identities
    )


def _order_by_stamps(found: _Packets) -> Integers | None:
    """The places of the frames' packets in the order in which they are shown, if their stamps say so."""
    shown = np.flatnonzero(found.shown)
    stamps = found.pts[shown]
    if (stamps == _NO_STAMP).any() or len(np.unique(stamps)) < len(stamps):
        return None
    if not len(shown):
        return shown
    first = np.argmax(found.key)
    if found.pts[first] != _NO_STAMP:  # what is shown before the first key frame cannot be decoded
        shown = shown[(shown >= first) & (found.pts[shown] >= found.pts[first])]
    return shown[np.argsort(found.pts[shown], kind="stable")]


def _order_by_decoding(path: str) -> Integers:
    with open_video(path) as container:
        return np.array([place for place, _ in decode_all(container)], np.int64)


def _times(container: "InputContainer", found: _Packets, order: Integers) -> tuple[Floats, float]:
    """Seconds of each frame from the first, and to the end of the last."""
    stream = container.streams.best("video")
    stamps = found.pts[order]
    if (stamps == _NO_STAMP).any():
        stamps = np.sort(found.dts[order])  # decoding keeps pace with showing
    tick = Fraction(stream.time_base)
    last = found.last
    if (stamps == _NO_STAMP).any() or (np.diff(stamps) <= 0).any():
        tick, stamps, last = 1 / Fraction(stream.average_rate or 25), np.arange(len(order)), 1
    if not last:
        last = int(np.median(np.diff(stamps))) if len(stamps) > 1 else round(1 / (25 * tick))
    times = (stamps - stamps[0]) * tick.numerator / tick.denominator
    return times, float((int(stamps[-1] - stamps[0]) + last) * tick)


def _starts(order: Integers, rank: Integers, keys: Integers) -> Integers:
    """For each frame the last key packet that is neither after it in the file nor shown after it."""
    choice = np.searchsorted(keys, order, side="right") - 1
    numbers = np.arange(len(order))
    while (late := (rank[keys[choice]] > numbers) & (choice > 0)).any():
        choice[late] -= 1
    return keys[np.maximum(choice, 0)]


def first_frame(container: "InputContainer") -> tuple[tuple[int, int], int]:
    """(height, width) of the first upright frame, degrees clockwise to make it so; Rejected `no_frames`."""
    for packet in chain(packets(container), (None,)):
        for frame in decode(container, packet):
            matrix = display_matrix(frame)
            shape = (frame.width, frame.height) if is_turned(matrix) else (frame.height, frame.width)
            return shape, clockwise(matrix)
    raise Rejected("no_frames", "nothing decodes")
