"""What an MP4 or QuickTime file lacks: samples that its index places beyond its end (ISO/IEC 14496-12)."""

from collections.abc import Iterator
from typing import BinaryIO

from transforms.tables.reasons import Rejected
from transforms.videos.container import open_video
from transforms.videos.index import packets

_MOST_BOXES = 1_000_000  # at the top of a file; a fragmented hour has some thousands
_INDEXES = (b"moov", b"moof")
_Box = tuple[bytes, int]  # its name, and where it ends by its own word


def missing_of_mov(path: str, size: int) -> int:
    """The bytes that are missing at the end of a file of this size."""
    with open(path, "rb") as file:
        boxes = list(_boxes(file, size))
    names = [name for name, _ in boxes]
    last, end = boxes[-1] if boxes else (b"", 0)
    lost = max(0, end - size)
    if last == b"moov" and b"moov" in names[:-1]:
        return 0  # the first is the one that counts: another file lies behind this one
    if last in _INDEXES or (last == b"mdat" and b"moov" not in names):
        return lost
    grows = b"moof" in names and last == b"mdat" and end >= size
    return max(0, _promised_end(path, grows) - size)


def _boxes(file: BinaryIO, size: int) -> Iterator[_Box]:
    """The boxes at the top of the file; one of size 0 goes to the file's end."""
    at = 0
    for _ in range(_MOST_BOXES):
        if at >= size:
            return
        file.seek(at)
        head = file.read(16)
        length = int.from_bytes(head[:4], "big")
        if length == 1 and len(head) == 16:
            length = int.from_bytes(head[8:], "big")
        elif length == 0:
            length = size - at
        if len(head) < 8 or length < 8:
            return
        at += length
        yield head[4:8], at


def _promised_end(path: str, fragments: bool) -> int:
    """Where the last sample of any track ends by the index; `fragments`: the index comes piece by piece."""
    try:
        with open_video(path, audio=True) as container:
            if fragments:
                for _ in packets(container):
                    pass
            return max((e.pos + e.size for stream in container.streams for e in stream.index_entries), default=0)
    except Rejected:
        return 0
