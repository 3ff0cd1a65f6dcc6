"""Colour profiles: judged by their content, applied to every kind of picture that carries one."""

import struct
import time

import numpy as np
import pytest
from PIL import Image, ImageCms

from tests.image_files import GREY, PHOTO, SMALL, SRGB, iccp, linear, packed_profile, png, profile, saved, tiff
from transforms.images.decode import decode
from transforms.images.header import read_header
from transforms.images.profiles import is_srgb, to_srgb
from transforms.images.settings import AcceptSettings

ACCEPT = AcceptSettings()
LIGHT = np.rint(linear(SMALL) * 255).astype(np.uint8)  # the same picture where numbers are light
GREY_LIGHT = np.rint(linear(GREY) * 255).astype(np.uint8)


def shown(file):
    return decode(file, read_header(file, ACCEPT)).astype(int)


@pytest.mark.parametrize("name", ["a profile", "sRGB", "sRGB linear", "sRGB IEC61966-2.1", "c2"])
@pytest.mark.parametrize(
    ("made", "same"), [({}, True), ({"gamma": 1}, False), ({"gamma": 1.8}, False), ({"swapped": True}, False)]
)
def test_a_profile_is_what_it_does(name, made, same):
    content = profile(name=name, **made)
    assert is_srgb(content, "RGB") == same
    assert read_header(saved(SMALL, "jpeg", icc_profile=content), ACCEPT).plain == same
    assert read_header(png(SMALL, before=iccp(content)), ACCEPT).plain == same


def test_a_profile_beyond_the_cap_is_as_none():
    padded = profile(gamma=1) + bytes(5 << 20)
    assert to_srgb(Image.fromarray(SMALL), padded) is None
    assert to_srgb(Image.fromarray(SMALL), padded[: 3 << 20]) is not None


def test_the_profile_that_others_write_is_srgb():
    assert is_srgb(SRGB, "RGB")
    assert is_srgb(b"", "RGB")


@pytest.mark.parametrize(
    "content",
    [
        b"nonsense",
        SRGB[:200],
        SRGB[:130],
        b"\0" * 5000,
        profile(grey=True),
        ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes(),
    ],
    ids=["nonsense", "cut", "head alone", "zeros", "of grey", "of XYZ"],
)
@pytest.mark.parametrize("name", ["jpeg", "png", "webp", "tiff", "avif"])
def test_a_profile_that_cannot_be_used_is_as_none(content, name):
    options = {"quality": 95} if name in ("jpeg", "webp", "avif") else {}
    assert np.abs(shown(saved(SMALL, name, icc_profile=content, **options)) - SMALL).mean() < 8


@pytest.mark.parametrize("name", ["jpeg", "png", "webp", "tiff", "avif"])
def test_every_format_that_carries_a_profile_is_converted(name):
    options = {"quality": 100} if name in ("jpeg", "avif") else {"lossless": True} if name == "webp" else {}
    file = saved(LIGHT, name, icc_profile=profile(gamma=1, name="sRGB linear"), **options)
    assert np.abs(shown(file) - SMALL).mean() < 4


OPAQUE = np.full(GREY.shape, 65535, np.uint16)
GREY_PROFILE = profile(gamma=1, grey=True, name="sRGB grey")


@pytest.mark.parametrize(
    "file",
    [
        png(GREY_LIGHT, kind=0, before=iccp(GREY_PROFILE)),
        png(GREY_LIGHT.astype(np.uint16) * 257, kind=0, depth=16, before=iccp(GREY_PROFILE)),
        png(np.dstack([GREY_LIGHT, np.full_like(GREY, 255)]), kind=4, before=iccp(GREY_PROFILE)),
        png(np.dstack([GREY_LIGHT * np.uint16(257), OPAQUE]), kind=4, depth=16, before=iccp(GREY_PROFILE)),
        saved(Image.fromarray(GREY_LIGHT), "jpeg", quality=100, icc_profile=GREY_PROFILE),
        saved(Image.fromarray(GREY_LIGHT), "tiff", icc_profile=GREY_PROFILE),
        tiff(GREY_LIGHT.astype(np.uint16) * 257, 1, [(34675, 7, len(GREY_PROFILE), GREY_PROFILE)], bits=16),
        tiff(65535 - GREY_LIGHT.astype(np.uint16) * 257, 0, [(34675, 7, len(GREY_PROFILE), GREY_PROFILE)], bits=16),
    ],
    ids=["png", "png 16", "png alpha", "png alpha 16", "jpeg", "tiff", "tiff 16", "tiff 16 white is zero"],
)
def test_grey_profiles_count_at_every_depth_and_beside_alpha(file):
    assert np.abs(shown(file) - GREY[..., None]).mean() < 3


def test_colour_profiles_count_at_16_bits_beside_alpha_and_in_palettes():
    content, deep = profile(gamma=1), LIGHT.astype(np.uint16) * 257
    opaque = np.full((*GREY.shape, 1), 65535, np.uint16)
    for file in (
        png(deep, depth=16, before=iccp(content)),
        png(np.dstack([deep, opaque]), kind=6, depth=16, before=iccp(content)),
        png(np.dstack([LIGHT, opaque.astype(np.uint8)]), kind=6, before=iccp(content)),
        tiff(deep, 2, [(34675, 7, len(content), content)], bits=16),
    ):
        assert np.abs(shown(file) - SMALL).mean() < 4
    palette = Image.fromarray(LIGHT).convert("P", palette=Image.Palette.ADAPTIVE)
    file = saved(palette, "png", icc_profile=content)
    assert np.abs(shown(file) - SMALL).mean() < 20


def test_lab_and_cmyk_are_colours():
    lab = ImageCms.profileToProfile(
        Image.fromarray(SMALL), ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
    )
    assert np.abs(shown(saved(lab, "tiff")) - SMALL).mean() < 3
    for name in ("jpeg", "tiff"):
        ink = saved(Image.fromarray(SMALL).convert("CMYK"), name, **({"quality": 95} if name == "jpeg" else {}))
        assert np.abs(shown(ink) - SMALL).mean() < 4


def black_alone():
    """A profile of CMYK in which colours print nothing: light is what black leaves."""
    identity = bytes(range(256))
    matrix = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    corners = bytes([255, 128, 128, 0, 128, 128]) * 8  # L, a, b; black is what changes fastest
    table = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + matrix + identity * 4 + corners + identity * 3
    return packed_profile(b"CMYK", {b"A2B0": table}, b"Lab ")


@pytest.mark.parametrize(("name", "options"), [("jpeg", {"quality": 100}), ("tiff", {})])
def test_ink_is_what_its_profile_says(name, options):
    ink = Image.new("CMYK", (16, 16), (255, 100, 0, 0))
    assert shown(saved(ink, name, icc_profile=black_alone(), **options)).min() > 250
    assert shown(saved(ink, name, **options)).min() < 20


def steps(count):
    """A floating-point transform of so many steps, which share one matrix in the file."""
    one = b"matf" + bytes(4) + struct.pack(">HH12f", 3, 3, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0)
    head = b"mpet" + bytes(4) + struct.pack(">HHI", 3, 3, count)
    return head + struct.pack(">II", len(head) + 8 * count, len(one)) * count + one


def test_a_profile_of_endless_steps_costs_nothing():
    count = struct.unpack_from(">I", SRGB, 128)[0]
    tags = {}
    for at in range(132, 132 + 12 * count, 12):
        name, start, length = struct.unpack_from(">4sII", SRGB, at)
        tags[name] = SRGB[start : start + length]
    hostile = packed_profile(b"RGB ", {**tags, b"D2B0": steps(4000)})
    started = time.perf_counter()
    assert is_srgb(hostile, "RGB")
    assert to_srgb(Image.fromarray(PHOTO), hostile) is not None
    assert time.perf_counter() - started < 3  # 40 s if each step were computed
