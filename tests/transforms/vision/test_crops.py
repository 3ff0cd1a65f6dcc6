import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from transforms.vision.crops import padded_box, square_box, upper_body_box

RULE = {"min_visibility": 0.5, "extend_side": 0.375, "extend_up": 1.5, "extend_down": 0.5}
WHOLE = [0, 0, 400, 800]


@pytest.mark.parametrize(
    ("box", "padding", "expected"),
    [
        ((100, 100, 200, 300), 0.05, (95, 90, 205, 310)),
        ((100, 100, 200, 300), 0.0, (100, 100, 200, 300)),
        ((10.2, 20.7, 30.1, 40.3), 0.0, (10, 20, 31, 41)),
        ((0, 0, 400, 800), 0.05, (0, 0, 400, 800)),
        ((-50, -50, 10, 10), 0.1, (0, 0, 16, 16)),
        ((5, 5, 5, 5), 0.05, (5, 5, 6, 6)),
        ((400, 800, 400, 800), 0.05, (399, 799, 400, 800)),
    ],
)
def test_padded_box(box, padding, expected):
    assert tuple(padded_box(np.array(box, float), padding, 400, 800)) == expected


@given(box=arrays(float, 4, elements=st.floats(-1e4, 1e4)), padding=st.floats(0, 1))
def test_padded_box_is_inside_and_never_empty(box, padding):
    x1, y1, x2, y2 = padded_box(box, padding, 400, 800)
    assert 0 <= x1 < x2 <= 400
    assert 0 <= y1 < y2 <= 800


def keypoints(**points) -> np.ndarray:
    names = ["nose", "left_eye", "right_eye", "left_ear", "right_ear", "left_shoulder", "right_shoulder"]
    made = np.zeros((17, 3))
    for name, point in points.items():
        made[names.index(name)] = (*point, 1)
    return made


def test_no_keypoint_is_visible():
    assert upper_body_box(np.zeros((17, 3)), 400, 800, **RULE).tolist() == WHOLE


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        # no shoulder
        ({"nose": (200, 100), "left_eye": (210, 90), "right_eye": (190, 90)}, WHOLE),
        # one keypoint only
        ({"left_shoulder": (200, 100)}, WHOLE),
        # no extent: equal points; on one line across; on one line down
        ({"nose": (200, 100), "left_shoulder": (200, 100)}, WHOLE),
        ({"left_shoulder": (250, 200), "right_shoulder": (150, 200)}, WHOLE),
        ({"nose": (200, 100), "left_shoulder": (200, 200)}, WHOLE),
        # box 150..250 x 100..200: + 37.5 at the sides, + 150 above, the bottom at the lowest shoulder
        ({"nose": (200, 100), "left_shoulder": (250, 200), "right_shoulder": (150, 190)}, [112, 0, 288, 200]),
        # one shoulder: its y is the bottom, not the extended box's
        ({"nose": (200, 300), "left_eye": (210, 290), "left_shoulder": (250, 310)}, [181, 260, 269, 310]),
        # an upside-down person: the shoulders are above the nose, and the bottom is theirs
        ({"nose": (200, 300), "left_shoulder": (250, 200), "right_shoulder": (150, 190)}, [112, 25, 288, 200]),
        # both ears: their span 160..240 and half of it on each side
        (
            {
                "nose": (200, 100),
                "left_ear": (240, 90),
                "right_ear": (160, 90),
                "left_shoulder": (300, 200),
                "right_shoulder": (100, 200),
            },
            [120, 0, 280, 200],
        ),
        # both ears in one place, as guessed in profile: the nose would be cut off, so the ears do not count
        (
            {
                "nose": (150, 100),
                "left_ear": (202, 90),
                "right_ear": (198, 90),
                "left_shoulder": (250, 200),
                "right_shoulder": (210, 200),
            },
            [112, 0, 288, 200],
        ),
        # clamped to the crop
        ({"nose": (10, 20), "left_shoulder": (390, 200), "right_shoulder": (20, 180)}, [0, 0, 400, 200]),
        # a shoulder below the crop
        ({"nose": (200, 700), "left_shoulder": (250, 900), "right_shoulder": (150, 880)}, [112, 400, 288, 800]),
        # all of it outside the crop
        ({"nose": (-300, 100), "left_shoulder": (-250, 200), "right_shoulder": (-350, 190)}, WHOLE),
    ],
)
def test_upper_body_box(points, expected):
    assert upper_body_box(keypoints(**points), 400, 800, **RULE).tolist() == expected


def test_visibility_counts():
    made = keypoints(nose=(200, 100), left_shoulder=(250, 200), right_shoulder=(150, 190))
    made[6, 2] = 0.4
    assert upper_body_box(made, 400, 800, **RULE).tolist() == [181, 0, 269, 200]
    made[5, 2] = 0.4
    assert upper_body_box(made, 400, 800, **RULE).tolist() == WHOLE


@given(arrays(float, (17, 3), elements=st.floats(-1e4, 1e4) | st.just(float("nan"))))
def test_upper_body_box_is_inside_and_never_empty(made):
    x1, y1, x2, y2 = upper_body_box(made, 400, 800, **RULE)
    assert 0 <= x1 < x2 <= 400
    assert 0 <= y1 < y2 <= 800


@pytest.mark.parametrize(
    ("box", "margin", "expected"),
    [
        ((100, 100, 200, 200), 0.3, (70, 70, 230, 230)),
        ((100, 100, 150, 200), 0.3, (45, 70, 205, 230)),  # square, whatever the box
        ((100, 100, 200, 200), 0.0, (100, 100, 200, 200)),
        ((0, 0, 100, 100), 0.3, (0, 0, 160, 160)),  # moved into the image
        ((300, 700, 400, 800), 0.3, (240, 640, 400, 800)),
        ((50, 100, 350, 400), 0.3, (0, 50, 400, 450)),  # no larger than the image
        ((0, 100, 400, 700), 0.3, (-100, 100, 500, 700)),  # the box is longer than the image is wide
        ((5, 5, 5, 5), 0.3, (4, 4, 5, 5)),
    ],
)
def test_square_box(box, margin, expected):
    assert tuple(square_box(np.array(box, float), margin, 400, 800)) == expected


@given(
    corner=st.tuples(st.floats(0, 390), st.floats(0, 790)),
    size=st.tuples(st.floats(1, 400), st.floats(1, 800)),
    margin=st.floats(0, 2),
)
def test_a_square_has_the_face_and_as_little_else_than_the_image_as_can_be(corner, size, margin):
    box = np.array([*corner, min(400, corner[0] + size[0]), min(800, corner[1] + size[1])])
    x1, y1, x2, y2 = square_box(box, margin, 400, 800)
    assert x2 - x1 == y2 - y1
    assert x1 - 0.5 <= box[0]
    assert y1 - 0.5 <= box[1]
    assert x2 + 0.5 >= box[2]
    assert y2 + 0.5 >= box[3]
    assert 0 <= y1 < y2 <= 800
    if x2 - x1 <= 400:
        assert 0 <= x1 < x2 <= 400
    else:
        assert x2 - x1 == np.ceil((box[2:] - box[:2]).max())
