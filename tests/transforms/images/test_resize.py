"""Resizing: geometry of every mode, and what is kept byte for byte."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from skimage import data

from tests.fault_server import picture
from transforms.images.decode import decode
from transforms.images.encode import encode
from transforms.images.header import read_header
from transforms.images.resize import apply_plan, plan_resize
from transforms.images.settings import AcceptSettings, StoreSettings
from transforms.images.store import store_image
from transforms.tables.reasons import Rejected

ACCEPT = AcceptSettings()


@pytest.mark.parametrize(
    ("mode", "bigger", "size", "came", "scaled", "canvas"),
    [
        ("no", False, 640, (800, 600), (800, 600), (800, 600)),
        ("keep_ratio", False, 300, (800, 600), (400, 300), (400, 300)),
        ("keep_ratio", False, 1200, (800, 600), (1600, 1200), (1600, 1200)),
        ("keep_ratio", True, 600, (800, 600), (800, 600), (800, 600)),
        ("keep_ratio", True, 700, (800, 600), (800, 600), (800, 600)),
        ("keep_ratio_largest", False, 400, (800, 600), (400, 300), (400, 300)),
        ("keep_ratio_largest", True, 700, (800, 600), (700, 525), (700, 525)),
        ("border", False, 400, (800, 600), (400, 300), (400, 400)),
        ("border", False, 400, (60, 80), (300, 400), (400, 400)),
        ("border", True, 400, (60, 80), (60, 80), (60, 80)),
        ("center_crop", False, 300, (800, 600), (400, 300), (300, 300)),
        ("center_crop", True, 700, (800, 600), (800, 600), (800, 600)),
        ("border", False, 16, (10_000, 1), (16, 1), (16, 16)),
    ],
)
def test_plans(mode, bigger, size, came, scaled, canvas):
    plan = plan_resize(*came, StoreSettings(mode=mode, only_if_bigger=bigger, size=size))
    assert ((plan.width, plan.height), (plan.canvas_width, plan.canvas_height)) == (scaled, canvas)


@given(
    st.integers(1, 300),
    st.integers(1, 300),
    st.sampled_from(["no", "border", "keep_ratio", "keep_ratio_largest", "center_crop"]),
    st.booleans(),
    st.integers(16, 200),
)
def test_images_come_out_as_planned(width, height, mode, bigger, size):
    settings = StoreSettings(mode=mode, only_if_bigger=bigger, size=size)
    if max(width, height) > 20 * min(width, height):
        height = width  # enlarging a thread by its shorter side makes a giant
    plan = plan_resize(width, height, settings)
    out = apply_plan(np.full((height, width, 3), 100, np.uint8), plan, settings)
    assert out.shape == (plan.canvas_height, plan.canvas_width, 3)
    inside = (out == 100).all(axis=2).sum()
    assert inside == min(plan.width, plan.canvas_width) * min(plan.height, plan.canvas_height)
    assert ((out == 100) | (out == 255)).all()


def test_padding_and_cutting_are_centred():
    image = np.arange(5 * 3 * 3, dtype=np.uint8).reshape(3, 5, 3)
    wide = apply_plan(image, plan_resize(5, 3, StoreSettings(mode="no")), StoreSettings(mode="no"))
    assert (wide == image).all()
    settings = StoreSettings(mode="border", size=16, only_if_bigger=False)
    out = apply_plan(np.zeros((8, 16, 3), np.uint8), plan_resize(16, 8, settings), settings)
    assert (out[:4] == 255).all()
    assert (out[4:12] == 0).all()
    assert (out[12:] == 255).all()


@pytest.mark.parametrize(
    ("file", "changes", "same"),
    [
        (picture(64, 64), {"mode": "no"}, True),
        (picture(64, 64), {"mode": "border", "size": 64}, True),
        (picture(64, 48), {"mode": "keep_ratio", "size": 48}, True),
        (picture(64, 48), {"mode": "keep_ratio", "size": 480, "only_if_bigger": True}, True),
        (picture(64, 48), {"mode": "border", "size": 64, "only_if_bigger": False}, False),
        (picture(64, 64), {"mode": "no", "reencode": "always"}, False),
        (picture(64, 64, "PNG"), {"mode": "no"}, False),
        (picture(64, 64, "PNG"), {"mode": "no", "format": "png"}, True),
        (picture(64, 64, "GIF"), {"mode": "no"}, False),
    ],
)
@pytest.mark.parametrize("verify", [True, False])
def test_bytes_that_need_no_change_are_kept(file, changes, same, verify):
    settings = StoreSettings(verify=verify, **changes)
    stored = store_image(file, ACCEPT, settings)
    assert (stored.file == file) == same
    header = read_header(stored.file, ACCEPT)
    assert (header.width, header.height, header.format) == (stored.width, stored.height, settings.format)


@pytest.mark.parametrize("factor", [1.05, 1.3, 1.5, 1.8, 1.98, 2.5, 5])
def test_automatic_shrinking_is_as_good_as_area(factor):
    side = round(512 / factor)
    settings = {name: StoreSettings(mode="keep_ratio", size=side, shrink=name) for name in ("auto", "area")}
    auto, area = (
        apply_plan(data.astronaut(), plan_resize(512, 512, one), one).astype(float) for one in settings.values()
    )
    size = auto.shape[1::-1]
    ideal = np.asarray(Image.fromarray(data.astronaut()).resize(size, Image.Resampling.LANCZOS)).astype(float)
    assert np.square(auto - ideal).mean() < 1.45 * np.square(area - ideal).mean()


def test_broken_files_are_not_kept():
    file = picture(64, 64)
    with pytest.raises(Rejected, match="broken_image"):
        store_image(file[: len(file) // 2], ACCEPT, StoreSettings(mode="no"))


def test_scaled_decoding_is_as_good():
    """Against decoding in full: the difference is far below what JPEG at quality 85 costs."""
    import cv2

    big = cv2.resize(data.astronaut(), (2048, 2048), interpolation=cv2.INTER_CUBIC)
    file = encode(big, "jpeg", 95)
    stored = [
        store_image(file, ACCEPT, StoreSettings(size=300, quality=100, scaled_decode=fast)).file
        for fast in (False, True)
    ]
    full, scaled = (decode(one, read_header(one, ACCEPT)) for one in stored)
    assert cv2.PSNR(full, scaled) > 35
