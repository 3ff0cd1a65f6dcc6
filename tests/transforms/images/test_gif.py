"""GIF: extensions of every kind before the picture, and frames beyond the screen."""

import struct
import time
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.image_files import SMALL, saved, xmp
from transforms.images.decode import decode
from transforms.images.gif import read_gif
from transforms.images.header import read_header
from transforms.images.settings import AcceptSettings
from transforms.tables.reasons import Rejected

ACCEPT = AcceptSettings()
PALETTE = Image.fromarray(SMALL).convert("P")
FILE = saved(PALETTE, "gif")
WANTED = np.asarray(PALETTE.convert("RGB")).astype(int)
START = FILE.index(b",\0\0\0\0P\0")


def shown(file):
    return decode(file, read_header(file, ACCEPT)).astype(int)


def with_blocks(blocks):
    return FILE[:START] + blocks + FILE[START:]


@pytest.mark.parametrize(
    "blocks",
    [
        b"",
        b"!\xf9\x04\0\0\0\0\0",
        b"!\xf9\x01\0\0",
        b"!\xf9\0",
        b"!\xf9\x03\x01\0\0\0",
        b"!\xf9\x06\0\0\0\0\0\0\0",
        b"!\xf9\x04\x0c\0\0\0\0",  # to be disposed of
        b"!\xff\x0bNETSCAPE2.0\x03\x01\0\0\0",
        b"!\xff\x0bNETSCAPE2.0\x01\x01\0",
        b"!\xff\x0bNETSCAPE2.0\0",
        b"!\xff\x02ab\0",
        b"!\xff\0",
        b"!\xfe\0",
        b"!\xfe" + (b"\xff" + b"c" * 255) * 8000 + b"\0",
        b"!\x01\x0c" + bytes(12) + b"\x02hi\0",
        b"!\x77\x03abc\0",
        b"\0\0\0",
        b"junk",
        b"!\xff\x0bXMP DataXMP" + xmp(6) + b"\x01" + bytes(range(255, -1, -1)) + b"\0",
    ],
)
def test_no_extension_costs_the_picture(blocks):
    assert (shown(with_blocks(blocks)) == WANTED).all()


@pytest.mark.parametrize(
    "file",
    [
        FILE[:-1],
        FILE + b"trailer",
        FILE[:6] + bytes(4) + FILE[10:],
        FILE[:6] + b"\x10\0\x10\0" + FILE[10:],
        FILE + FILE,
    ],
)
def test_other_lies_do_not_either(file):
    assert (shown(file) == WANTED).all()


@pytest.mark.parametrize(
    "file",
    [
        FILE[:10],
        FILE[:START],
        FILE[:START] + b";",
        FILE[: START + 5],
        FILE[: len(FILE) // 2],
        FILE[: len(FILE) // 2] + b"\0;",
    ],
)
def test_a_missing_picture_is_found(file):
    with pytest.raises(Rejected, match="broken_image"):
        shown(file)


def test_the_canvas_is_asked_before_room_is_made(monkeypatch):
    monkeypatch.setattr(Image, "open", lambda *_, **__: pytest.fail("opened"))
    frame = struct.pack("<4H", 60_000, 60_000, 100, 100)
    for file in (FILE[:6] + b"\xff" * 4 + FILE[10:], FILE[: START + 1] + frame + FILE[START + 9 :]):
        with pytest.raises(Rejected, match="too_many_pixels"):
            read_header(file, ACCEPT)


@pytest.mark.parametrize("filling", [b"\0", b"!\xfe\0", b"!\xff\x01a\0", b"x"])
def test_files_full_of_blocks_end_soon(filling):
    started = time.perf_counter()
    read_gif(with_blocks(filling * (4_000_000 // len(filling))))
    assert time.perf_counter() - started < 5


@given(st.binary(max_size=60))
def test_any_bytes_are_a_picture_or_none(tail):
    with suppress(ValueError, LookupError, struct.error):
        read_gif(b"GIF89a" + tail)
