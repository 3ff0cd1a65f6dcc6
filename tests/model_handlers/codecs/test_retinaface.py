"""RetinaFace's arithmetic, on outputs made by hand."""

import numpy as np
import pytest

from model_handlers.codecs.retinaface import anchors, codec


def image(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(1, 256, (height, width, 3), dtype=np.uint8)


def nothing(count: int) -> tuple[np.ndarray, ...]:
    return tuple(np.zeros((count, length), np.float32) for length in (4, 2, 10))


def test_it_finds_nothing():
    made = codec(64)
    given, context = made.encode(image(64, 64))
    assert given.shape == (64, 64, 3)
    found = made.decode(nothing(168), context)
    assert (found.boxes.shape, found.scores.shape, found.landmarks.shape) == ((0, 4), (0,), (0, 5, 2))


@pytest.mark.parametrize(
    ("row", "column", "stride", "which", "side", "number"),
    [(0, 0, 8, 0, 16, 0), (2, 5, 8, 1, 32, 2 * (2 * 8 + 5) + 1), (1, 3, 16, 1, 128, 128 + 2 * (4 + 3) + 1),
     (1, 0, 32, 0, 256, 128 + 32 + 2 * 2)],
)  # fmt: skip
def test_an_anchor_moves(row, column, stride, which, side, number):
    made = codec(64)
    _, context = made.encode(image(640, 480))  # a tenth of it: 64 x 48
    moves, probabilities, marks = nothing(168)
    probabilities[number] = (0.1, 0.9)
    probabilities[(number + 40) % 168, 1] = 0.09  # below the floor
    moves[number] = (0.5, -0.25, np.log(0.5) / 0.2, np.log(0.25) / 0.2)
    marks[number] = np.arange(10) / 10
    found = made.decode((moves, probabilities, marks), context)
    centre = (np.array((column, row)) + 0.5) * stride
    middle, half = centre + np.array((0.05, -0.025)) * side, np.array((0.25, 0.125)) * side
    box = np.clip(np.concatenate([middle - half, middle + half]) * 10, 0, (480, 640) * 2)
    np.testing.assert_allclose(found.boxes, [box], rtol=1e-5)
    np.testing.assert_allclose(found.scores, [0.9])
    np.testing.assert_allclose(found.landmarks[0, 0], (centre + np.array((0, 0.01)) * side) * 10, rtol=1e-5)
    np.testing.assert_allclose(found.landmarks[0, 4], (centre + np.array((0.08, 0.09)) * side) * 10, rtol=1e-5)


def test_it_sorts_and_suppresses():
    made = codec(64)
    moves, probabilities, marks = nothing(168)
    for number, score in ((0, 0.5), (1, 0.6), (2, 0.7), (100, 0.8)):  # 0 to 2: of 16, 32 and 16 pixels, near each other
        probabilities[number, 1] = score
    found = made.decode((moves, probabilities, marks), made.encode(image(64, 64))[1])
    # 0 and 2 have a third in common, and each of them a quarter with 1
    np.testing.assert_allclose(found.scores, [0.8, 0.7, 0.6, 0.5])
    moves[0, 0] = 2.5  # four pixels to the right, where it has 3/5 in common with 2
    found = made.decode((moves, probabilities, marks), made.encode(image(64, 64))[1])
    np.testing.assert_allclose(found.scores, [0.8, 0.7, 0.6])


@pytest.mark.parametrize(
    ("size", "padded"), [((1, 1), (32, 32)), ((32, 64), (32, 64)), ((33, 95), (64, 96)), ((480, 641), (480, 672))]
)
def test_an_image_may_keep_its_size(size, padded):
    picture = image(*size)
    given, (box, canvas) = codec(side=None).encode(picture)
    assert given.shape == (*padded, 3)
    assert canvas == padded
    assert given.flags.c_contiguous
    np.testing.assert_array_equal(given[: size[0], : size[1]], picture)
    assert not given[size[0] :].any()
    assert not given[:, size[1] :].any()
    assert (box.scale_x, box.scale_y, box.height, box.width) == (1, 1, *size)
    assert len(anchors(*padded)) == 2 * sum(padded[0] * padded[1] // stride**2 for stride in (8, 16, 32))


@pytest.mark.parametrize(
    ("normalization", "pixel"),
    [("bgr", (30 - 104, 20 - 117, 10 - 123)),
     ("imagenet", ((10 / 255 - 0.485) / 0.229, (20 / 255 - 0.456) / 0.224, (30 / 255 - 0.406) / 0.225))],
)  # fmt: skip
def test_planes(normalization, pixel):
    picture = np.broadcast_to(np.array((10, 20, 30), np.uint8), (32, 32, 3))
    given, _ = codec(side=32, normalization=normalization).encode(picture)
    assert given.dtype == np.float32
    assert given.flags.c_contiguous
    np.testing.assert_allclose(given, np.broadcast_to(np.reshape(pixel, (3, 1, 1)), (3, 32, 32)), rtol=1e-5)


@pytest.mark.parametrize(
    ("options", "words"),
    [({"side": 0}, "multiple of 32"), ({"side": 100}, "multiple of 32"), ({"normalization": "clip"}, "bgr, imagenet")],
)
def test_options_that_are_refused(options, words):
    with pytest.raises(ValueError, match=words):
        codec(**options)
