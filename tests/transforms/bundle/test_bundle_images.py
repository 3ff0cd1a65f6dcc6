import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from transforms.bundle.images import on_canvas, to_size


@given(st.integers(1, 500), st.integers(1, 500), st.integers(16, 400))
def test_the_longer_side_fills_the_canvas_and_the_rest_is_the_fill(width, height, side):
    canvas = on_canvas(np.zeros((height, width, 3), np.uint8), side, (255, 254, 253))
    assert canvas.pixels.shape == (side, side, 3)
    rows, columns = np.nonzero((canvas.pixels == 0).all(axis=2))
    size = np.array([np.ptp(columns) + 1, np.ptp(rows) + 1])
    assert size.max() == side
    assert np.abs(size - np.array([width, height]) * side / max(width, height)).max() <= 1
    assert canvas.offset == (columns.min(), rows.min())
    assert np.abs(2 * np.array(canvas.offset) + size - side).max() <= 1
    np.testing.assert_allclose(np.array(canvas.scale) * (width, height), size)
    outside = canvas.pixels[(canvas.pixels != 0).any(axis=2)]
    assert (outside == (255, 254, 253)).all()


def test_a_point_of_the_crop_is_where_scale_and_offset_say():
    image = np.zeros((90, 40, 3), np.uint8)
    image[60:66, 20:26] = 255
    canvas = on_canvas(image, 384, (0, 0, 0))
    rows, columns = np.nonzero(canvas.pixels[:, :, 0] > 127)
    middle = (columns.mean() + 0.5, rows.mean() + 0.5)
    np.testing.assert_allclose(middle, np.array([23, 63]) * canvas.scale + canvas.offset, atol=1)


def test_resizing_to_the_same_size_changes_nothing():
    image = np.zeros((5, 6, 3), np.uint8)
    assert to_size(image, 6, 5) is image
