"""Cutting boxes with fractions of pixels: against exact averages over areas, without trembling."""

import cv2
import numpy as np
import pytest

from transforms.tracking.cut_box import cut_box

HEIGHT, WIDTH = 120, 160


def texture() -> np.ndarray:
    noise = np.random.default_rng(3).integers(0, 256, (HEIGHT, WIDTH, 3)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 2)
    return np.clip((smooth - smooth.mean()) * 4 + 128, 0, 255).astype(np.uint8)


IMAGE = texture()


def shares(pixels: int, first: float, end: float, count: int) -> np.ndarray:
    """(count, pixels) of each of `count` equal steps from first to end, the share that lies in each pixel."""
    edges = np.linspace(first, end, count + 1)
    own = np.arange(pixels)
    inside = np.minimum(edges[1:, None], own + 1) - np.maximum(edges[:-1, None], own)
    return np.maximum(inside, 0) / (edges[1] - edges[0])


def exact(box, size) -> np.ndarray:
    rows, columns = shares(HEIGHT, box[1], box[3], size[1]), shares(WIDTH, box[0], box[2], size[0])
    return np.einsum("yh,hwc,xw->yxc", rows, IMAGE.astype(np.float64), columns, optimize=True)


def test_whole_pixels_at_their_own_size_stay_what_they_are():
    assert (cut_box(IMAGE, np.array([20, 10, 84, 58]), (64, 48)) == IMAGE[10:58, 20:84]).all()
    assert (cut_box(IMAGE, np.array([0, 0, WIDTH, HEIGHT]), (WIDTH, HEIGHT)) == IMAGE).all()


@pytest.mark.parametrize("size", [(96, 64), (90, 60), (66, 44), (48, 32), (30, 20), (16, 16), (120, 80)])
@pytest.mark.parametrize("shift", [0, 0.25, 0.5, 0.9])
def test_it_is_near_the_average_over_areas(size, shift):
    box = np.array([20 + shift, 30 + shift, 116 + shift, 94 + shift])
    wrong = cut_box(IMAGE, box, size).astype(np.float64) - exact(box, size)
    assert np.sqrt((wrong**2).mean()) < 5
    assert abs(wrong.mean()) < 0.6


def test_a_slow_box_moves_the_picture_as_slowly():
    """By a tenth of a pixel a frame; where boxes are rounded, the picture jumps by a whole one."""
    found = []
    first = cut_box(IMAGE, np.array([20.0, 30, 116, 94]), (96, 64)).mean(axis=2)
    for step in range(1, 11):
        moved = cut_box(IMAGE, np.array([20 + step / 10, 30, 116 + step / 10, 94]), (96, 64)).mean(axis=2)
        found.append(-cv2.phaseCorrelate(first, moved)[0][0])
    np.testing.assert_allclose(found, np.arange(1, 11) / 10, atol=0.08)


@pytest.mark.parametrize("box", [(0, 0, 30, 20), (130, 100, 160, 120), (0.3, 99.7, 30.3, 119.7), (159, 0, 160, 1)])
def test_at_the_border_nothing_is_black(box):
    white = np.full((HEIGHT, WIDTH, 3), 200, np.uint8)
    found = cut_box(white, np.array(box, np.float32), (32, 16))
    assert found.shape == (16, 32, 3)
    assert (found == 200).all()


def test_an_image_that_is_longer_than_opencv_takes():
    strip = np.zeros((20, 40_000, 3), np.uint8)
    strip[:, 39_000:] = 255
    assert (cut_box(strip, np.array([39_100, 0, 39_120, 20]), (20, 20)) == 255).all()
