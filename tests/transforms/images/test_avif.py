"""AVIF: brands and metadata of every kind, and a film's first frame."""

import re
import struct

import numpy as np
import pytest
from PIL import Image

from tests.image_files import SMALL, SRGB, exif, saved, xmp
from transforms.images.avif import light_of, only_pixels
from transforms.images.decode import decode
from transforms.images.header import read_header
from transforms.images.settings import AcceptSettings
from transforms.tables.reasons import Rejected

ACCEPT = AcceptSettings()
FILE = saved(SMALL, "avif", quality=95)


def shown(file):
    return decode(file, read_header(file, ACCEPT)).astype(int)


def with_brand(file, brand):
    """The file whose major brand is another one; avif stays among the compatible ones."""
    assert b"avif" in file[16 : struct.unpack(">I", file[:4])[0]]
    return file[:8] + brand + file[12:]


@pytest.mark.parametrize("brand", [b"avif", b"mif1", b"msf1", b"miaf", b"MA1B", b"MA1A", b"heic"])
def test_a_compatible_brand_is_enough(brand):
    assert np.abs(shown(with_brand(FILE, brand)) - SMALL).mean() < 4


def damaged_exif():
    block = Image.Exif()
    block[0x010F] = "a camera" * 20
    file = saved(SMALL, "avif", quality=95, exif=block)
    at = file.rindex(b"MM\0*", 0, file.index(b"a camera"))
    return [
        file[:at] + junk + file[at + len(junk) :]
        for junk in (b"junk", b"MM\0*\xff\xff\xff\xff", b"II*\0" + b"\xff" * 8)
    ]


@pytest.mark.parametrize(
    "file",
    [
        *damaged_exif(),
        saved(SMALL, "avif", quality=95, exif=exif(1), xmp=xmp(6), icc_profile=SRGB),
        saved(SMALL, "avif", quality=95, icc_profile=b"nonsense" * 20),
        saved(SMALL, "avif", quality=95, icc_profile=bytes(3 << 20)),
    ],
)
def test_no_metadata_cost_the_picture(file):
    assert np.abs(shown(file) - SMALL).mean() < 4


def test_the_copy_moves_nothing():
    file = saved(SMALL, "avif", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0")
    copy = only_pixels(file)
    assert len(copy) == len(file)
    assert len(re.findall(b"Exif", copy)) == len(re.findall(b"Exif", file)) - 1


@pytest.mark.parametrize("share", [0.05, 0.2, 0.6, 0.95])
def test_a_cut_file_is_broken(share):
    with pytest.raises(Rejected, match="broken_image"):
        shown(FILE[: int(len(FILE) * share)])


@pytest.mark.parametrize(
    "file", [b"", b"\0\0\0\x08meta", b"\0\0\0\x0ccolrnclx", FILE[:20], b"\0\0\0\x20metacolrnclx\0\x01"]
)
def test_what_is_no_container_says_nothing(file):
    assert light_of(file) is None
