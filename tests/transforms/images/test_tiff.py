"""TIFF: grey of every depth the right way round, tags that are not about the pixels, and room that is bounded."""

import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.image_files import GREY, SMALL, saved, tiff
from transforms.images.decode import decode
from transforms.images.header import read_header
from transforms.images.settings import AcceptSettings
from transforms.images.tiff import read_tiff
from transforms.tables.reasons import Rejected

ACCEPT = AcceptSettings()
DEEP = GREY.astype(np.uint16) * 257


def shown(file):
    return decode(file, read_header(file, ACCEPT)).astype(int)


def twelve_bits(samples):
    """Two samples of 12 bits in three bytes."""
    first, second = samples.reshape(len(samples), -1, 2).transpose(2, 0, 1)
    return np.stack([first >> 4, (first & 15) << 4 | second >> 8, second & 255], axis=2).astype(np.uint8)


@pytest.mark.parametrize(
    "file",
    [
        tiff(GREY, 1),
        tiff(255 - GREY, 0),
        tiff(DEEP, 1, bits=16),
        tiff(65535 - DEEP, 0, bits=16),
        tiff(DEEP, 1, bits=16, order=">"),
        tiff(65535 - DEEP, 0, bits=16, order=">"),
        tiff(65535 - DEEP, 0, bits=16, big=True),
        tiff(GREY.astype(np.uint32) << 24, 1, bits=32),
        tiff(~(GREY.astype(np.uint32) << 24), 0, bits=32),
        tiff((DEEP >> 1).astype(np.int16), 1, [(339, 3, 1, b"\2\0")], bits=16),
        saved(Image.fromarray(DEEP), "tiff", compression="tiff_lzw"),
        saved(Image.fromarray(DEEP), "tiff", compression="tiff_adobe_deflate"),
        tiff(twelve_bits(DEEP >> 4).reshape(96, 120), 1, [(256, 3, 1, b"\x50\0"), (258, 3, 1, b"\x0c\0")]),
    ],
)
def test_grey_of_every_depth(file):
    assert np.abs(shown(file) - GREY[..., None]).max() <= 1


@pytest.mark.parametrize("bits", [1, 2, 4])
@pytest.mark.parametrize("photometric", [0, 1])
def test_few_greys(bits, photometric):
    levels = (np.arange(16) % 2**bits)[None].repeat(16, axis=0)
    text = ["".join(f"{value:0{bits}b}" for value in row) for row in levels]
    packed = np.array([list(int(row, 2).to_bytes(2 * bits, "big")) for row in text], np.uint8)
    size = [(256, 3, 1, b"\x10\0"), (258, 3, 1, bytes([bits, 0]))]
    wanted = levels * 255 // (2**bits - 1)
    assert (shown(tiff(packed, photometric, size))[..., 0] == (wanted if photometric else 255 - wanted)).all()


@pytest.mark.parametrize(
    "file",
    [
        tiff(SMALL),
        tiff(SMALL, order=">"),
        tiff(SMALL, big=True),
        tiff(SMALL * np.uint16(257), bits=16),
        tiff(np.dstack([SMALL, np.full_like(GREY, 255)]), tags=[(338, 3, 1, b"\2\0")]),
        tiff(np.dstack([SMALL, np.zeros_like(GREY)]), tags=[(338, 3, 1, b"\0\0")]),
        saved(SMALL, "tiff", compression="tiff_lzw"),
        saved(SMALL, "tiff", compression="packbits"),
        saved(SMALL, "tiff", compression="jpeg", quality=95),
        saved(SMALL, "tiff", big_tiff=True),
    ],
)
def test_colour(file):
    assert np.abs(shown(file) - SMALL).mean() < 3


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    "tag",
    [
        (270, 2, 1000, 10**8),
        (270, 2, 2**31, 100),
        (270, 2, 3, b"\xff\xfe\0"),
        (270, 99, 3, b"abc"),
        (305, 0, 3, b"abc"),
        (282, 5, 1, bytes(8)),
        (282, 5, 1, 10**8),
        (283, 2, 3, b"ab\0"),
        (700, 4, 1, b"\1\0\0\0"),
        (700, 1, 500, 10**8),
        (330, 4, 1, 10**8),
        (33723, 7, 500, 10**8),
        (34377, 1, 500, 10**8),
        (34665, 4, 1, 10**8),
        (34665, 4, 1, 8),
        (34665, 2, 10, b"abcdefghi\0"),
        (34675, 7, 500, 10**8),
        (34675, 7, 50, b"x" * 50),
        (34675, 3, 1, b"\1\0"),
        (34853, 4, 1, 10**8),
        (37500, 7, 50, 10**8),
        (40965, 4, 1, 10**8),
        (65000, 12, 3, 10**8),
        (306, 4, 1, b"\1\0\0\0"),
    ],
    ids=lambda value: "-".join(str(part) for part in value[:3]) if isinstance(value, tuple) else value,
)
def test_no_tag_about_something_else_costs_the_picture(tag, order):
    assert (shown(tiff(SMALL, tags=[tag], order=order)) == SMALL).all()


def test_a_directory_that_goes_on_nowhere_has_its_first_picture():
    file = bytearray(tiff(SMALL))
    count = struct.unpack_from("<H", file, 8)[0]
    struct.pack_into("<I", file, 10 + 12 * count, 10**8)
    assert (shown(bytes(file)) == SMALL).all()


@pytest.mark.parametrize("side", [(20_000, 20_000), (2**20, 100), (100, 2**31), (2**32 - 1, 2**32 - 1)])
def test_a_tile_is_capped_like_a_picture(side):
    packed = zlib.compress(bytes(1000))
    tags = [(322, 4, 1, struct.pack("<I", side[0])), (323, 4, 1, struct.pack("<I", side[1])), (259, 3, 1, b"\x08\0")]
    tags += [(324, 4, 1, 8), (325, 4, 1, struct.pack("<I", len(packed)))]
    with pytest.raises(Rejected, match="a tile of"):
        read_header(tiff(SMALL[:10, :10], tags=tags), ACCEPT)


@pytest.mark.parametrize("cut", [0.2, 0.5, 0.9])
@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"])
def test_missing_pixels_are_found(compression, cut):
    if compression == "raw":
        file = tiff(SMALL)[: int(len(tiff(SMALL)) * cut)]
    else:
        whole = saved(SMALL, "tiff", compression=compression)
        file = whole[:8] + whole[8 : int(len(whole) * cut)] + bytes(len(whole) - int(len(whole) * cut))
    with pytest.raises(Rejected, match="broken_image"):
        shown(file)


@pytest.mark.parametrize(
    "file", [b"II*\0", b"II*\0\xff\xff\xff\xff", b"II+\0" + b"\xff" * 20, b"MM\0*\0\0\0\x08\xff\xff"]
)
def test_stumps_are_broken(file):
    with pytest.raises(Rejected, match="broken_image"):
        read_header(file, ACCEPT)


@given(st.data())
def test_damaged_directories_are_read_or_refused(data):
    file = bytearray(tiff(SMALL[:8, :8], tags=[(270, 2, 30, b"a" * 29 + b"\0")], big=data.draw(st.booleans())))
    for _ in range(data.draw(st.integers(1, 5))):
        file[data.draw(st.integers(2, 200))] = data.draw(st.integers(0, 255))
    try:
        assert shown(bytes(file)).ndim == 3
    except Rejected as why:
        assert why.code in {"broken_image", "too_many_pixels", "not_an_image"}  # noqa: PT017


def test_the_copy_has_no_more_than_pixels_need():
    found = read_tiff(tiff(SMALL, tags=[(270, 2, 3, b"ab\0"), (274, 3, 1, b"\6\0"), (34675, 7, 5, b"abcde")]))
    assert (found.orientation, found.profile, found.bits, found.inverted) == (6, b"abcde", 8, False)
    again = read_tiff(found.file)
    assert (again.orientation, again.profile) == (1, b"")
