"""GIF files: a copy that begins with the first picture, without the extensions before it.

Only one extension is about the pixels: the graphic control, which names a transparent colour (GIF89a, 23).
"""

import re
import struct
from dataclasses import dataclass

_HEADER = 13  # bytes: signature and logical screen
_EXTENSION, _PICTURE = 0x21, 0x2C
_CONTROL = 0xF9
_TRANSPARENT = 0x01  # flag of a graphic control
_HAS_PALETTE = 0x80  # flag of the logical screen
_BLOCK = re.compile(rb"[!,;]")  # what a block begins with; decoders pass over other bytes


@dataclass(frozen=True, slots=True, eq=False)
class Gif:
    """The first picture of a GIF. `file`: the copy to decode; sizes are those of the canvas that it needs, pixels."""

    file: bytes
    width: int
    height: int


def read_gif(data: bytes) -> Gif:
    """The first picture; ValueError, LookupError or struct.error if there is none."""
    screen_width, screen_height, flags = struct.unpack_from("<HHB", data, 6)
    at = palette_end = _HEADER + (3 << (flags & 7) + 1 if flags & _HAS_PALETTE else 0)
    control = b""
    while (found := _BLOCK.search(data, at)) and data[found.start()] != 0x3B:
        at = found.start()
        if data[at] == _PICTURE:
            left, top, width, height = struct.unpack_from("<4H", data, at + 1)
            return Gif(
                file=data[:palette_end] + control + data[at:],
                width=max(screen_width, left + width),
                height=max(screen_height, top + height),
            )
        if data[at + 1] == _CONTROL and data[at + 2] >= 4:
            transparent = data[at + 3] & _TRANSPARENT
            control = bytes([_EXTENSION, _CONTROL, 4, transparent, 0, 0, data[at + 6], 0])
        at += 2
        while data[at]:
            at += 1 + data[at]
        at += 1
    raise ValueError("no picture in the GIF")
