import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from transforms.anonymizing.covers_settings import PaintSettings
from transforms.anonymizing.paint import cover, whole_pixels

WAYS = ("blur", "pixelate", "fill")
NOISE = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
FILL = PaintSettings(how="fill", colour=(1, 2, 3))


def boxes(*rows):
    return np.array(rows, np.float32).reshape(-1, 4)


@pytest.mark.parametrize("some", [boxes(), boxes((-9, -9, -1, -1)), boxes((80, 10, 90, 20)), boxes((5, 5, 5, 9))])
def test_without_a_box_in_it_the_image_itself_comes_back(some):
    assert cover(NOISE, some, FILL) is NOISE


@pytest.mark.parametrize(
    ("box", "whole"),
    [
        ((10, 20, 30, 40), (10, 20, 30, 40)),
        ((10.9, 20.1, 30.1, 40.01), (10, 20, 31, 41)),  # a pixel that is touched is covered
        ((-5, -5, 200, 200), (0, 0, 80, 60)),
        ((79.5, 59.5, 99, 99), (79, 59, 80, 60)),
    ],
)
def test_boxes_are_rounded_outwards_and_clipped(box, whole):
    assert whole_pixels(boxes(box), 80, 60).tolist() == [list(whole)]
    x1, y1, x2, y2 = whole
    painted = cover(NOISE, boxes(box), FILL)
    assert (painted[y1:y2, x1:x2] == (1, 2, 3)).all()
    painted[y1:y2, x1:x2] = NOISE[y1:y2, x1:x2]
    assert (painted == NOISE).all()


@pytest.mark.parametrize("how", WAYS)
def test_the_image_itself_stays_as_it_is(how):
    before = NOISE.copy()
    before.flags.writeable = False
    assert not np.array_equal(cover(before, boxes((10, 10, 50, 50)), PaintSettings(how=how)), NOISE)
    assert (before == NOISE).all()


def test_pixelate_leaves_the_means_of_a_few_cells():
    painted = cover(NOISE, boxes((8, 8, 48, 28)), PaintSettings(how="pixelate", cells=4))
    inside = painted[8:28, 8:48]
    assert len(np.unique(inside.reshape(-1, 3), axis=0)) == 8
    assert np.abs(inside[:10, :10] - NOISE[8:18, 8:18].mean(axis=(0, 1))).max() <= 1


@pytest.mark.parametrize("cells", [1, 4, 8])
@pytest.mark.parametrize("how", ["blur", "pixelate"])
def test_nothing_is_left_but_means(how, cells):
    coarse = NOISE[:8, :8].clip(20, 230).repeat(8, axis=0).repeat(8, axis=1)
    pattern = np.where(np.indices((64, 64)).sum(axis=0) % 2, 20, -20)[..., None]
    box, settings = boxes((0, 0, 64, 64)), PaintSettings(how=how, cells=cells)
    assert np.array_equal(cover(coarse, box, settings), cover((coarse + pattern).astype(np.uint8), box, settings))


def turns(image):
    """Whether the values along some row go up and down."""
    steps = np.diff(image.astype(int), axis=1)
    return bool(((steps > 0).any(axis=1) & (steps < 0).any(axis=1)).any())


@given(arrays.arrays(np.uint8, (6, 6, 3)), st.tuples(st.integers(1, 70), st.integers(1, 70)))
def test_by_default_no_spot_of_a_cover_stands_out_from_both_sides(picture, size):
    image = cv2.resize(picture, size, interpolation=cv2.INTER_NEAREST)
    for how in WAYS:
        painted = cover(image, boxes((0, 0, *size)), PaintSettings(how=how))
        assert not turns(painted)
        assert not turns(painted.swapaxes(0, 1))


def test_with_three_cells_the_middle_can_stand_out():
    image = np.zeros((60, 60, 3), np.uint8)
    image[20:40, 20:40] = 255
    assert turns(cover(image, boxes((0, 0, 60, 60)), PaintSettings(cells=3)))


@given(
    arrays.arrays(np.float32, (3, 4), elements=st.floats(-200, 300, width=32)),
    st.sampled_from(WAYS),
    st.tuples(st.integers(1, 40), st.integers(1, 40)),
)
def test_nothing_but_the_boxes_changes(some, how, size):
    image = NOISE[: size[0], : size[1]]
    painted = cover(image, some, PaintSettings(how=how))
    inside = np.zeros(image.shape[:2], bool)
    for x1, y1, x2, y2 in whole_pixels(some, image.shape[1], image.shape[0]):
        inside[y1:y2, x1:x2] = True
    assert painted.shape == image.shape
    assert (painted[~inside] == image[~inside]).all()
