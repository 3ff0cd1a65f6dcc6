"""Colour spaces by numbers: what is sRGB, what is not, and the way from the others."""

import struct

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.image_files import GREY, SMALL, iccp, linear, png, png_chunk, profile, saved
from transforms.images.decode import decode
from transforms.images.header import read_header
from transforms.images.light import SRGB, Light, by_codes, by_gamma, readable, to_srgb
from transforms.images.settings import AcceptSettings

ACCEPT = AcceptSettings()
LIGHT = np.rint(linear(SMALL) * 255).astype(np.uint8)
P3 = (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, 0.3127, 0.3290)


def gama(value):
    return png_chunk(b"gAMA", struct.pack(">I", value))


def chrm(primaries):
    red_to_blue, white = primaries[:6], primaries[6:]
    return png_chunk(b"cHRM", struct.pack(">8I", *(round(value * 100_000) for value in (*white, *red_to_blue))))


def cicp(*codes):
    return png_chunk(b"cICP", bytes(codes))


def shown(file):
    return decode(file, read_header(file, ACCEPT)).astype(int)


SRGB_CHUNK = png_chunk(b"sRGB", b"\0")


@pytest.mark.parametrize(
    ("chunks", "pixels"),
    [
        (b"", SMALL),
        (gama(45455), SMALL),
        (gama(45000) + chrm(SRGB), SMALL),
        (gama(47000), SMALL),
        (gama(100_000), LIGHT),
        (gama(100_000) + chrm(SRGB), LIGHT),
        (SRGB_CHUNK + gama(100_000), SMALL),
        (gama(100_000) + SRGB_CHUNK, SMALL),
        (gama(0), SMALL),
        (gama(1), SMALL),
        (gama(2**31), SMALL),
        (chrm(P3), SMALL),  # without gAMA it says nothing
        (gama(45455) + chrm((0,) * 8), SMALL),
        (iccp(profile()) + gama(100_000), SMALL),
        (iccp(profile(gamma=1)) + gama(45455), LIGHT),
        (iccp(b"no profile") + gama(100_000), LIGHT),
        (iccp(profile(grey=True)) + gama(100_000), LIGHT),
        (cicp(1, 13, 0, 1) + gama(100_000), SMALL),
        (cicp(1, 13, 0, 1) + iccp(profile(gamma=1)), SMALL),
        (cicp(1, 8, 0, 1) + SRGB_CHUNK, LIGHT),
        (cicp(1, 1, 0, 1), SMALL),
        (cicp(2, 2, 0, 1) + gama(100_000), LIGHT),  # unknown codes say nothing
        (cicp(1, 8, 1, 1), SMALL),  # a matrix: no RGB
        (cicp(99, 99, 9, 9), SMALL),
        (png_chunk(b"gAMA", bytes(2)), SMALL),
        (png_chunk(b"gAMA", struct.pack(">I", 100_000), checksum_off=1), SMALL),
        (gama(100_000) + gama(45455), LIGHT),  # the first counts
    ],
)
def test_what_a_png_says_of_its_colours(chunks, pixels):
    assert np.abs(shown(png(pixels, before=chunks)) - SMALL).mean() < 3


def test_gamma_counts_for_grey_palettes_and_16_bits():
    assert np.abs(shown(png(np.rint(linear(GREY) * 255), kind=0, before=gama(100_000))) - GREY[..., None]).mean() < 3
    deep = np.rint(linear(SMALL) * 65535)
    assert np.abs(shown(png(deep, depth=16, before=gama(100_000))) - SMALL).mean() < 3
    palette = png_chunk(b"PLTE", bytes([0, 0, 0, 55, 55, 55]))
    assert shown(png(np.ones((2, 2)), kind=3, before=gama(100_000) + palette)).max() == 128


def test_gamma_is_not_plain_and_srgb_by_any_name_is():
    assert not read_header(png(SMALL, before=gama(100_000)), ACCEPT).plain
    for chunks in (gama(45455), SRGB_CHUNK, gama(45455) + chrm(SRGB), cicp(1, 13, 0, 1)):
        assert read_header(png(SMALL, before=chunks), ACCEPT).plain


@pytest.mark.parametrize("how", [cicp(12, 13, 0, 1), gama(45455) + chrm(P3)])
def test_wide_primaries_are_wide(how):
    """Display P3's numbers for some of sRGB's colours, by the published matrix (CSS Color 4, 17)."""
    to_p3 = np.array([(0.82246, 0.17754, 0), (0.03319, 0.96681, 0), (0.01708, 0.07240, 0.91052)])
    light = linear(SMALL) @ to_p3.T
    numbers = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    assert np.abs(shown(png(np.rint(255 * numbers), before=how)) - SMALL).mean() < 2


@pytest.mark.parametrize("transfer", [16, 18])
def test_high_range_is_shown_in_the_common_one(transfer):
    ramp = np.repeat(np.linspace(0, 255, 64).astype(np.uint8)[None, :, None], 3, axis=2)
    got = shown(png(ramp, before=cicp(9, transfer, 0, 1)))
    assert (np.diff(got[0, :, 0]) >= 0).all()
    assert got[0, 0].max() == 0
    assert got[0, -1].min() > 230
    # the white of graphics: PQ's 58 %, HLG's 75 % (BT.2408)
    white = round({16: 0.58, 18: 0.75}[transfer] * 63)
    assert 200 < got[0, white].mean() < 252


def test_an_avif_says_it_in_its_container():
    file = saved(LIGHT, "avif", quality=100, subsampling="4:4:4")
    at = file.index(b"colrnclx")
    assert struct.unpack_from(">HH", file, at + 8) == (1, 13)
    said = file[: at + 10] + struct.pack(">H", 8) + file[at + 12 :]
    assert np.abs(shown(said) - SMALL).mean() < 4
    assert np.abs(shown(file) - LIGHT).mean() < 4


def test_white_stays_white_under_any_white_point():
    warm = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3457, 0.3585)
    assert (to_srgb(np.full((2, 2, 3), 255, np.uint8), Light(warm)) >= 254).all()


def test_large_pictures_are_converted_in_parts():
    wide = cv2.resize(SMALL, (3000, 1200))
    whole = to_srgb(wide, Light(P3, 1.0))
    assert (whole[::400] == to_srgb(np.ascontiguousarray(wide[::400]), Light(P3, 1.0))).all()


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(0, 100_000), min_size=8, max_size=8))
def test_any_numbers_give_a_picture(gamma, chromaticities):
    primaries = tuple(value / 100_000 for value in chromaticities)
    light = by_gamma(gamma, primaries if readable(primaries) else None)
    if light is not None:
        assert to_srgb(SMALL[:4, :4], light).shape == (4, 4, 3)


@given(st.integers(0, 255), st.integers(0, 255))
def test_any_codes_give_a_picture(primaries, transfer):
    light = by_codes(primaries, transfer)
    if light is not None:
        assert to_srgb(SMALL[:4, :4], light).shape == (4, 4, 3)
