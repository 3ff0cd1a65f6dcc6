"""What turns a picture, and what does not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from tests.image_files import exif, in_jpeg, jpeg_segment, png, png_chunk, saved, tiff, xmp
from transforms.images.decode import decode
from transforms.images.header import read_header
from transforms.images.orientation import exif_orientation, turn
from transforms.images.settings import AcceptSettings

ACCEPT = AcceptSettings()
UPRIGHT = np.zeros((48, 64, 3), np.uint8)
UPRIGHT[:16, :16], UPRIGHT[32:, 48:], UPRIGHT[:16, 48:] = (255, 0, 0), (0, 255, 0), (0, 0, 255)
INVERSE = {6: 8, 8: 6}  # the other orientations undo themselves


def stored(orientation):
    """What a camera that is held so writes down."""
    return np.ascontiguousarray(turn(UPRIGHT, INVERSE.get(orientation, orientation)))


def shown(file):
    header = read_header(file, ACCEPT)
    image = decode(file, header)
    assert image.shape == (header.height, header.width, 3)
    return image


def is_upright(image):
    return image.shape == UPRIGHT.shape and np.abs(image.astype(int) - UPRIGHT).mean() < 6


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(
    "write",
    [
        lambda image, o: saved(image, "jpeg", quality=95, exif=exif(o)),
        lambda image, o: saved(image, "jpeg", quality=95, exif=exif(o), progressive=True),
        lambda image, o: png(image, before=png_chunk(b"eXIf", exif(o)[6:])),
        lambda image, o: saved(image, "webp", quality=95, exif=exif(o)),
        lambda image, o: tiff(image, tags=[(274, 3, 1, bytes([o, 0]))]),
        lambda image, o: tiff(image, tags=[(274, 3, 1, bytes([0, o]))], order=">"),
        lambda image, o: saved(image, "tiff", compression="tiff_lzw", tiffinfo={274: o}),
        lambda image, o: saved(image, "avif", quality=95, exif=exif(o)),  # Pillow makes irot and imir of it
        lambda image, o: saved(Image.fromarray(image).convert("CMYK"), "jpeg", quality=95, exif=exif(o)),
    ],
    ids=["jpeg", "progressive", "png", "webp", "tiff", "tiff, big-endian", "tiff, lzw", "avif", "cmyk"],
)
def test_each_format_turns_by_what_it_turns_by_and_once(write, orientation):
    assert is_upright(shown(write(stored(orientation), orientation)))


def png_with_xmp(image):
    info = PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", xmp(6).decode())
    return saved(image, "png", pnginfo=info)


@pytest.mark.parametrize(
    "file",
    [
        in_jpeg(saved(UPRIGHT, "jpeg"), jpeg_segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp(6))),
        png_with_xmp(UPRIGHT),
        saved(UPRIGHT, "webp", xmp=xmp(6)),
        saved(UPRIGHT, "avif", xmp=xmp(6)),
        tiff(UPRIGHT, tags=[(700, 1, len(xmp(6)), xmp(6))]),
        saved(UPRIGHT, "tiff", compression="tiff_lzw", tiffinfo={700: xmp(6)}),
        png(UPRIGHT, after=png_chunk(b"eXIf", exif(6)[6:])),
        png(UPRIGHT, before=png_chunk(b"eXIf", exif(6)[6:], checksum_off=1)),
        in_jpeg(saved(UPRIGHT, "jpeg"), jpeg_segment(0xE1, b"Exif\0\0II*\0\xff\xff\xff\xff")),
        in_jpeg(saved(UPRIGHT, "jpeg"), jpeg_segment(0xE1, exif(9))),
        tiff(UPRIGHT, tags=[(274, 3, 2, b"\6\0\6\0")]),
        tiff(UPRIGHT, tags=[(274, 2, 2, b"6\0")]),
    ],
)
def test_nothing_else_turns(file):
    assert is_upright(shown(file))


def test_exif_does_not_turn_an_avif():
    file = saved(UPRIGHT, "avif", quality=95, exif=exif(1) + b"")
    block = Image.Exif()
    block[0x010F] = "a camera"
    marked = saved(UPRIGHT, "avif", quality=95, exif=block)
    at = marked.find(b"a camera")
    assert at > 0  # the block is there: now it says something else
    entry = marked.rfind(b"MM\0*", 0, at)
    turned = bytearray(marked)
    turned[entry + 10 : entry + 22] = b"\x01\x12\0\x03\0\0\0\x01\0\x06\0\0"
    assert exif_orientation(bytes(turned[entry:])) == 6
    assert is_upright(shown(bytes(turned)))
    assert is_upright(shown(file))


@given(st.binary(max_size=80))
def test_any_block_has_an_orientation(block):
    for head in (b"", b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08", b"Exif\0\0II+\0"):
        assert 1 <= exif_orientation(head + block) <= 8
