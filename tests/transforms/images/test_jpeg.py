"""The markers of JPEGs: headers, plain and not, and that any bytes end quickly."""

import io
import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.image_files import SRGB, exif, in_jpeg, jpeg_segment, saved
from transforms.images.jpeg import follow_scans, only_pixels, plain_jpeg, read_jpeg


def flat(mode="RGB", size=(40, 30), **options):
    return saved(Image.new(mode, size), "JPEG", **options)


def size_of(found):
    return found and (found.width, found.height)


@pytest.mark.parametrize("data", [b"", b"\xff\xd8", b"\xff\xd8\xff", b"\xff\xd8\xff\xda" + bytes(20), flat()[:40]])
def test_nothing_and_stumps_have_no_size(data):
    assert plain_jpeg(data) is None
    with pytest.raises(ValueError, match="no picture"):
        read_jpeg(data)


@pytest.mark.parametrize(("mode", "components"), [("RGB", 3), ("L", 1)])
@pytest.mark.parametrize("options", [{}, {"optimize": True}, {"comment": "hello"}, {"subsampling": 0}])
def test_plain_files(mode, components, options):
    found = plain_jpeg(flat(mode, **options))
    assert (size_of(found), found.components) == ((40, 30), components)
    general = read_jpeg(flat(mode, **options))
    assert (size_of(general), general.components, general.one_scan) == ((40, 30), components, True)


@pytest.mark.parametrize(
    "data",
    [flat("CMYK"), flat(progressive=True), flat(exif=exif(6)), flat(icc_profile=SRGB)],
    ids=["cmyk", "progressive", "exif", "icc"],
)
def test_what_needs_the_general_reader(data):
    assert plain_jpeg(data) is None
    assert size_of(read_jpeg(data)) == (40, 30)


def test_what_a_header_says():
    found = read_jpeg(flat("CMYK", progressive=True, exif=exif(6), icc_profile=SRGB))
    assert (found.components, found.progressive, found.one_scan, found.icc) == (4, True, False, SRGB)
    assert found.adobe is not None
    assert found.exif == exif(6)


def part(number, count, content):
    return jpeg_segment(0xE2, b"ICC_PROFILE\0" + bytes([number, count]) + content)


@pytest.mark.parametrize(
    ("segments", "profile"),
    [
        ([part(1, 2, b"one"), part(2, 2, b"two")], b"onetwo"),
        ([part(2, 2, b"two"), part(1, 2, b"one")], b"onetwo"),
        ([jpeg_segment(0xE2, b"ICC_PROFILE\0")], b""),
        ([jpeg_segment(0xE2, b"MPF\0")], b""),
    ],
)
def test_a_profile_comes_in_parts(segments, profile):
    assert read_jpeg(in_jpeg(flat(), *segments)).icc == profile


@given(st.binary(max_size=60))
def test_any_bytes_end_quickly(tail):
    plain_jpeg(b"\xff\xd8" + tail)
    for data in (b"\xff\xd8" + tail, flat(progressive=True)[:600] + tail):
        with suppress(ValueError):
            found = read_jpeg(data)
            follow_scans(data, found)
            only_pixels(data, found)


@pytest.mark.parametrize("filling", [b"\xff\xfe\0\2", b"\xff", b"\xff\xda\0\2", b"\xff\xd8", b"\xff\0"])
def test_files_full_of_markers_end_quickly(filling):
    many = filling * (8_000_000 // len(filling))
    started = time.perf_counter()
    for data in (b"\xff\xd8" + many, flat(progressive=True)[:-2] + many):
        with suppress(ValueError):
            follow_scans(data, read_jpeg(data))
    assert time.perf_counter() - started < 5


@given(st.data())
def test_damaged_headers_agree_with_pillow_or_have_no_size(data):
    file = bytearray(flat())
    for _ in range(data.draw(st.integers(1, 3))):
        file[data.draw(st.integers(2, 200))] = data.draw(st.integers(0, 255))
    size = size_of(plain_jpeg(bytes(file)))
    if size is not None and min(size) > 0:
        with suppress(OSError, SyntaxError, ValueError, IndexError):  # Pillow looks into tables as well
            assert Image.open(io.BytesIO(bytes(file))).size == size
        assert size_of(read_jpeg(bytes(file))) == size
