"""Alpha and colour of the formats that have no module of their own: BMP and GIF."""

import struct

import numpy as np
import pytest
from PIL import Image

from tests.image_files import GREY, SMALL, saved
from transforms.images.decode import decode
from transforms.images.header import read_header
from transforms.images.settings import AcceptSettings

ACCEPT = AcceptSettings()


def shown(file):
    return decode(file, read_header(file, ACCEPT)).astype(int)


def bmp(pixels, header=124, masks=True, top_down=False, reserved=b"\0\0\0\0"):
    """A BMP of (H,W,4) RGBA in 32 bits."""
    height, width = pixels.shape[:2]
    bgra = pixels[..., [2, 1, 0, 3]]
    body = (bgra if top_down else bgra[::-1]).tobytes()
    info = struct.pack(
        "<IiiHHIIiiII", header, width, -height if top_down else height, 1, 32, 3 * masks, len(body), 0, 0, 0, 0
    )
    if masks:
        info += struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    info = info.ljust(header, b"\0") if header > 40 else info[:40]
    start = 14 + len(info)
    return b"BM" + struct.pack("<I", start + len(body)) + reserved + struct.pack("<I", start) + info + body


def rgba(alpha):
    return np.dstack([SMALL, np.broadcast_to(np.uint8(alpha), GREY.shape)])


@pytest.mark.parametrize(
    "file",
    [
        bmp(rgba(255)),
        bmp(rgba(0)),
        bmp(rgba(0), header=108),
        bmp(rgba(0), header=56),
        bmp(rgba(0), header=40, masks=False),
        bmp(rgba(0), top_down=True),
        bmp(rgba(255), reserved=b"\x01\x02\x03\x04"),
        saved(SMALL, "bmp"),
        saved(SMALL, "bmp")[:6] + b"PICT" + saved(SMALL, "bmp")[10:],
    ],
)
def test_a_bmp_without_any_alpha_is_opaque(file):
    assert (shown(file) == SMALL).all()


def test_a_bmp_with_some_alpha_has_it():
    alpha = np.zeros(GREY.shape, np.uint8)
    alpha[:, :40] = 255
    image = shown(bmp(np.dstack([SMALL, alpha])))
    assert (image[:, :40] == SMALL[:, :40]).all()
    assert (image[:, 40:] == 255).all()


def test_other_formats_may_be_wholly_transparent():
    for name in ("png", "webp", "tiff"):
        options = {"lossless": True} if name == "webp" else {}
        assert (shown(saved(rgba(0), name, **options)) == 255).all()


@pytest.mark.parametrize("mode", ["P", "L"])
def test_a_gif_is_transparent_where_it_says_so(mode):
    picture = Image.new(mode, (8, 8), 0)
    if mode == "P":
        picture.putpalette([10, 20, 30, 200, 0, 0])
    picture.putpixel((3, 3), 1)
    image = shown(saved(picture, "gif", transparency=0))
    assert (image[0] == 255).all()
    assert tuple(image[3, 3]) == ((200, 0, 0) if mode == "P" else (1, 1, 1))
