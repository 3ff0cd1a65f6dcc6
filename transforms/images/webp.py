"""WebP files: a copy with nothing but the first picture, and the colour profile and EXIF that stand beside it.

Lengths in the container are believed only where they agree with the file: writers to pipes leave them unset, and what
follows the picture may be cut off.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

_HEADER = 12  # bytes: RIFF, the length, WEBP
_ANIMATED, _ALPHA = 0x02, 0x10  # flags of VP8X
_LARGE = b"VP8X"


@dataclass(frozen=True, slots=True, eq=False)
class Webp:
    """What a WebP's chunks say. `file`: the copy to decode. `sound`: the container's lengths are right."""

    file: bytes
    width: int
    height: int
    profile: bytes
    exif: bytes
    sound: bool


def read_webp(data: bytes) -> Webp:
    """The chunks of a WebP; ValueError if none of them says how large the picture is."""
    said: dict[bytes, bytes] = {}
    kept: list[tuple[bytes, bytes]] = []
    end = _HEADER
    for name, body, end in _chunks(data):  # noqa: B007 - the last end is what is used
        said.setdefault(name, body)
        if name in (_LARGE, b"ALPH", b"VP8 ", b"VP8L", b"ANIM", b"ANMF") and body is said[name]:
            kept.append((name, body))
    width, height = _size(said)
    if _LARGE in said:
        flags = said[_LARGE][0] & (_ANIMATED | _ALPHA)
        kept = [(name, bytes([flags]) + body[1:] if name == _LARGE else body) for name, body in kept]
    return Webp(
        file=_riff(kept),
        width=width,
        height=height,
        profile=said.get(b"ICCP", b""),
        exif=said.get(b"EXIF", b""),
        sound=int.from_bytes(data[4:8], "little") + 8 == end <= len(data),
    )


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes, int]]:
    """Name, content and end of each chunk; of the last one what there is."""
    at = _HEADER
    while at + 8 <= len(data):
        name, length = struct.unpack_from("<4sI", data, at)
        end = at + 8 + length + length % 2
        yield name, data[at + 8 : at + 8 + length], end
        at = end


def _size(said: dict[bytes, bytes]) -> tuple[int, int]:
    """Width and height of the canvas, or of the only frame (RFC 9649, 2.7, 2.5, 3.4; RFC 6386, 9.1)."""
    if len(body := said.get(_LARGE, b"")) >= 10:
        return int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1
    if len(body := said.get(b"VP8L", b"")) >= 5:
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if len(body := said.get(b"VP8 ", b"")) >= 10:
        width, height = struct.unpack_from("<HH", body, 6)
        return width & 0x3FFF, height & 0x3FFF
    raise ValueError("no picture in the WebP container")


def _riff(chunks: list[tuple[bytes, bytes]]) -> bytes:
    packed = b"".join(name + struct.pack("<I", len(body)) + body + bytes(len(body) % 2) for name, body in chunks)
    return b"RIFF" + struct.pack("<I", 4 + len(packed)) + b"WEBP" + packed
