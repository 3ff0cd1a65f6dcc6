"""PNG: chunks that are not the pixels never cost the picture, and those that are do."""

import struct
import zlib
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.image_files import GREY, SMALL, iccp, png, png_chunk, saved
from transforms.images.decode import decode, is_sound
from transforms.images.header import read_header
from transforms.images.png import read_png
from transforms.images.settings import AcceptSettings, StoreSettings
from transforms.images.store import store_image
from transforms.tables.reasons import Rejected

ACCEPT = AcceptSettings()
LONG = zlib.compress(bytes(2 << 20))


def shown(file):
    return decode(file, read_header(file, ACCEPT)).astype(int)


@pytest.mark.parametrize("place", ["before", "after"])
@pytest.mark.parametrize(
    "chunk",
    [
        png_chunk(b"tEXt", b"Title\0hello", checksum_off=1),
        png_chunk(b"zTXt", b"Title\0\0" + LONG),
        png_chunk(b"iTXt", b"Title\0\x01\0\0\0" + LONG),
        png_chunk(b"zTXt", b"Title\0\0nonsense"),
        png_chunk(b"zTXt", b""),
        png_chunk(b"tEXt", b"\xff" * 300_000),
        iccp(bytes(2 << 20)),
        iccp(b"nonsense"),
        png_chunk(b"iCCP", b"icc\0\0nonsense"),
        png_chunk(b"iCCP", b"icc"),
        png_chunk(b"iCCP", b"icc\0\x09" + LONG),
        iccp(bytes(64 << 20)),
        png_chunk(b"gAMA", b"\0\0"),
        png_chunk(b"gAMA", b""),
        png_chunk(b"pHYs", b"\0"),
        png_chunk(b"sRGB", b""),
        png_chunk(b"cHRM", bytes(31)),
        png_chunk(b"cICP", b"\x01"),
        png_chunk(b"tIME", b"\0"),
        png_chunk(b"bKGD", b"\0"),
        png_chunk(b"hIST", b"\0"),
        png_chunk(b"sBIT", b""),
        png_chunk(b"sPLT", b"name"),
        png_chunk(b"tRNS", b"\0"),
        png_chunk(b"tRNS", bytes(6), checksum_off=1),
        png_chunk(b"eXIf", b"\xff" * 50),
        png_chunk(b"eXIf", b""),
        png_chunk(b"acTL", b"\0"),
        png_chunk(b"acTL", struct.pack(">II", 2**31, 0)) + png_chunk(b"fcTL", b"\0"),
        png_chunk(b"PLTE", b"\0\0"),
        png_chunk(b"prVt", bytes(100)),
        png_chunk(b"tEXt", b"a\0b") * 3000,
    ],
)
def test_no_other_chunk_costs_the_picture(chunk, place):
    file = png(SMALL, **{place: chunk})
    assert (shown(file) == SMALL).all()
    assert (shown(store_image(file, ACCEPT, StoreSettings(mode="no", format="png")).file) == SMALL).all()


@pytest.mark.parametrize(
    ("chunk", "sound"),
    [
        (b"", True),
        (png_chunk(b"tEXt", b"Title\0hello"), True),
        (png_chunk(b"tEXt", b"Title\0hello", checksum_off=1), False),
        (png_chunk(b"gAMA", b""), False),
    ],
)
def test_a_malformed_file_is_encoded_anew(chunk, sound):
    file = png(SMALL, before=chunk)
    assert is_sound(file, read_header(file, ACCEPT)) == sound
    assert (store_image(file, ACCEPT, StoreSettings(mode="no", format="png")).file == file) == sound


@pytest.mark.parametrize(
    "file",
    [
        png(SMALL, end=False),
        png(SMALL)[:-13],  # in the checksum of the pixels
        png(SMALL) + b"a trailer",
        png(SMALL, before=png_chunk(b"AbCd", b"a critical chunk that nobody knows")),
        png(SMALL, stream=zlib.compress(b"".join(b"\0" + row.tobytes() for row in SMALL) + bytes(99))),
    ],
    ids=["no end", "cut behind the pixels", "trailer", "unknown critical", "more than enough"],
)
def test_what_is_whole_is_kept(file):
    assert (shown(file) == SMALL).all()


WHOLE = b"".join(b"\0" + row.tobytes() for row in SMALL)


def split_stream():
    """Pixels of which the second half is behind another chunk, where no decoder looks."""
    packed = zlib.compress(WHOLE)
    parts = [png_chunk(b"IDAT", packed[900:]), png_chunk(b"tEXt", b"a\0b")]
    return png(SMALL, stream=packed[:900], after=parts[1] + parts[0])


@pytest.mark.parametrize(
    "file",
    [
        png(SMALL, stream=zlib.compress(WHOLE[: len(WHOLE) // 2])),
        png(SMALL, stream=zlib.compress(WHOLE)[:2000]),
        png(SMALL, stream=zlib.compress(WHOLE)[:-1] + b"\0"),
        png(SMALL, stream=b"nonsense"),
        png(SMALL, stream=b""),
        png(SMALL)[: len(png(SMALL)) // 2],
        split_stream(),
        png(SMALL)[:16] + b"\xff" + png(SMALL)[17:],
        png(SMALL)[:8] + png_chunk(b"tEXt", b"a\0b") + png(SMALL)[8:],
        png(SMALL)[:8],
        png(SMALL)[:30],
        png(SMALL, kind=7),
        png(GREY, kind=3),  # no palette
        png(GREY, kind=3, before=png_chunk(b"PLTE", b"")),
    ],
)
def test_damage_to_the_pixels_is_found(file):
    with pytest.raises(Rejected) as why:
        shown(file)
    assert why.value.code in ("broken_image", "too_many_pixels")


ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


@pytest.mark.parametrize("size", [(1, 1), (5, 3), (9, 8), (80, 96)])
@pytest.mark.parametrize("mode", ["RGB", "L", "1", "LA", "P"])
def test_interlaced_pictures_are_whole_or_broken(size, mode):
    """Adam7: passes are written by hand, all samples 0, so that black rows cannot be told from missing ones."""
    bits = {"RGB": 24, "L": 8, "1": 1, "LA": 16, "P": 8}[mode]
    kind, depth = {"RGB": (2, 8), "L": (0, 8), "1": (0, 1), "LA": (4, 8), "P": (3, 8)}[mode]
    raw = b""
    for left, top, across, down in ADAM7:
        columns, rows = len(range(left, size[0], across)), len(range(top, size[1], down))
        raw += (b"\0" + bytes((columns * bits + 7) // 8)) * rows if columns else b""
    head = png_chunk(b"IHDR", struct.pack(">IIBBBBB", *size, depth, kind, 0, 0, 1))
    palette = png_chunk(b"PLTE", b"\0\0\0") if mode == "P" else b""

    def make(body):
        parts = (head, palette, png_chunk(b"IDAT", zlib.compress(body)), png_chunk(b"IEND", b""))
        return b"\x89PNG\r\n\x1a\n" + b"".join(parts)

    image = shown(make(raw))
    assert image.shape == (size[1], size[0], 3)
    assert image.max() == (255 if mode == "LA" else 0)
    with pytest.raises(Rejected, match="broken_image"):
        shown(make(raw[:-1]))


def test_chunks_that_are_not_needed_are_not_kept():
    chunks = b"".join(png_chunk(bytes([97 + n % 26, 97 + n // 26 % 26, 65, 97]), bytes(100)) for n in range(600))
    assert len(read_png(png(SMALL, before=chunks, after=chunks)).file) <= len(png(SMALL))


KEY = np.full((8, 8), 90, np.uint8)
KEY[:, 4:] = 91


@pytest.mark.parametrize(
    ("kind", "depth", "pixels", "key", "rest"),
    [
        (0, 8, KEY, (90,), 91),
        (0, 8, KEY, (90 + 256,), 91),
        (0, 16, np.where(KEY == 90, 1000, 1001), (1000,), 3),
        (0, 16, np.where(KEY == 90, 0x5A00, 0x5AFF), (0x5A00,), 0x5A),
        (2, 8, np.repeat(KEY[..., None], 3, axis=2), (90, 90, 90), 91),
        (2, 16, np.repeat(np.where(KEY == 90, 0x5A00, 0x5AFF)[..., None], 3, axis=2), (0x5A00,) * 3, 0x5A),
        (2, 16, np.dstack([np.where(KEY == 90, 256, 512), KEY * 0, KEY * 0 + 1]), (256, 0, 1), 1),
    ],
)
def test_one_colour_is_transparent_at_every_depth(kind, depth, pixels, key, rest):
    trns = png_chunk(b"tRNS", struct.pack(f">{len(key)}H", *key))
    image = shown(png(pixels, kind=kind, depth=depth, before=trns))
    assert (image[:, :4] == 255).all()
    assert abs(image[:, 4:].max() - rest) <= 1
    assert not read_header(png(pixels, kind=kind, depth=depth, before=trns), ACCEPT).plain


@pytest.mark.parametrize(("depth", "sample"), [(1, 1), (2, 2), (4, 7)])
def test_one_grey_is_transparent_among_few(depth, sample):
    """Rows of eight pixels, the first half of value `sample`, the others one less."""
    bits = "".join(f"{value:0{depth}b}" for value in [sample] * 4 + [sample - 1] * 4)
    row = b"\0" + int(bits, 2).to_bytes(depth, "big")
    file = png(np.zeros((8, 1)), kind=0, depth=depth, stream=zlib.compress(row * 8), width=8)
    image = shown(file[:33] + png_chunk(b"tRNS", struct.pack(">H", sample)) + file[33:])
    assert (image[:, :4] == 255).all()
    assert (image[:, 4:] == 255 * (sample - 1) // (2**depth - 1)).all()


@pytest.mark.parametrize("trns", [b"\0", b"\0\x80", b"\0\x80\xff\xff"])
def test_palettes_are_transparent_where_they_say_so(trns):
    palette = png_chunk(b"PLTE", bytes([10, 20, 30, 200, 0, 0, 0, 0, 0, 9, 9, 9]))
    pixels = np.array([[0, 1, 2, 3]] * 4, np.uint8)
    image = shown(png(pixels, kind=3, before=palette + png_chunk(b"tRNS", trns)))
    assert (image[:, 0] == 255).all()
    assert (image[:, 1] == ([228, 127, 127] if len(trns) > 1 else [200, 0, 0])).all() or abs(image[0, 1, 0] - 228) <= 1
    assert (image[:, 3] == 9).all()


def test_16_bits_are_not_plain():
    deep = png(SMALL * np.uint16(257), depth=16)
    assert (shown(deep) == SMALL).all()
    assert not read_header(deep, ACCEPT).plain
    assert store_image(deep, ACCEPT, StoreSettings(mode="no", format="png")).file != deep


@given(st.data())
def test_damaged_chunks_are_kept_or_rejected(data):
    file = bytearray(saved(SMALL[:16, :16], "png", pnginfo=None))
    for _ in range(data.draw(st.integers(1, 4))):
        file[data.draw(st.integers(8, len(file) - 1))] = data.draw(st.integers(0, 255))
    with suppress(Rejected):
        assert shown(bytes(file)).ndim == 3
