import io
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms

from transforms.media.jpeg import plain_jpeg_size


def saved(mode="RGB", size=(40, 30), **options):
    out = io.BytesIO()
    Image.new(mode, size).save(out, "JPEG", **options)
    return out.getvalue()


def with_orientation():
    exif = Image.Exif()
    exif[0x0112] = 6
    return saved(exif=exif)


SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.mark.parametrize("data", [b"", b"\xff\xd8", b"\xff\xd8\xff", b"\xff\xd8\xff\xda" + bytes(20), saved()[:40]])
def test_nothing_and_stumps_have_no_size(data):
    assert plain_jpeg_size(data) is None


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("options", [{}, {"optimize": True}, {"comment": "hello"}, {"subsampling": 0}])
def test_plain_files(mode, options):
    assert plain_jpeg_size(saved(mode, **options)) == (40, 30)


@pytest.mark.parametrize(
    "data",
    [saved("CMYK"), saved(progressive=True), with_orientation(), saved(icc_profile=SRGB)],
    ids=["cmyk", "progressive", "exif", "icc"],
)
def test_what_needs_a_general_reader(data):
    assert plain_jpeg_size(data) is None


@given(st.binary(max_size=60))
def test_any_bytes_end_quickly(tail):
    plain_jpeg_size(b"\xff\xd8" + tail)


@given(st.data())
def test_damaged_headers_agree_with_pillow_or_have_no_size(data):
    file = bytearray(saved())
    for _ in range(data.draw(st.integers(1, 3))):
        file[data.draw(st.integers(2, 200))] = data.draw(st.integers(0, 255))
    size = plain_jpeg_size(bytes(file))
    if size is not None and min(size) > 0:
        with suppress(OSError, SyntaxError, ValueError, IndexError):  # Pillow looks into tables as well
            assert Image.open(io.BytesIO(bytes(file))).size == size
