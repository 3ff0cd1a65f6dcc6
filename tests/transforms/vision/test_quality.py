import cv2
import numpy as np
import pytest

from transforms.vision.pose import Pose
from transforms.vision.quality import composite, frontality, sharpness


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


@pytest.mark.parametrize(
    ("pose", "expected"),
    [
        (Pose(0, 0, 0), 1),
        (Pose(30, 0, 0), 1 - 45 / 270),
        (Pose(-30, 0, 0), 1 - 45 / 270),
        (Pose(0, -27, 0), 0.9),
        (Pose(0, 0, 54), 0.9),
        (Pose(10, -15, 6), 1 - (15 + 15 + 3) / 270),
        (Pose(180, 0, 0), 0),
    ],
)
def test_frontality(pose, expected):
    assert frontality(pose) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("sharp", "frontal", "score", "ratio", "expected"),
    [
        (0, 0, 0, 0, 0),
        (500, 1, 1, 0.2, 1),
        (9000, 1, 1, 0.9, 1),  # more than enough counts as enough
        (250, 0.8, 0.6, 0.1, 0.15 + 0.28 + 0.15 + 0.05),
    ],
)
def test_composite(sharp, frontal, score, ratio, expected):
    assert composite(sharp, frontal, score, ratio) == pytest.approx(expected)
