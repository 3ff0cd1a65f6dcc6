"""What an AVI file lacks: a chunk that is cut off, or the index that its header promises.

The layout is that of Microsoft's "AVI RIFF File Reference" and of OpenDML, where further RIFFs follow the first.
"""

import re
import struct
from typing import BinaryIO

_NAME = re.compile(rb"[0-9A-Za-z]{4}|[0-9A-Za-z]{3} ")
_OF_STREAMS = re.compile(rb"[0-9A-Fa-f]{2}(dc|db|wb|pc|tx|iv)|ix[0-9A-Fa-f]{2}|idx1")  # that are missed if they are cut
_UNFINISHED = 0xFFFFFF00  # lengths from here on, and 0, are those of a writer that never came back to fill them in
_FLAGS, _HAS_INDEX = 20, 0x10  # where the header avih has its flags, and the one that says that there is an index
_MOST_CHUNKS = 2_000_000


def missing_of_avi(path: str, size: int) -> int:
    """The bytes that are missing at the end of a file of this size."""
    with open(path, "rb") as file:
        at, head = 0, file.read(12)
        while head[:4] == b"RIFF" and len(head) == 12 and (at == 0 or head[8:] == b"AVIX"):
            length = struct.unpack_from("<I", head, 4)[0]
            end = at + 8 + length
            if not 0 < length < _UNFINISHED or end > size:
                return _lost(file, at, size, end)
            at = end + (length & 1)
            file.seek(at)
            head = file.read(12)
    return 0


def _lost(file: BinaryIO, riff: int, size: int, announced: int) -> int:
    """What a RIFF that begins there lacks, by its chunks one after the other; lists are entered."""
    at, begun, promised, found = riff + 12, False, riff > 0, False
    for _ in range(_MOST_CHUNKS):
        file.seek(at)
        head = file.read(_FLAGS + 1)
        if len(head) < 8 or not _NAME.fullmatch(head, 0, 4):
            break  # the end, or something else behind it
        name, length = struct.unpack_from("<4sI", head)
        if name == b"LIST":
            begun = begun or head[8:12] == b"movi"
            at += 12
            continue
        if name == b"avih":
            promised = len(head) > _FLAGS and bool(head[_FLAGS] & _HAS_INDEX)
        found = found or name == b"idx1"
        end = at + 8 + length
        if end > size:
            if _OF_STREAMS.fullmatch(name):
                return int(end - size)
            break
        at = end + (length & 1)
    if not begun:
        return max(0, announced - size)
    return max(1, announced - size) if promised and not found else 0
