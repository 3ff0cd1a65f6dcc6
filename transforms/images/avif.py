"""AVIF files: a copy whose metadata the decoder passes over, and the colour space that the container names.

The copy differs in a few bytes only, none of them moved: offsets in the file stay right.
"""

import re
import struct

from transforms.images.light import Light, by_codes

# an item's entry, versions 2 and 3 (ISO/IEC 14496-12, 8.11.6), whose type is EXIF: which does not turn an AVIF
_EXIF_ITEM = re.compile(rb"(infe\x02...(?:.{2}).{2}|infe\x03...(?:.{4}).{2})Exif", re.DOTALL)


def only_pixels(data: bytes) -> bytes:
    """The file under its own brand, with EXIF items as items of an unknown type."""
    end = _end_of_meta(data)
    meta = _EXIF_ITEM.sub(rb"\1none", data[12:end])
    return data[:8] + b"avif" + meta + data[end:]


def light_of(data: bytes) -> Light | None:
    """The colour space of the first `colr` box that has one by numbers (nclx); None where there is none."""
    at = data.find(b"colrnclx", 0, _end_of_meta(data))
    if at < 0 or at + 12 > len(data):
        return None
    return by_codes(*struct.unpack_from(">HH", data, at + 8))


def _end_of_meta(data: bytes) -> int:
    """Where the box `meta` ends, which says what is in the file; of boxes in a row from the beginning."""
    at = 0
    while at + 8 <= len(data):
        length, name = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        if name == b"meta":
            return min(at + length, len(data))
        if length < 8:
            break
        at += length
    return 12
