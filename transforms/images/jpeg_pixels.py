"""Pixels of JPEG files by libjpeg-turbo, whose warnings tell whether a picture is whole.

A decoder fills what it lacks with grey and says so in a warning. Nothing of a picture may be missing here: not its
lower half, not the finer scans of a progressive one. What does no harm is not held against it: a missing end marker
behind the last block, odd headers, filling, whatever follows the picture.
"""

import re
from typing import Literal

import numpy as np
import simplejpeg

from model_handlers.interface import Pixels
from transforms.images.jpeg import MAX_SCANS, Jpeg, follow_scans, only_pixels, read_jpeg
from transforms.tables.reasons import Rejected

Channels = Literal["RGB", "GRAY", "CMYK"]
_DEPTH = {"RGB": 3, "GRAY": 1, "CMYK": 4}
# Bytes that the last scan had no use for. A few are padding of encoders. If they are many the decoder had lost its
# place: they were part of the picture.
_LEFT_OVER = re.compile(r"(\d+) extraneous bytes before marker 0xd9")
_LEFT_OVER_SHARE = 0.01  # of the file
_LEFT_OVER_BYTES = 64


def decode_jpeg(data: bytes, jpeg: Jpeg, channels: Channels, scale: int = 1) -> tuple[Pixels, bool]:
    """Pixels (H,W,C) uint8, at 1/`scale` (1, 2, 4 or 8), and whether the decoder had nothing to complain of.

    Rejected `broken_image` if something of the picture is missing or damaged. CMYK comes as it is stored.
    """
    try:
        return _decode(data, jpeg, channels, scale), True
    except ValueError as complaint:
        first = str(complaint)
    try:
        cleaned = only_pixels(data, jpeg if jpeg.start else read_jpeg(data))
    except ValueError:
        raise Rejected("broken_image", first) from None
    try:
        return _decode(cleaned, jpeg, channels, scale), False
    except ValueError as complaint:
        left_over = _LEFT_OVER.search(str(complaint))
        if left_over is None or int(left_over[1]) > max(_LEFT_OVER_BYTES, _LEFT_OVER_SHARE * len(data)):
            raise Rejected("broken_image", str(complaint)) from None
    try:
        return _decode(cleaned, jpeg, channels, scale, strict=False), False
    except ValueError as complaint:
        raise Rejected("broken_image", str(complaint)) from None


def check_scans(data: bytes, jpeg: Jpeg) -> None:
    """Rejected `broken_image` if a JPEG of several scans has too many, or lacks some: decoders do not miss those."""
    scans = follow_scans(data, jpeg)
    if scans.count > MAX_SCANS:
        raise Rejected("broken_image", f"more than {MAX_SCANS} scans")
    if not scans.complete:
        raise Rejected("broken_image", f"the last of its scans are missing, {scans.count} are there")


def _decode(data: bytes, jpeg: Jpeg, channels: Channels, scale: int, strict: bool = True) -> Pixels:
    """ValueError is the decoder's; with `strict` its warnings are errors."""
    height, width = -(-jpeg.height // scale), -(-jpeg.width // scale)
    # the size is the one that was checked against the caps: a decoder that reads another one finds no room
    room = np.empty((height, width, _DEPTH[channels]), np.uint8)
    least = (height, width) if scale > 1 else (0, 0)
    pixels: Pixels = simplejpeg.decode_jpeg(
        data, channels, min_height=least[0], min_width=least[1], min_factor=scale, buffer=room, strict=strict
    )
    if pixels.shape != room.shape:
        raise ValueError(f"the header says {room.shape}, the decoder {pixels.shape}")
    return pixels
