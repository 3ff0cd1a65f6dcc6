"""What a file is: as loose as each format is, and no looser."""

import struct

import pytest

from tests.image_files import SMALL, saved
from transforms.images.settings import FORMATS
from transforms.images.sniff import sniff
from transforms.tables.reasons import Rejected


def brands(major, *compatible):
    box = b"ftyp" + major + bytes(4) + b"".join(compatible)
    return struct.pack(">I", 4 + len(box)) + box + b"\0\0\0\x08meta"


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_known(name):
    assert sniff(saved(SMALL, name)) == name


@pytest.mark.parametrize(
    ("file", "name"),
    [
        (brands(b"avif"), "avif"),
        (brands(b"avis", b"msf1"), "avif"),
        (brands(b"mif1", b"miaf", b"avif"), "avif"),
        (brands(b"msf1", b"avis"), "avif"),
        (brands(b"MA1B", b"mif1", b"avif"), "avif"),
        (b"BM" + b"\xff" * 12 + struct.pack("<I", 40), "bmp"),
        (b"BM" + bytes(12) + struct.pack("<I", 124), "bmp"),
        (b"II+\0\x08\0\0\0", "tiff"),
    ],
)
def test_formats_have_more_than_one_beginning(file, name):
    assert sniff(file) == name


@pytest.mark.parametrize(
    ("file", "detail"),
    [
        (b"", "no bytes"),
        (b"\xff", "starts with"),
        (b"GIF", "starts with"),
        (b"<svg></svg>", "starts with"),
        (b"<html>", "starts with"),
        (b"RIFF0000WAVE", "starts with"),
        (bytes(100), "starts with"),
        (b"BMW builds cars, says this text", "starts with"),
        (brands(b"heic", b"mif1", b"heic"), "HEIC"),
        (brands(b"mif1", b"heix"), "HEIC"),
        (brands(b"isom", b"mp42"), "film"),
        (b"\xff\xff\xff\xffftypisom" + b"avi" * 300, "film"),  # a length that lies
        (b"\0\0\0\x10ftyp", "film"),
    ],
)
def test_what_is_no_image(file, detail):
    with pytest.raises(Rejected, match=detail) as why:
        sniff(file)
    assert why.value.code == "not_an_image"
