"""The markers of JPEG files (ITU-T T.81, annex B): what the header says, how many scans follow, what pixels need.

`plain_jpeg` knows most of what the web serves and costs little; `read_jpeg` knows the rest.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

MAX_SCANS = 200  # each costs a pass over all pixels, and no encoder makes a tenth of them
_MAX_SEGMENTS = 10_000  # before and behind the first scan; a step of Python each, and real files have a few dozen
_FILLING = 16  # zeros behind the coded data that are no data any more
_SOS, _EOI = 0xDA, 0xD9
_BASELINE = frozenset({0xC0, 0xC1})  # frames of sequential Huffman coding
_PROGRESSIVE = frozenset({0xC2, 0xCA})
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_TABLES = frozenset({0xDB, 0xC4, 0xCC, 0xDD})  # quantisation, Huffman and arithmetic tables, restart interval
# APP0 (JFIF), tables, comment: segments that change nothing here. Any other (EXIF, ICC, Adobe, ...) is for `read_jpeg`.
_HARMLESS = frozenset({0xE0, 0xDB, 0xC4, 0xDD, 0xFE})
_APP0, _APP1, _APP2, _APP14 = 0xE0, 0xE1, 0xE2, 0xEE
_JFIF = b"\xff\xe0\x00\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0"
# a marker among coded data: FF 00 is a byte of that data, FF D0 to FF D7 are restarts, FF FF is filling
_IN_DATA = re.compile(rb"\xff([^\x00\xd0-\xd7\xff])")


@dataclass(frozen=True, slots=True, eq=False)
class Jpeg:
    """What a JPEG's header says of its pixels.

    `adobe`: the colour transform that an Adobe marker names. `one_scan`: the first scan brings all. `start`: of that
    scan's marker, 0 where nobody asked.
    """

    width: int
    height: int
    components: int = 3
    progressive: bool = False
    one_scan: bool = True
    adobe: int | None = None
    exif: bytes = b""
    icc: bytes = b""
    start: int = 0


class Segment(NamedTuple):
    """A marker's second byte, and where what follows its length lies."""

    marker: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Scans:
    """The scans of a JPEG: where its data end, and whether all coefficients of all components were announced."""

    count: int
    end: int
    complete: bool


def plain_jpeg(data: bytes) -> Jpeg | None:
    """A sequential 8-bit JPEG of one scan, grey or colour, that says nothing of orientation or colour space.

    None for every other file, damaged ones too.
    """
    found = None
    at = 2  # behind the start of the image
    while at + 10 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == _SOS:
            return found if found and data[at + 4] == found.components else None
        if marker in _BASELINE and found is None:
            if data[at + 4] != 8 or data[at + 9] not in (1, 3):
                return None
            found = Jpeg(data[at + 7] << 8 | data[at + 8], data[at + 5] << 8 | data[at + 6], data[at + 9])
        elif marker not in _HARMLESS:
            return None
        at += 2 + (data[at + 2] << 8 | data[at + 3])
    return None


def read_jpeg(data: bytes) -> Jpeg:
    """The header of any JPEG; ValueError where there is none. Metadata that cannot be read are as none."""
    frame: Segment | None = None
    adobe, exif = None, b""
    profile: dict[int, bytes] = {}
    for marker, start, end in _header(data):
        body = data[start : min(end, start + 14)]
        if marker in _FRAMES and frame is None and len(body) >= 6:
            frame = Segment(marker, start, end)
        elif marker == _APP1 and body.startswith(b"Exif\0") and not exif:
            exif = data[start:end]
        elif marker == _APP2 and body.startswith(b"ICC_PROFILE\0") and len(body) == 14:
            profile[body[12]] = data[start + 14 : end]
        elif marker == _APP14 and body.startswith(b"Adobe") and len(body) >= 12:
            adobe = body[11]
        elif marker == _SOS and frame is not None:
            size = data[frame.start : frame.start + 6]
            progressive = frame.marker in _PROGRESSIVE
            return Jpeg(
                width=size[3] << 8 | size[4],
                height=size[1] << 8 | size[2],
                components=size[5],
                progressive=progressive,
                one_scan=not progressive and body[:1] == size[5:6],
                adobe=adobe,
                exif=exif,
                icc=b"".join(part for _, part in sorted(profile.items())),
                start=start - 4,
            )
    raise ValueError("no picture behind the header")


def _header(data: bytes) -> Iterator[Segment]:
    """The segments up to the first scan, found as libjpeg finds them: what is no marker is passed over."""
    at = 2
    for _ in range(_MAX_SEGMENTS):
        at = data.find(b"\xff", at)
        while 0 <= at < len(data) - 1 and data[at + 1] == 0xFF:
            at += 1
        if not 0 <= at < len(data) - 3:
            return
        marker = data[at + 1]
        if marker == _EOI:
            return
        if marker in (0, 1) or 0xD0 <= marker <= 0xD8:  # markers without a segment
            at += 2
            continue
        end = at + 2 + (data[at + 2] << 8 | data[at + 3])
        yield Segment(marker, at + 4, min(end, len(data)))
        if marker == _SOS:
            return
        at = end


def follow_scans(data: bytes, jpeg: Jpeg) -> Scans:
    """Walk through the coded data up to the end marker, or to the file's end; no further than MAX_SCANS + 1 scans.

    What lies behind the end marker (thumbnails, films, other pictures) is not looked at.
    """
    bits_left: dict[int, list[int]] = {}  # by component: of each coefficient, those still to come
    count, at, end = 0, jpeg.start, len(data)
    for _ in range(_MAX_SEGMENTS):
        marker = data[at + 1]
        length = data[at + 2] << 8 | data[at + 3] if at + 4 <= len(data) else 2
        if marker == _SOS:
            count += 1
            _take_scan(data[at + 4 : at + 2 + length], jpeg.progressive, bits_left)
        found = _IN_DATA.search(data, at + 2 + length)
        if found is None or count > MAX_SCANS:
            break
        at = found.start()
        if data[at + 1] == _EOI:
            end = at
            break
    complete = len(bits_left) == jpeg.components and not any(any(left) for left in bits_left.values())
    return Scans(count, end, complete)


def _take_scan(header: bytes, progressive: bool, bits_left: dict[int, list[int]]) -> None:
    """Note what a scan brings: of which components, which coefficients, and down to which bit."""
    if not header or len(header) < 4 + 2 * header[0]:
        return
    components = [header[1 + 2 * n] for n in range(header[0])]
    first, last, shift = header[-3], header[-2], header[-1] & 15
    if not progressive:
        first, last, shift = 0, 63, 0
    for component in components:
        left = bits_left.setdefault(component, [1] * 64)
        for coefficient in range(first, min(last, 63) + 1):
            left[coefficient] = shift


def only_pixels(data: bytes, jpeg: Jpeg) -> bytes:
    """The JPEG without all that makes decoders complain and is not the picture.

    Left out: application data, comments, bytes between segments, filling behind the coded data, what follows the end
    marker. Put in: an end marker, and the one valid choice where a marker's value is none (the JFIF version, Adobe's
    transform, the spectral selection of sequential scans).
    """
    parts = [data[:2]]
    for marker, start, end in _header(data):
        if marker == _APP0 and data[start : start + 5] == b"JFIF\0":
            parts.append(_JFIF)
        elif marker == _APP14 and jpeg.adobe is not None and data[start : start + 5] == b"Adobe":
            transform = jpeg.adobe if jpeg.adobe in (0, 1, 2) else {3: 1, 4: 2}.get(jpeg.components, 0)
            parts.append(b"\xff\xee\x00\x0eAdobe\0\x64\0\0\0\0" + bytes([transform]))
        elif marker in _TABLES or marker in _FRAMES:
            parts.append(data[start - 4 : end])
    scans = bytearray(_without_filling(data[jpeg.start : follow_scans(data, jpeg).end]))
    if not jpeg.progressive and len(scans) > 4:
        end_of_header = 2 + (scans[2] << 8 | scans[3])
        scans[end_of_header - 3 : end_of_header] = b"\0\x3f\0"
    return b"".join((*parts, scans, b"\xff\xd9"))


def _without_filling(coded: bytes) -> bytes:
    """Coded data without the zeros that fill a block behind them; a few may be data, and no picture hides in those."""
    bare = coded.rstrip(b"\0")
    return coded if len(coded) - len(bare) < _FILLING else bare + b"\0\0"
