"""The arithmetic of the codec of regions, on outputs made by hand."""

import numpy as np
import pytest

from model_handlers.codecs import regions
from tests.image_files import SMALL

CONTEXT = regions.codec(64).encode(np.zeros((128, 64, 3), np.uint8))[1]  # halved


def outputs(*found, objectness=True):
    """Boxes, probabilities of three classes, features, and objectness if asked for; a region is box and shares."""
    boxes = np.array([box for box, _ in found], np.float32).reshape(-1, 4)
    probabilities = np.array([shares for _, shares in found], np.float32).reshape(-1, 3)
    features = np.arange(2.0 * len(found), dtype=np.float32).reshape(-1, 2)
    return (boxes, probabilities, features, *([np.linspace(0.9, 0.5, len(found), dtype=np.float32)] * objectness))


@pytest.mark.parametrize(
    ("found", "kept"),
    [
        ([], []),
        ([((0, 0, 9, 9), (0.04, 0.01, 0.02))], []),  # below the floor
        ([((0, 0, 9, 9), (0.1, 0.6, 0.5))], [0]),  # one class a region
        ([((0, 0, 9, 9), (0.1, 0.6, 0.5)), ((20, 0, 29, 9), (0.9, 0, 0))], [1, 0]),
        ([((0, 0, 10, 10), (0.1, 0.6, 0.5)), ((0, 0, 10, 8), (0.9, 0, 0))], [1]),  # whatever their classes
        ([((0, 0, 10, 10), (0.1, 0.6, 0.5)), ((0, 0, 10, 6), (0.9, 0, 0))], [1, 0]),
    ],
)
@pytest.mark.parametrize("objectness", [True, False])
def test_regions(found, kept, objectness):
    given = outputs(*found, objectness=objectness)
    got = regions.codec(64).decode(given, CONTEXT)
    np.testing.assert_allclose(got.boxes, given[0][kept] * 2)
    np.testing.assert_array_equal(got.scores, given[1][kept].max(axis=1, initial=0))
    np.testing.assert_array_equal(got.classes, given[1][kept].argmax(axis=1))
    np.testing.assert_array_equal(got.probabilities, given[1][kept])
    np.testing.assert_array_equal(got.features, given[2][kept])
    assert (got.objectness is not None) == objectness
    if objectness:
        np.testing.assert_array_equal(got.objectness, given[3][kept])


def test_the_input():
    canvas, _ = regions.codec(96, grey=128).encode(SMALL)  # 96 high, 80 wide
    assert canvas.dtype == np.uint8
    np.testing.assert_array_equal(canvas[:, :80], SMALL)
    assert (canvas[:, 80:] == 128).all()


@pytest.mark.parametrize(
    ("options", "words"),
    [({"side": 0}, "at least 1, not 0"), ({"grey": 256}, "0 to 255, not 256"), ({"max_overlap": 0}, "above 0")],
)
def test_options(options, words):
    with pytest.raises(ValueError, match=words):
        regions.codec(**options)
