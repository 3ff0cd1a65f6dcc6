"""What a Matroska or WebM file lacks: elements that are cut off, or that it lists and has not (RFC 9559, RFC 8794)."""

from collections.abc import Iterator
from typing import BinaryIO

_SEGMENT = 0x18538067  # all of the file but its header
_SEEK_HEAD, _SEEK, _SEEK_POSITION = 0x114D9B74, 0x4DBB, 0x53AC
_MOST_ELEMENTS = 1_000_000  # at the top of a segment; an hour has some thousands
_MOST_HEAD = 65_536  # bytes of a list of elements
_Element = tuple[int, int, int]  # its id, where its content begins, and where it ends or -1 if that is unknown


def missing_of_matroska(path: str, size: int) -> int:
    """The bytes that are missing at the end of a file of this size; 0 for a live one, whose segment has no size.

    A segment that announces more than there is may be wrong: it is if all its elements are whole, and all those that
    it lists are there.
    """
    with open(path, "rb") as file:
        # the header, the segment, perhaps some filling between them
        for name, begin, end in _elements(file, 0, size, 8):
            if name == _SEGMENT:
                return end - size if end > size and _is_cut(file, begin, size) else 0
    return 0


def _is_cut(file: BinaryIO, begin: int, size: int) -> bool:
    promised, last = 0, begin
    for name, start, end in _elements(file, begin, size, _MOST_ELEMENTS):
        if end < 0 or end > size:
            return True
        if name == _SEEK_HEAD:
            file.seek(start)
            places = _seek_positions(file.read(min(end - start, _MOST_HEAD)))
            promised = max([promised, *(begin + place for place in places)])
        last = end
    return not promised or promised >= size or last != size


def _seek_positions(head: bytes) -> Iterator[int]:
    """The places, from the segment's beginning, of the elements that a SeekHead lists."""
    at = 0
    while at < len(head):
        name, used = _number(head[at : at + 8], keep_marker=True)
        length, more = _number(head[at + used : at + used + 8], keep_marker=False)
        if not used or not more:
            return
        at += used + more
        if name == _SEEK_POSITION:
            yield int.from_bytes(head[at : at + length], "big")
        if name != _SEEK:  # which is entered
            at += length


def _elements(file: BinaryIO, at: int, size: int, most: int) -> Iterator[_Element]:
    """The elements that begin in the file from a place on, so many at most; ends behind one of unknown size."""
    for _ in range(most):
        if not 0 <= at < size:
            return
        file.seek(at)
        head = file.read(16)
        name, used = _number(head, keep_marker=True)
        length, more = _number(head[used:], keep_marker=False)
        if not used or not more:
            return
        begin = at + used + more
        at = -1 if length == (1 << 7 * more) - 1 else begin + length
        yield name, begin, at


def _number(head: bytes, keep_marker: bool) -> tuple[int, int]:
    """A variable-size integer at the start of these bytes and the bytes it takes; (0, 0) if there is none."""
    width = 9 - head[0].bit_length() if head else 9
    if width > 8 or len(head) < width:
        return 0, 0
    value = int.from_bytes(head[:width], "big")
    return value if keep_marker else value & ~(1 << 7 * width), width
