"""Where clothes are, at the reference system's proportions, and their colours."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.persons.clothing import clothes_box, colours, visible_share

HEIGHT = 400
RED, BLUE = (255, 0, 0), (0, 0, 255)


def plain(*rgb, size=20):
    return np.full((size, size, 3), rgb, np.uint8)


@pytest.mark.parametrize(
    ("face", "box", "share"),
    [
        # w = 50, h = 100: left - w to right + w; bottom + .2 h to bottom + h
        ((100, 50, 150, 150), (50, 170, 200, 250), 1),
        ((100, 180, 150, 280), (50, 300, 200, 380), 1),
        ((100, 200, 150, 300), (50, 320, 200, 400), 1),
        ((100, 220, 150, 320), (50, 340, 200, 400), 0.75),  # the frame's lower edge
        ((100, 260, 150, 360), (50, 380, 200, 400), 0.25),
        ((100, 280, 150, 380), (50, 400, 200, 400), 0),
        ((100, 290, 150, 390), (50, 410, 200, 400), 0),  # below it: the box has no height
        ((0, 50, 50, 150), (-50, 170, 100, 250), 1),  # the sides are padded, not clamped
        ((10, 10, 10, 10), (10, 10, 10, 10), 0),
    ],
)
def test_the_box_under_a_face(face, box, share):
    found = clothes_box(np.array(face, np.float32), HEIGHT)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, box, rtol=1e-6)
    assert visible_share(found, np.array(face, np.float32)) == pytest.approx(share, abs=1e-5)


def test_colours_of_hand_made_clothes():
    half = np.concatenate([plain(*RED), plain(*BLUE)])
    assert colours(half).shape == (128,)
    np.testing.assert_allclose(np.sort(colours(half))[-3:], [0, 0.5**0.5, 0.5**0.5], atol=1e-6)
    np.testing.assert_array_equal(colours(half), colours(half[::-1]))
    np.testing.assert_array_equal(colours(plain(*RED)), colours(plain(*RED, size=3)))
    # quarter to all: the Hellinger distance of (1/4, 3/4) and (1, 0), times sqrt(2)
    quarter = np.concatenate([plain(*RED), *[plain(*BLUE)] * 3])
    hellinger = (((0.5 - 1) ** 2 + 0.75) / 2) ** 0.5
    assert np.linalg.norm(colours(quarter) - colours(plain(*RED))) == pytest.approx(2**0.5 * hellinger, abs=1e-6)
    assert np.linalg.norm(colours(plain(*RED)) - colours(plain(*BLUE))) == pytest.approx(2**0.5)
    assert colours(plain(0, 0, 0)) @ colours(plain(255, 255, 255)) == 0


@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 1000))
def test_colours_are_of_unit_length(height, width, seed):
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    found = colours(pixels)
    assert np.linalg.norm(found) == pytest.approx(1, abs=1e-5)
    assert (found >= 0).all()
