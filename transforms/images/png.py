"""PNG files: a copy with nothing but the chunks that hold pixels, and what the others say of colour and orientation.

What is not about the pixels (texts, times, resolutions, private chunks, frames of animations) is never looked into, so
that no malformed or inflating chunk can cost the picture. Ancillary chunks of a wrong checksum or length are as none,
as for libpng; whether the pixels' own are right is seen when they are inflated, by a checksum of their own.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from transforms.images import profiles
from transforms.images.light import Light, Primaries, by_codes, by_gamma, readable

_SIGNATURE = 8  # bytes
_LENGTHS = {b"gAMA": 4, b"cHRM": 32, b"sRGB": 1, b"cICP": 4}
_READ = frozenset({b"PLTE", b"tRNS", b"iCCP", b"eXIf", *_LENGTHS})
_MOST_EXIF = 1 << 20  # bytes
GREY, COLOUR, _PALETTE, GREY_ALPHA = 0, 2, 3, 4  # colour types; 6 is colour with alpha
_SAMPLES = {GREY: 1, COLOUR: 3, _PALETTE: 1, GREY_ALPHA: 2, 6: 4}
# of each pass of an interlaced picture: first column and row, and the steps to the next ones
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_END = 16  # bytes behind the pixels in the copy: their checksum, and the chunk IEND
_PIECE = 1 << 20  # bytes that are inflated at a time


class Chunk(NamedTuple):
    """A chunk: its name, what it holds, and whether its checksum is right."""

    name: bytes
    body: bytes
    sound: bool


@dataclass(frozen=True, slots=True, eq=False)
class Png:
    """What a PNG's chunks say.

    `file`: the copy to decode, without transparency unless its colours are in a palette; `stream`: where in it the
    compressed pixels begin. `kind`: the colour type. `depth`: bits of a sample. `key`: the samples of the one colour
    that is transparent. `sound`: no chunk up to the pixels' end is malformed.
    """

    file: bytes
    stream: int
    width: int
    height: int
    kind: int
    depth: int
    interlaced: bool
    key: tuple[int, ...]
    profile: bytes
    light: Light | None
    exif: bytes
    sound: bool


def read_png(data: bytes) -> Png:
    """The chunks of a PNG up to the end of its pixels; ValueError if it has no header that can be believed."""
    chunks = _chunks(data)
    header = next(chunks, None)
    if header is not None and header.name == b"CgBI":
        raise ValueError("a PNG in Apple's private format")
    if header is None or header.name != b"IHDR" or len(header.body) != 13 or not header.sound:
        raise ValueError("the first chunk is no sound IHDR")
    width, height, depth, kind, _, _, interlaced = struct.unpack(">IIBBBBB", header.body)
    said, pixels, sound = _sorted(chunks)
    profile, light = _colour(said, kind in (GREY, GREY_ALPHA))
    kept = [(b"IHDR", header.body)]
    if kind == _PALETTE:
        if not said.get(b"PLTE"):
            raise ValueError("a palette is missing")
        kept.append((b"PLTE", said[b"PLTE"]))
        if 0 < len(said.get(b"tRNS", b"")) <= len(said[b"PLTE"]) // 3:
            kept.append((b"tRNS", said[b"tRNS"]))
    before = data[:_SIGNATURE] + b"".join(_packed(name, body) for name, body in kept)
    return Png(
        file=before + _packed(b"IDAT", pixels) + _packed(b"IEND", b""),
        stream=len(before) + 8,
        width=width,
        height=height,
        kind=kind,
        depth=depth,
        interlaced=interlaced != 0,
        key=_key(said.get(b"tRNS", b""), kind, depth),
        profile=profile,
        light=light,
        exif=said.get(b"eXIf", b"")[:_MOST_EXIF],
        sound=sound,
    )


def _sorted(chunks: Iterator[Chunk]) -> tuple[dict[bytes, bytes], bytes, bool]:
    """What the chunks before the pixels hold, the first of each name; the pixels; whether all of them are sound."""
    said: dict[bytes, bytes] = {}
    pixels, sound = bytearray(), True
    for chunk in chunks:
        if chunk.name == b"IDAT":
            pixels += chunk.body
        elif pixels:
            break
        elif len(chunk.body) != _LENGTHS.get(chunk.name, len(chunk.body)):
            sound = False
        elif chunk.name in _READ and (chunk.sound or chunk.name == b"PLTE"):
            said.setdefault(chunk.name, chunk.body)
        sound = sound and chunk.sound
    return said, bytes(pixels), sound


def _key(chunk: bytes, kind: int, depth: int) -> tuple[int, ...]:
    """The samples of the transparent colour; bits above those of a sample do not count."""
    samples = {GREY: 1, COLOUR: 3}.get(kind, 0)
    if not samples or len(chunk) != 2 * samples:
        return ()
    return tuple(value & (1 << depth) - 1 for value in struct.unpack(f">{samples}H", chunk))


def lacks_rows(png: Png) -> bool:
    """Whether the pixels' data inflate to fewer rows than the header announces: Pillow leaves those black."""
    passes = _PASSES if png.interlaced else ((0, 0, 1, 1),)
    wanted = 0
    for left, top, across, down in passes:
        columns, rows = -(-(png.width - left) // across), -(-(png.height - top) // down)
        if columns > 0:
            wanted += rows * (1 + -(-columns * png.depth * _SAMPLES[png.kind] // 8))
    inflating, packed = zlib.decompressobj(), png.file[png.stream : -_END]
    try:
        while wanted > 0 and packed and not inflating.eof:
            wanted -= len(inflating.decompress(packed, _PIECE))
            packed = inflating.unconsumed_tail
    except zlib.error:
        return True
    return wanted > 0


def _chunks(data: bytes) -> Iterator[Chunk]:
    """The chunks in their order; of one that reaches beyond the file, what there is, if it holds pixels."""
    at = _SIGNATURE
    while at + 8 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        body = data[at + 8 : at + 8 + length]
        if len(body) < length or at + 12 + length > len(data):
            if name == b"IDAT":
                yield Chunk(name, body, False)
            return
        sound = zlib.crc32(body, zlib.crc32(name)) == int.from_bytes(data[at + 8 + length : at + 12 + length], "big")
        yield Chunk(name, body, sound)
        at += 12 + length


def _packed(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(body, zlib.crc32(name)))


def _colour(said: dict[bytes, bytes], grey: bool) -> tuple[bytes, Light | None]:
    """The colour space by profile or by numbers, in the standard's order: cICP, iCCP, sRGB, gAMA with cHRM.

    cHRM alone says nothing, as for browsers (PNG, third edition, 4.3).
    """
    if b"cICP" in said:
        primaries, transfer, matrix, whole_range = said[b"cICP"]
        if (matrix, whole_range) == (0, 1) and (light := by_codes(primaries, transfer)):
            return b"", light
    if profile := _profile(said.get(b"iCCP", b""), b"GRAY" if grey else b"RGB "):
        return profile, None
    if b"sRGB" in said or b"gAMA" not in said:
        return b"", None
    primaries_given = None
    if b"cHRM" in said:
        white_x, white_y, *colours = (value / 100_000 for value in struct.unpack(">8I", said[b"cHRM"]))
        chromaticities: Primaries = (*colours, white_x, white_y)
        primaries_given = chromaticities if readable(chromaticities) else None
    return b"", by_gamma(int.from_bytes(said[b"gAMA"], "big"), primaries_given)


def _profile(chunk: bytes, space: bytes) -> bytes:
    """The ICC profile of an iCCP chunk; none if it is malformed, of another colour space, or larger than the cap."""
    _, _, packed = chunk.partition(b"\0")
    if packed[:1] != b"\0":
        return b""
    inflating = zlib.decompressobj()
    try:
        profile = inflating.decompress(packed[1:], profiles.MAX_BYTES)
    except zlib.error:
        return b""
    return profile if inflating.eof and profile[16:20] == space and profile[36:40] == b"acsp" else b""
