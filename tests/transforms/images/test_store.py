"""What a downloaded file may become: bounded before it is made, and never a defect."""

import tracemalloc
from contextlib import suppress

import cv2
import numpy as np
import pytest

from tests.image_files import SMALL, png, saved
from transforms.images import store
from transforms.images.decode import decode
from transforms.images.encode import MAX_SIDE, encode
from transforms.images.header import read_header
from transforms.images.settings import AcceptSettings, StoreSettings
from transforms.images.store import store_image
from transforms.tables.reasons import Rejected

ACCEPT = AcceptSettings()


def strip(width, height):
    return png(np.full((height, width, 3), 90, np.uint8))


@pytest.mark.parametrize(
    ("size", "settings", "why"),
    [
        ((1, 2500), {"mode": "keep_ratio"}, "a side of a jpeg"),
        ((2500, 1), {"mode": "keep_ratio"}, "a side of a jpeg"),
        ((1, 2500), {"mode": "keep_ratio", "format": "png"}, "a side of a png"),
        ((2, 2500), {"mode": "keep_ratio", "format": "png"}, "max_pixels"),
        ((10, 250), {"mode": "keep_ratio", "size": 8192}, "a side of a jpeg"),
        ((1000, 5000), {"mode": "keep_ratio", "size": 8192}, "max_pixels"),
        ((1, 70_000), {"mode": "no"}, "a side of a jpeg"),
        ((1, 17_000), {"mode": "no", "format": "webp"}, "a side of a webp"),
        ((1, 20_000), {"mode": "keep_ratio", "size": 16, "format": "webp", "only_if_bigger": True}, "a side of a webp"),
    ],
)
def test_what_would_grow_too_large_is_refused_before_it_is_decoded(size, settings, why, monkeypatch):
    monkeypatch.setattr(store, "decode", lambda *_, **__: pytest.fail("decoded"))
    with pytest.raises(Rejected, match=why) as rejected:
        store_image(strip(*size), ACCEPT, StoreSettings(**{"only_if_bigger": False, **settings}))
    assert rejected.value.code == "too_large_result"


@pytest.mark.parametrize(
    ("size", "settings", "came"),
    [
        ((1, 2500), {"mode": "center_crop"}, (640, 640)),
        ((60_000, 1), {"mode": "center_crop", "size": 64}, (64, 64)),
        ((1, 2500), {"mode": "border"}, (640, 640)),
        ((1, 2500), {"mode": "keep_ratio_largest"}, (1, 640)),
        ((1, 70_000), {"mode": "no", "format": "png"}, (1, 70_000)),
        ((1, 65_500), {"mode": "no"}, (1, 65_500)),
        ((1, 2500), {"mode": "keep_ratio", "only_if_bigger": True}, (1, 2500)),
        ((1, 100), {"mode": "keep_ratio"}, (640, 64_000)),
    ],
)
def test_strips_that_fit_are_stored(size, settings, came):
    stored = store_image(strip(*size), ACCEPT, StoreSettings(**{"only_if_bigger": False, **settings}))
    assert (stored.width, stored.height) == came
    header = read_header(stored.file, ACCEPT)
    assert (header.width, header.height) == came


@pytest.mark.parametrize("name", MAX_SIDE)
def test_the_limits_are_those_of_the_encoders(name):
    longest = np.zeros((1, MAX_SIDE[name], 3), np.uint8)
    assert encode(longest, name, 90)
    if name != "png":
        with pytest.raises((ValueError, cv2.error)):
            encode(np.zeros((1, MAX_SIDE[name] + 1, 3), np.uint8), name, 90)


def test_the_cap_does_not_forbid_the_size_that_is_asked_for():
    stored = store_image(
        saved(SMALL, "jpeg"),
        AcceptSettings(max_pixels=10_000),
        StoreSettings(mode="border", size=512, only_if_bigger=False),
    )
    assert (stored.width, stored.height) == (512, 512)


@pytest.mark.parametrize("mode", ["keep_ratio", "center_crop", "border"])
@pytest.mark.parametrize("size", [(1, 2500), (1, 60_000), (60_000, 1)])
def test_strips_of_a_few_kilobytes_cost_no_memory(mode, size):
    file = strip(*size)
    tracemalloc.start()
    with suppress(Rejected):
        store_image(file, ACCEPT, StoreSettings(mode=mode, only_if_bigger=False))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 << 20  # scaled as a whole they have 3 to 70 GB


def test_a_square_is_cut_from_the_middle():
    picture = np.zeros((90, 300, 3), np.uint8)
    picture[:, 105:195] = (200, 100, 50)
    stored = store_image(png(picture), ACCEPT, StoreSettings(mode="center_crop", size=45, format="png"))
    image = decode(stored.file, read_header(stored.file, ACCEPT))
    assert (image == (200, 100, 50)).all()
