import cv2
import numpy as np

from transforms.vision.quality import sharpness


def test_a_flat_crop_has_none():
    assert sharpness(np.full((10, 10, 3), 90, np.uint8)) == 0
    assert sharpness(np.full((1, 1, 3), 90, np.uint8)) == 0


def test_blur_takes_it_away():
    crop = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    blurred = [sharpness(cv2.GaussianBlur(crop, (0, 0), sigma)) for sigma in (0.5, 1, 2, 4)]
    assert sorted([sharpness(crop), *blurred], reverse=True) == [sharpness(crop), *blurred]


def test_by_hand():
    crop = np.zeros((3, 3, 3), np.uint8)
    crop[1, 1] = 100  # the Laplacian, reflected at the border: -400 in the middle, 200 at the four sides
    values = np.array([0, 200, 0, 200, -400, 200, 0, 200, 0])
    assert sharpness(crop) == values.var()
