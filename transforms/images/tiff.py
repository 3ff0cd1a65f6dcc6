"""TIFF files: their directory of tags, and a copy with a directory that holds nothing but what the pixels need.

Everything else in a TIFF (descriptions, EXIF, GPS, XMP, maker's notes) can be malformed in more ways than decoders
forgive. It is left out; orientation and colour profile are read here.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

_ORIENTATION = 274
_PHOTOMETRIC, _PROFILE = 262, 34675
_BITS, _SAMPLE_FORMAT = 258, 339
_TILE_WIDTH, _TILE_LENGTH = 322, 323
# what libtiff needs to decode: sizes, bits, compression, colour model, strips and tiles, palettes, extra samples, fax
# options, predictor, JPEG tables, YCbCr, LERC (TIFF 6.0; TIFF Technical Notes 1 and 2)
_NEEDED = frozenset(
    {256, 257, _BITS, 259, _PHOTOMETRIC, 266, 273, 277, 278, 279, 284, 292, 293, 317, 320, _TILE_WIDTH, _TILE_LENGTH}
    | {324, 325, 326, 327, 328, 332, 334, 338, _SAMPLE_FORMAT, 347, *range(512, 522), *range(529, 533), 50674}
)
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_WHOLE = {1: "B", 3: "H", 4: "I", 16: "Q"}  # types of whole numbers, for struct
_WHITE_IS_ZERO, _BLACK_IS_ZERO = 0, 1
_SIGNED = 2  # sample format


class Tag(NamedTuple):
    """An entry of a directory: its number, type, number of values, and the file's bytes that hold them."""

    number: int
    kind: int
    values: int
    at: int  # of the entry's field for value or offset
    start: int  # of the values
    size: int


@dataclass(frozen=True, slots=True, eq=False)
class Tiff:
    """What a TIFF says of its first picture.

    `file`: the copy to decode. `orientation`: 1 to 8. `bits`: of a sample. `inverted`: white is 0 and the decoder does
    not know: grey of more than 8 bits. `signed`: samples are signed integers. `tile`: its width and height, pixels.
    """

    file: bytes
    orientation: int
    profile: bytes
    bits: int
    inverted: bool
    signed: bool
    tile: tuple[int, int]


def orientation_of(data: bytes) -> int:
    """The orientation, 1 to 8, in a TIFF directory, which is what an EXIF block is; 1 where it says nothing.

    As browsers do, only a single value of the type that the standard names counts (EXIF 2.32, 4.6.4).
    """
    try:
        order, big, at = _head(data)
        for tag in _tags(data, order, big, at):
            if tag.number == _ORIENTATION and (tag.kind, tag.values) == (3, 1):
                value: int = struct.unpack_from(order + "H", data, tag.start)[0]
                return value if 1 <= value <= 8 else 1
    except (struct.error, ValueError):
        pass
    return 1


def read_tiff(data: bytes) -> Tiff:
    """What the file says of its first picture; ValueError or struct.error where its directory cannot be read."""
    order, big, at = _head(data)
    tags: dict[int, Tag] = {}
    for tag in _tags(data, order, big, at):
        tags.setdefault(tag.number, tag)
    bits = _first(data, order, tags.get(_BITS), 1)
    inverted = bits > 8 and _first(data, order, tags.get(_PHOTOMETRIC), _BLACK_IS_ZERO) == _WHITE_IS_ZERO
    profile = tags.get(_PROFILE)
    return Tiff(
        file=_only_needed(data, order, big, tags, inverted),
        orientation=orientation_of(data),
        profile=data[profile.start : profile.start + profile.size] if profile else b"",
        bits=bits,
        inverted=inverted,
        signed=_first(data, order, tags.get(_SAMPLE_FORMAT), 1) == _SIGNED,
        tile=(_first(data, order, tags.get(_TILE_WIDTH), 0), _first(data, order, tags.get(_TILE_LENGTH), 0)),
    )


def _head(data: bytes) -> tuple[str, bool, int]:
    """Byte order for struct, whether offsets have 64 bits (BigTIFF), and where the first directory is."""
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None:
        raise ValueError("no TIFF header")
    version = struct.unpack_from(order + "H", data, 2)[0]
    if version == 43:
        return order, True, struct.unpack_from(order + "Q", data, 8)[0]
    return order, False, struct.unpack_from(order + "I", data, 4)[0]


def _tags(data: bytes, order: str, big: bool, directory: int) -> Iterator[Tag]:
    """The entries of the directory there, without those of unknown types and those that point out of the file."""
    if directory > len(data):
        raise ValueError("the directory lies outside the file")
    count = struct.unpack_from(order + ("Q" if big else "H"), data, directory)[0]
    start = directory + (8 if big else 2)
    room, length = (8, 20) if big else (4, 12)
    for at in range(start, min(start + count * length, len(data) - length + 1), length):
        number, kind, values = struct.unpack_from(order + ("HHQ" if big else "HHI"), data, at)
        size = values * _SIZES.get(kind, 0)
        field = at + length - room
        values_at = field if size <= room else struct.unpack_from(order + ("Q" if big else "I"), data, field)[0]
        if size and values_at + size <= len(data):
            yield Tag(number, kind, values, field, values_at, size)


def _first(data: bytes, order: str, tag: Tag | None, default: int) -> int:
    """The first value of a tag of whole numbers."""
    if tag is None or tag.kind not in _WHOLE:
        return default
    value: int = struct.unpack_from(order + _WHOLE[tag.kind], data, tag.start)[0]
    return value


def _only_needed(data: bytes, order: str, big: bool, tags: dict[int, Tag], inverted: bool) -> bytes:
    """The file with a new directory behind it, and the header pointing there. No offset in the file changes."""
    entries = []
    for number in sorted(_NEEDED & tags.keys()):
        tag = tags[number]
        length = 20 if big else 12
        room = 8 if big else 4
        entry = data[tag.at + room - length : tag.at + room]
        if inverted and number == _PHOTOMETRIC:
            entry = struct.pack(order + ("HHQHHHH" if big else "HHIHH"), number, 3, 1, _BLACK_IS_ZERO, 0, *(0, 0) * big)
        entries.append(entry)
    padding = b"\0" * (len(data) % 2)
    at = len(data) + len(padding)
    if big:
        head = data[:8] + struct.pack(order + "Q", at)
        count, end = struct.pack(order + "Q", len(entries)), bytes(8)
    else:
        head = data[:4] + struct.pack(order + "I", at)
        count, end = struct.pack(order + "H", len(entries)), bytes(4)
    return b"".join((head, data[len(head) :], padding, count, *entries, end))
