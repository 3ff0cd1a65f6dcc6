"""WebP: a container that lies about its lengths or flags does not cost the picture; a missing part of it does."""

import struct

import numpy as np
import pytest
from PIL import Image

from tests.image_files import SMALL, SRGB, exif, riff, saved, webp_chunks, xmp
from transforms.images.decode import decode, is_sound
from transforms.images.header import read_header
from transforms.images.settings import AcceptSettings
from transforms.images.webp import read_webp
from transforms.tables.reasons import Rejected

ACCEPT = AcceptSettings()
HEIGHT, WIDTH = SMALL.shape[:2]
LOSSLESS, LOSSY = (webp_chunks(saved(SMALL, "webp", lossless=one))[0] for one in (True, False))


def large(flags=0, width=WIDTH, height=HEIGHT):
    return b"VP8X", bytes([flags, 0, 0, 0]) + struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]


def shown(file):
    return decode(file, read_header(file, ACCEPT)).astype(int)


EXIF = (b"EXIF", exif(1))


@pytest.mark.parametrize("image", [LOSSLESS, LOSSY], ids=["lossless", "lossy"])
@pytest.mark.parametrize(
    ("make", "sound"),
    [
        (lambda image: riff([image]), True),
        (lambda image: riff([image]) + b"trailer", True),
        (lambda image: riff([image], size=0), False),
        (lambda image: riff([image], size=0xFFFFFFFF), False),
        (lambda image: riff([image], size=100), False),
        (lambda image: riff([large(0x08), image, EXIF], size=10**6), False),
        (lambda image: riff([large(0x2C), (b"ICCP", SRGB), image, EXIF, (b"XMP ", xmp(1))]), True),
        (lambda image: riff([large(0x2C), image]), None),  # flags of what is not there
        (lambda image: riff([large(0), (b"ICCP", SRGB), image, EXIF]), None),
        (lambda image: riff([large(0x20), (b"ICCP", b"nonsense"), image]), None),
        (lambda image: riff([large(0x20), (b"ICCP", bytes(6 << 20)), image]), None),
        (lambda image: riff([large(0x08), image, (b"EXIF", b"nonsense" * 100)]), None),
        (lambda image: riff([large(0x08), image, (b"EXIF", bytes(600))])[:-300], False),
        (lambda image: riff([large(0x08), image]) + b"EXIF\xff\xff\xff\x7fshort", False),
        (lambda image: riff([large(0), (b"JUNK", b"abc"), image]), None),
        (lambda image: riff([image, EXIF]), None),
        (lambda image: riff([image, image]), None),
    ],
)
def test_containers_that_lie_are_read(image, make, sound):
    file = make(image)
    header = read_header(file, ACCEPT)
    assert (header.width, header.height) == (WIDTH, HEIGHT)
    assert np.abs(shown(file) - SMALL).mean() < (1 if image is LOSSLESS else 6)
    if sound is not None:
        assert is_sound(file, read_header(file, ACCEPT)) == sound


@pytest.mark.parametrize("image", [LOSSLESS, LOSSY], ids=["lossless", "lossy"])
@pytest.mark.parametrize(
    "make",
    [
        lambda image: riff([(image[0], image[1][: len(image[1]) // 2])]),
        lambda image: riff([image])[:-200],
        lambda image: riff([large(width=10), image]),
        lambda image: riff([large(0x02), image]),
        lambda image: riff([large(0)]),
        lambda image: riff([EXIF]),
        lambda image: riff([]),
        lambda image: riff([(image[0], b"")]),
    ],
)
def test_a_missing_picture_is_found(image, make):
    with pytest.raises(Rejected, match="broken_image"):
        shown(make(image))


def test_the_canvas_is_asked_before_room_is_made(monkeypatch):
    monkeypatch.setattr(Image, "open", lambda *_, **__: pytest.fail("opened"))
    frame = (b"ANMF", bytes(6) + b"\x07\0\0\x07\0\0" + bytes(4))
    file = riff([large(0x02, 16384, 16384), (b"ANIM", bytes(6)), frame])
    with pytest.raises(Rejected, match="too_many_pixels"):
        read_header(file, ACCEPT)


def test_of_an_animation_only_the_first_frame_is_read():
    frames = [Image.new("RGB", (32, 32), colour) for colour in ("red", "blue", "lime")]
    file = saved(frames[0], "webp", save_all=True, append_images=frames[1:], duration=100)
    assert np.abs(shown(file)[16, 16] - (255, 0, 0)).max() < 12
    assert read_webp(file).file.count(b"ANMF") == 1
