"""YOLO-pose's codec, on outputs made by hand."""

import numpy as np
import pytest

from model_handlers.codecs.yolo_pose import codec


def image(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def places(*found: tuple[float, float, float, float, float]) -> np.ndarray:
    """An output with these centres, sizes and scores, beside others of no score; each keypoint a pixel further."""
    rows = np.zeros((56, 20), np.float32)
    for number, (x, y, width, height, score) in enumerate(found):
        points = np.array([(x + k, y - k, k / 16) for k in range(17)])
        rows[:, 2 * number] = [x, y, width, height, score, *points.ravel()]
    return rows


@pytest.mark.parametrize("rows", [places(), np.zeros((56, 0), np.float32), places((9, 9, 4, 4, 0.04))])
def test_nothing_is_found(rows):
    made = codec(64)
    found = made.decode((rows,), made.encode(image(64, 64))[1])
    assert [one.shape for one in (found.boxes, found.scores, found.keypoints)] == [(0, 4), (0,), (0, 17, 3)]


@pytest.mark.parametrize(
    ("size", "rect", "canvas", "corner"),
    [
        ((64, 64), True, (64, 64), (0, 0)),
        ((64, 30), True, (64, 32), (0, 1)),  # height and width; margins above and on the left
        ((64, 30), False, (64, 64), (0, 17)),
        ((64, 29), True, (64, 32), (0, 1)),  # the odd pixel is on the right
        ((1, 640), True, (32, 64), (15, 0)),  # scaled to a tenth of a pixel: one stays
        ((32, 64), True, (32, 64), (0, 0)),
        ((640, 300), True, (64, 32), (0, 1)),
    ],
)
@pytest.mark.parametrize("planes", [False, True])
def test_input(size, rect, canvas, corner, planes):
    encoded, _ = codec(64, rect, planes=planes).encode(image(*size))
    assert encoded.flags.c_contiguous
    if planes:
        assert encoded.dtype == np.float32
        pixels = encoded.transpose(1, 2, 0) * 255
    else:
        assert encoded.dtype == np.uint8
        pixels = encoded.astype(np.float32)
    assert pixels.shape == (*canvas, 3)
    scale = 64 / max(size)
    inside = np.zeros(canvas, bool)
    top, left = corner
    inside[top : top + max(round(size[0] * scale), 1), left : left + max(round(size[1] * scale), 1)] = True
    np.testing.assert_allclose(pixels[~inside], 114, rtol=1e-6)
    if scale == 1:
        np.testing.assert_allclose(pixels[inside].reshape(*size, 3), image(*size), atol=1e-4)


def test_pixels_of_the_image():
    """Half the size, 16 pixels from the left: the margin goes, the scale goes, and what lies outside is cut off."""
    made = codec(64, rect=False)
    found = made.decode((places((20, 8, 10, 20, 0.9)),), made.encode(image(128, 64))[1])
    np.testing.assert_allclose(found.boxes, [(0, 0, 18, 36)])
    np.testing.assert_allclose(found.scores, [0.9])
    assert found.landmarks is None
    wanted = [(8 + 2 * k, max(16 - 2 * k, 0), k / 16) for k in range(17)]
    np.testing.assert_allclose(found.keypoints, [wanted], rtol=1e-6)
    assert {one.dtype.name for one in (found.boxes, found.scores, found.keypoints)} == {"float32"}


def test_best_first_and_one_of_those_that_overlap():
    rows = places((20, 20, 10, 10, 0.5), (21, 20, 10, 10, 0.8), (40, 40, 10, 10, 0.6), (24, 20, 10, 10, 0.7))
    for max_overlap, scores in ((0.7, [0.8, 0.7, 0.6]), (0.5, [0.8, 0.6]), (1, [0.8, 0.7, 0.6, 0.5])):
        made = codec(64, max_overlap=max_overlap)
        np.testing.assert_allclose(made.decode((rows,), made.encode(image(64, 64))[1]).scores, scores)


def test_no_more_than_300():
    rows = np.zeros((56, 400), np.float32)
    rows[0], rows[2:4], rows[4] = np.arange(400), 0.5, np.linspace(0.9, 0.1, 400)
    made = codec(512)
    found = made.decode((rows,), made.encode(image(512, 512))[1])
    np.testing.assert_allclose(found.scores, rows[4, :300])


@pytest.mark.parametrize("shape", [(84, 20), (57, 20), (300, 57), (1, 56, 20)])
def test_outputs_of_another_model_are_refused(shape):
    made = codec(64)
    with pytest.raises(ValueError, match=r"YOLO-pose with 17 keypoints gives \(56, places\), not"):
        made.decode((np.zeros(shape, np.float32),), made.encode(image(64, 64))[1])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"side": 0}, "multiple of 32, not 0"),
        ({"side": 650}, "multiple of 32, not 650"),
        ({"max_overlap": 0}, "above 0 and at most 1, not 0"),
        ({"max_overlap": 1.5}, "not 1.5"),
    ],
)
def test_options_that_cannot_be(options, words):
    with pytest.raises(ValueError, match=words):
        codec(**options)
