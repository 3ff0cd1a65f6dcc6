"""Whether a video file is all there: containers say how long their parts are, and what was cut off is shorter."""

import os
import struct
from typing import BinaryIO

_MOST_BOXES = 1_000_000  # at the top of a file; a fragmented hour has some thousands
_SEGMENT = 0x18538067  # Matroska's element of everything but the header


def missing_bytes(path: str, container: str) -> int:
    """How many bytes the file lacks, at least, by its container's own word; 0 if none, or if it does not say.

    `container` is FFmpeg's name. MP4 and QuickTime (ISO/IEC 14496-12, 4.2), Matroska (RFC 8794, 6) and AVI say it.
    """
    told = _ENDS.get(container)
    if told is None:
        return 0
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        return max(0, told(file, size) - size)


def _end_of_boxes(file: BinaryIO, size: int) -> int:
    """Where the last box at the top of an MP4 file ends; a box of size 0 goes to the end of the file."""
    at = 0
    for _ in range(_MOST_BOXES):
        if at + 8 > size:
            break
        file.seek(at)
        head = file.read(16)
        length = int.from_bytes(head[:4], "big")
        if length == 1 and len(head) == 16:
            length = int.from_bytes(head[8:], "big")
        if length < 8:
            return 0
        at += length
    return at


def _end_of_segment(file: BinaryIO, size: int) -> int:
    """Where the segment of a Matroska file ends; 0 for a live one, whose size is unknown."""
    at = 0
    for _ in range(8):  # the header, the segment, perhaps some filling between them
        file.seek(at)
        head = file.read(16)
        name, used = _number(head, keep_marker=True)
        length, more = _number(head[used:], keep_marker=False)
        if not used or not more or length == (1 << 7 * more) - 1:
            return 0
        at += used + more + length
        if name == _SEGMENT:
            return at
    return 0


def _number(head: bytes, keep_marker: bool) -> tuple[int, int]:
    """A variable-size integer at the start of these bytes and the bytes it takes; (0, 0) if there is none."""
    width = 9 - head[0].bit_length() if head else 9
    if width > 8 or len(head) < width:
        return 0, 0
    value = int.from_bytes(head[:width], "big")
    return value if keep_marker else value & ~(1 << 7 * width), width


def _end_of_riffs(file: BinaryIO, size: int) -> int:
    """Where the first RIFF chunk of an AVI file ends; 0 where its writer never came back to fill the size in."""
    head = file.read(8)
    length = struct.unpack("<4sI", head)[1] if len(head) == 8 else 0
    return length + 8 if length else 0


_ENDS = {"mov": _end_of_boxes, "matroska": _end_of_segment, "avi": _end_of_riffs}
