import tracemalloc

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from model_handlers.geometry import (
    cut_out,
    cut_out_square,
    grid,
    invert,
    letterbox,
    letterbox_in,
    resize,
    scale_of,
    similarity,
    suppress,
    transform,
    transform_mesh,
    warp,
)

POINTS = np.array([(10.0, 10.0), (30.0, 12.0), (20.0, 25.0), (12.0, 40.0), (29.0, 41.0)])


def picture(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height * 1000 + width).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_suppress_nothing():
    assert suppress(np.empty((0, 4)), np.empty(0), 0.5).tolist() == []


@pytest.mark.parametrize(
    ("boxes", "scores", "overlap", "kept"),
    [
        ([(0, 0, 10, 10)], [0.5], 0.5, [0]),
        ([(0, 0, 10, 10), (20, 20, 30, 30)], [0.5, 0.9], 0.5, [1, 0]),
        ([(0, 0, 10, 10), (0, 0, 10, 10)], [0.5, 0.9], 0.5, [1]),
        ([(0, 0, 10, 10), (0, 0, 10, 10)], [0.5, 0.5], 0.5, [0]),
        ([(0, 0, 10, 10), (5, 0, 15, 10)], [0.9, 0.8], 0.34, [0, 1]),  # intersection over union is 1/3
        ([(0, 0, 10, 10), (5, 0, 15, 10)], [0.9, 0.8], 0.33, [0]),
        ([(0, 0, 10, 10), (4, 0, 14, 10), (8, 0, 18, 10)], [0.9, 0.8, 0.7], 0.3, [0, 2]),  # the second takes none along
        ([(5, 5, 5, 5), (5, 5, 5, 5)], [0.9, 0.8], 0.5, [0, 1]),  # boxes without area overlap nothing
    ],
)
def test_suppress(boxes, scores, overlap, kept):
    assert suppress(np.array(boxes, float), np.array(scores), overlap).tolist() == kept


@pytest.mark.parametrize(("height", "width"), [(50, 100), (100, 50), (64, 64), (1, 300), (700, 3)])
def test_letterbox_takes_points_back(height, width):
    canvas, context = letterbox(picture(height, width), 64, (1, 2, 3))
    assert canvas.shape == (64, 64, 3)
    corner = np.array([context.scale_x * width, context.scale_y * height])
    assert corner.max() == pytest.approx(64)
    np.testing.assert_allclose(context.points_back(corner), (width, height), rtol=1e-5)
    outside = context.boxes_back(np.array([[-5.0, -5.0, 1000.0, 1000.0]]))
    assert outside.tolist() == [[0, 0, width, height]]


def test_letterbox_fills_the_rest():
    canvas, _ = letterbox(np.full((32, 64, 3), 200, np.uint8), 64, (1, 2, 3))
    assert (canvas[:32] == 200).all()
    assert (canvas[32:] == (1, 2, 3)).all()


@pytest.mark.parametrize(
    ("height", "width", "shown"),
    [(30, 40, (30, 40)), (90, 120, (30, 40)), (10, 40, (10, 40)), (60, 6, (30, 3)), (1, 1, (30, 30))],
)
def test_letterbox_in_an_oblong(height, width, shown):
    canvas, context = letterbox_in(np.full((height, width, 3), 200, np.uint8), (40, 30), (1, 2, 3))
    assert canvas.shape == (30, 40, 3)
    white = (canvas == 200).all(axis=2)
    assert white[: shown[0], : shown[1]].all()
    assert white.sum() == shown[0] * shown[1]
    np.testing.assert_allclose(context.points_back(np.array(shown[::-1])), (width, height))


@pytest.mark.parametrize(
    ("size", "strides", "each", "rows"),
    [
        ((7, 7), (8, 16), None, 0),
        ((32, 32), (8, 16), None, 16 + 4),
        ((32, 32), (8, 16), (2, 3), 2 * 16 + 3 * 4),
        ((70, 50), (16, 32), None, 4 * 3 + 2 * 1),  # only whole cells
    ],
)
def test_grid(size, strides, each, rows):
    found = grid(size, strides, each)
    assert found.shape == (rows, 3)
    assert found.dtype == np.float32
    wanted = [
        (column, row, stride)
        for stride, outputs in zip(strides, each or [1] * len(strides), strict=True)
        for row in range(size[1] // stride)
        for column in range(size[0] // stride)
        for _ in range(outputs)
    ]
    assert found.tolist() == [list(cell) for cell in wanted]


def test_resize_to_the_same_size_is_the_image():
    image = picture(5, 7)
    assert resize(image, 7, 5) is image


@pytest.mark.parametrize(
    ("box", "black"),
    [
        ((2, 3, 7, 9), 0),
        ((-2, 0, 3, 4), 2 * 4),
        ((8, 8, 12, 12), 16 - 4),
        ((20, 20, 22, 22), 4),
        ((-9, -9, -5, -5), 16),
    ],
)
def test_cut(box, black):
    image = np.maximum(picture(10, 10), 1)
    x1, y1, x2, y2 = box
    out = cut_out(image, *box)
    assert out.shape == (y2 - y1, x2 - x1, 3)
    assert (out == 0).all(axis=2).sum() == black
    inside = [(x, y) for x in range(x1, x2) for y in range(y1, y2) if 0 <= x < 10 and 0 <= y < 10]
    assert all((out[y - y1, x - x1] == image[y, x]).all() for x, y in inside)


@given(
    angle=st.floats(-3.1, 3.1),
    scale=st.floats(0.05, 20),
    move=st.tuples(st.floats(-500, 500), st.floats(-500, 500)),
)
def test_similarity_finds_the_similarity(angle, scale, move):
    turn = scale * np.array([(np.cos(angle), -np.sin(angle)), (np.sin(angle), np.cos(angle))])
    matrix = np.column_stack([turn, move])
    found = similarity(POINTS, POINTS @ turn.T + move)
    np.testing.assert_allclose(found, matrix, atol=1e-6 * max(1, scale))
    assert scale_of(found) == pytest.approx(scale)
    np.testing.assert_allclose(transform(invert(found), transform(found, POINTS)), POINTS, atol=0.05)


@given(noise=arrays(float, (5, 2), elements=st.floats(-5, 5)), angle=st.floats(-3, 3), scale=st.floats(0.5, 2))
def test_similarity_is_the_least_squares_one(noise, angle, scale):
    target = POINTS + noise
    error = ((transform(similarity(POINTS, target), POINTS) - target) ** 2).sum()
    turn = scale * np.array([(np.cos(angle), -np.sin(angle)), (np.sin(angle), np.cos(angle))])
    other = (POINTS - POINTS.mean(axis=0)) @ turn.T + target.mean(axis=0)
    assert error <= ((other - target) ** 2).sum() + 1e-2


def test_similarity_never_reflects():
    mirrored = POINTS * (-1, 1)
    assert np.linalg.det(similarity(POINTS, mirrored)[:, :2]) > 0


@pytest.mark.parametrize(
    "box", [(10, 5, 50, 45), (0, 0, 60, 60), (-10, -10, 70, 70), (-30, 20, 10, 60), (200, 0, 210, 10)]
)
def test_a_square_is_as_if_cut_and_resized(box):
    image = cv2.resize(np.random.default_rng(0).integers(0, 255, (8, 8, 3), dtype=np.uint8), (60, 60))
    wanted = resize(cut_out(image, *box), 40, 40).astype(int)
    assert np.abs(cut_out_square(image, np.array(box), 40) - wanted).mean() < 3


def test_a_square_far_larger_than_the_image_costs_no_memory():
    strip = np.full((400, 60_000, 3), 200, np.uint8)
    tracemalloc.start()
    crop = cut_out_square(strip, np.array([0, -29_800, 60_000, 30_200]), 512)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert crop.shape == (512, 512, 3)
    assert crop.max() > 0
    assert peak < 100 << 20  # the strip has 72 MB; cut out as a whole its square has 10 GB


@pytest.mark.parametrize("points", [np.ones((5, 2)), np.full((5, 2), np.nan), np.full((5, 2), np.inf)])
def test_similarity_of_points_without_extent(points):
    with pytest.raises(ValueError, match="two different finite points"):
        similarity(points, POINTS)


def test_transform_mesh_scales_depth():
    matrix = np.array([(2.0, 0, 1), (0, 2.0, 3)])
    assert transform_mesh(matrix, np.array([(1.0, 2.0, 3.0)])).tolist() == [[3, 7, 6]]


def test_warp_by_whole_pixels_is_a_cut():
    image = picture(40, 50)
    out = warp(image, np.array([(1.0, 0, -7), (0, 1.0, -5)]), 20)
    np.testing.assert_array_equal(out, image[5:25, 7:27])


def test_warp_is_black_outside():
    out = warp(np.full((10, 10, 3), 255, np.uint8), np.array([(1.0, 0, 5), (0, 1.0, 5)]), 20)
    assert (out[5:15, 5:15] == 255).all()
    assert out.sum() == 255 * 3 * 100


def test_warp_of_what_the_image_does_not_show_is_black():
    assert not warp(picture(10, 10), np.array([(1.0, 0, -500), (0, 1.0, -500)]), 8).any()


@pytest.mark.parametrize("factor", [2, 4, 8, 5])
def test_warp_that_shrinks_averages(factor):
    """A chequerboard of single pixels becomes grey: sampling would leave black or white."""
    board = np.indices((160, 160)).sum(axis=0) % 2 * 255
    out = warp(np.repeat(board[..., None], 3, axis=2).astype(np.uint8), np.diag([1 / factor, 1 / factor, 0])[:2], 16)
    assert 110 < out[2:-2, 2:-2].min() <= out[2:-2, 2:-2].max() < 146


@given(factor=st.floats(0.1, 4), move=st.floats(-20, 20))
def test_warp_puts_a_point_where_the_matrix_says(factor, move):
    image = np.zeros((200, 200, 3), np.uint8)
    image[90:110, 90:110] = 255  # its centre is the point 100, 100
    matrix = np.array([(factor, 0, 32 - 100 * factor + move), (0, factor, 32 - 100 * factor)])
    out = warp(image, matrix, 64)[..., 0].astype(float)
    inside = 10 * factor < min(32 - abs(move), 30)
    if inside and factor * 20 > 3:
        y, x = np.indices(out.shape) + 0.5
        centre = np.array([(out * x).sum(), (out * y).sum()]) / out.sum()
        np.testing.assert_allclose(centre, (32 + move, 32), atol=0.3)
