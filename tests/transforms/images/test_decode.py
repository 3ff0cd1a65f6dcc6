"""Images of every kind: what they are, what is refused from the header, and that pixels come out right."""

import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms
from skimage import data

from transforms.images import jpeg_pixels
from transforms.images.decode import decode
from transforms.images.encode import encode
from transforms.images.header import read_header
from transforms.images.orientation import turn
from transforms.images.settings import FORMATS, AcceptSettings
from transforms.images.sniff import sniff
from transforms.tables.reasons import Rejected

ACCEPT = AcceptSettings()
PHOTO = data.astronaut()


def saved(picture, file_format, **options):
    out = io.BytesIO()
    (Image.fromarray(picture) if isinstance(picture, np.ndarray) else picture).save(out, file_format, **options)
    return out.getvalue()


def pixels(file, at_least=None):
    return decode(file, read_header(file, ACCEPT), at_least)


def psnr(one, other):
    return cv2.PSNR(np.ascontiguousarray(one), np.ascontiguousarray(other))


def code(file, accept=ACCEPT):
    with pytest.raises(Rejected) as why:
        decode(file, read_header(file, accept))
    return why.value.code


@pytest.mark.parametrize("file", [b"", b"\xff", b"GIF", b"<svg></svg>", b"<html>", b"RIFF0000WAVE", b"\0" * 100])
def test_what_is_no_image(file):
    assert code(file) == "not_an_image"


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_known_and_decoded(name):
    file = saved(PHOTO, name, **({"lossless": True} if name == "webp" else {}))
    assert sniff(file) == name
    header = read_header(file, ACCEPT)
    assert (header.format, header.width, header.height) == (name, 512, 512)
    quality = {"jpeg": 30, "gif": 25, "avif": 30}.get(name, 99)
    assert psnr(pixels(file), PHOTO) > quality


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_can_be_refused(name):
    others = tuple(other for other in FORMATS if other != name)
    assert code(saved(PHOTO, name), AcceptSettings(formats=others)) == "not_an_image"


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("share", [0.02, 0.3, 0.9])
def test_truncated_files_are_broken(name, share):
    file = saved(PHOTO, name)
    assert code(file[: int(len(file) * share)]) == "broken_image"


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=30, deadline=None)
@given(place=st.floats(0, 1), junk=st.binary(min_size=1, max_size=40))
def test_damaged_files_decode_or_are_rejected(name, place, junk):
    file = bytearray(saved(PHOTO[:64, :64], name))
    at = int(place * (len(file) - 1))
    file[at : at + len(junk)] = junk
    try:
        got = pixels(bytes(file))
    except Rejected as why:
        got = why
    if isinstance(got, Rejected):
        assert got.code in ("broken_image", "not_an_image", "too_many_pixels")
    else:
        assert got.dtype == np.uint8


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"max_pixels": 512 * 512 - 1}, "too_many_pixels"),
        ({"min_side": 513}, "too_small_image"),
    ],
)
def test_caps_are_asked_before_decoding(name, change, reason, monkeypatch):
    monkeypatch.setattr(Image.Image, "load", lambda self: pytest.fail("decoded"))
    with pytest.raises(Rejected) as why:
        read_header(saved_once(name), AcceptSettings(**change))
    assert why.value.code == reason


_ONCE = {}


def saved_once(name):
    return _ONCE[name]


@pytest.fixture(autouse=True, scope="module")
def _save_all():
    _ONCE.update({name: saved(PHOTO, name) for name in FORMATS})


@pytest.mark.parametrize(("width", "limit", "refused"), [(64, 4, False), (64, 3.9, True), (64, 0, False)])
def test_aspect(width, limit, refused):
    file = saved(PHOTO[:16, :width], "png")
    if refused:
        assert code(file, AcceptSettings(max_aspect=limit)) == "bad_aspect"
    else:
        read_header(file, AcceptSettings(max_aspect=limit))


def png_of(width, height, body):
    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(body)) + chunk(b"IEND", b"")


@pytest.mark.parametrize(("width", "height"), [(100_000, 100_000), (2**31 - 1, 2**31 - 1), (9000, 9000)])
def test_a_png_bomb_is_refused_by_its_header(width, height):
    assert code(png_of(width, height, bytes(1000))) == "too_many_pixels"


def test_a_progressive_jpeg_of_endless_scans_is_refused():
    file = saved(PHOTO[:64, :64], "jpeg", progressive=True)
    last = file.rfind(b"\xff\xda")
    assert code(file[:last] + file[last:-2] * 300 + file[-2:]) == "broken_image"


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", ["jpeg", "png", "webp"])
def test_exif_orientation_is_applied(orientation, name):
    upright = np.zeros((48, 64, 3), np.uint8)
    upright[:16, :16] = (255, 0, 0)
    upright[32:, 48:] = (0, 255, 0)
    upright[:16, 48:] = (0, 0, 255)
    # the stored picture is the upright one under the inverse of what the tag asks for
    inverse = {5: 5, 6: 8, 7: 7, 8: 6}.get(orientation, orientation)
    stored = turn(upright, inverse)
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = saved(np.ascontiguousarray(stored), name, exif=exif, **({} if name == "png" else {"quality": 95}))
    header = read_header(file, ACCEPT)
    assert (header.width, header.height, header.orientation) == (64, 48, orientation)
    got = pixels(file)
    assert got.shape == upright.shape
    assert psnr(got, upright) > 20
    from PIL import ImageOps

    theirs = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(file))).convert("RGB"))
    assert psnr(got, theirs) > 35


def test_the_fast_path_is_taken_for_jpegs_at_every_scale(monkeypatch):
    monkeypatch.setattr(jpeg_pixels, "only_pixels", lambda *_: pytest.fail("slow path"))
    file = saved(cv2.resize(PHOTO, (1600, 1200)), "jpeg", quality=95)
    for target, width in (
        ((1600, 1200), 1600),
        ((800, 600), 800),
        ((399, 299), 400),
        ((401, 300), 800),
        ((20, 15), 200),
    ):
        got = pixels(file, target)
        assert got.shape == (width * 3 // 4, width, 3)
        assert psnr(got, cv2.resize(PHOTO, got.shape[1::-1], interpolation=cv2.INTER_AREA)) > 28  # and red is red


@pytest.mark.parametrize("at_least", [None, (100, 75), (50, 38), (33, 20)])
def test_scaled_decoding_never_goes_below_the_target(at_least):
    for file in (saved(PHOTO[:150, :200], "jpeg"), saved(Image.fromarray(PHOTO[:150, :200]).convert("CMYK"), "jpeg")):
        got = pixels(file, at_least)
        if at_least:
            assert got.shape[1] >= at_least[0]
            assert got.shape[0] >= at_least[1]
        else:
            assert got.shape == (150, 200, 3)


def grey16():
    return Image.fromarray(PHOTO[..., 0].astype(np.uint16) * 257)


@pytest.mark.parametrize(
    ("picture", "name", "expected"),
    [
        (Image.fromarray(PHOTO).convert("L"), "jpeg", "grey"),
        (Image.fromarray(PHOTO).convert("L"), "png", "grey"),
        (Image.fromarray(PHOTO).convert("1"), "png", None),
        (Image.fromarray(PHOTO).convert("P", palette=Image.Palette.ADAPTIVE), "png", "colour"),
        (Image.fromarray(PHOTO).convert("RGBA"), "png", "colour"),
        (Image.fromarray(PHOTO).convert("LA"), "png", "grey"),
        (Image.fromarray(PHOTO).convert("CMYK"), "jpeg", "colour"),
        (Image.fromarray(PHOTO).convert("CMYK"), "tiff", "colour"),
        (grey16(), "png", "red"),
        (grey16(), "tiff", "red"),
    ],
)
def test_modes_become_rgb(picture, name, expected):
    got = pixels(saved(picture, name))
    assert (got.dtype, got.shape) == (np.uint8, (512, 512, 3))
    wanted = {
        "grey": np.asarray(Image.fromarray(PHOTO).convert("L").convert("RGB")),
        "colour": PHOTO,
        "red": np.repeat(PHOTO[..., :1], 3, axis=2),
    }
    if expected:
        assert psnr(got, wanted[expected]) > 24


def test_floating_point_pixels_are_refused():
    assert code(saved(Image.fromarray(PHOTO[..., 0].astype(np.float32)), "tiff")) == "broken_image"


@pytest.mark.parametrize("name", ["png", "webp", "avif"])
def test_alpha_goes_on_white(name):
    rgba = np.dstack([PHOTO[:64, :64], np.zeros((64, 64), np.uint8)])
    rgba[:32, :, 3] = 255
    rgba[32:48, :, 3] = 128
    got = pixels(saved(rgba, name, **({"lossless": True} if name == "webp" else {}))).astype(int)
    assert abs(got[48:] - 255).max() <= 2
    assert np.abs(got[:30] - PHOTO[:30, :64]).mean() < 4
    assert np.abs(got[34:46] - (PHOTO[34:46, :64] + 255.0) / 2).mean() < 4


def test_a_transparent_palette_colour_goes_on_white():
    picture = Image.new("P", (8, 8), 0)
    picture.putpalette([10, 20, 30, 200, 0, 0])
    for name in ("png", "gif"):
        assert (pixels(saved(picture, name, transparency=0)) == 255).all()


@pytest.mark.parametrize("name", ["gif", "webp", "png", "avif"])
def test_the_first_frame_of_an_animation(name):
    frames = [Image.new("RGB", (32, 32), colour) for colour in ("red", "blue", "lime")]
    file = saved(frames[0], name, save_all=True, append_images=frames[1:], duration=100)
    got = pixels(file)
    assert got.shape == (32, 32, 3)
    assert np.abs(got[16, 16].astype(int) - (255, 0, 0)).max() < 12


def test_an_embedded_profile_is_converted():
    """A profile with a gamma of 1 says that the numbers are linear light."""
    linear = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    plain = saved(PHOTO, "jpeg", quality=95)
    same = saved(PHOTO, "jpeg", quality=95, icc_profile=srgb)
    assert read_header(same, ACCEPT).plain
    assert (pixels(plain) == pixels(same)).all()
    swapped = saved(PHOTO, "jpeg", quality=95, icc_profile=wide_profile())
    assert not read_header(swapped, ACCEPT).plain
    assert psnr(pixels(swapped), pixels(plain)) < 30
    assert psnr(pixels(saved(PHOTO, "jpeg", quality=95, icc_profile=b"nonsense")), pixels(plain)) > 40
    assert pixels(saved(PHOTO, "jpeg", icc_profile=linear)).shape == PHOTO.shape  # made for no RGB image


def wide_profile():
    """An sRGB profile whose red and blue primaries are exchanged and whose name says nothing."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, blue = profile.index(b"rXYZ"), profile.index(b"bXYZ")
    profile[red : red + 4], profile[blue : blue + 4] = b"bXYZ", b"rXYZ"
    for text in ("sRGB", "s\0R\0G\0B", "\0s\0R\0G\0B"):
        raw = text.encode("latin-1")
        while raw in profile:
            at = profile.index(raw)
            profile[at : at + len(raw)] = raw.replace(b"s", b"x")
    return bytes(profile)


@pytest.mark.parametrize("name", ["jpeg", "webp", "png"])
def test_encode(name):
    file = encode(PHOTO, name, 90)
    assert sniff(file) == name
    assert psnr(pixels(file), PHOTO) > 30
