import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_handlers.geometry import ARCFACE, transform
from transforms.vision.alignment import alignment, crop_side, mesh_landmarks


@pytest.mark.parametrize(
    ("box", "side"),
    [((0, 0, 0, 0), 1), ((0, 0, 10, 8), 20), ((0, 0, 50.7, 10), 101), ((5, 5, 20, 100), 190), ((0, 0, 200, 200), 320)],
)
def test_crop_side(box, side):
    assert crop_side(np.array(box, float), 2, 320) == side


@pytest.mark.parametrize("side", [16, 112, 160, 320])
@pytest.mark.parametrize("context", [1, 160 / 112, 2])
def test_the_template_is_in_the_middle(side, context):
    """The ArcFace crop is the middle 112 of `context` times 112 parts."""
    matrix = alignment(ARCFACE, side, context)
    inner = transform(matrix, np.array([(0.0, 0.0), (112.0, 112.0)]))
    np.testing.assert_allclose(inner.sum(axis=0), (side, side), rtol=1e-4)
    np.testing.assert_allclose(inner[1] - inner[0], side / context, rtol=1e-4)


@given(angle=st.floats(-3, 3), scale=st.floats(0.1, 10), x=st.floats(-100, 100), side=st.integers(16, 320))
def test_any_pose_in_the_plane_comes_out_alike(angle, scale, x, side):
    turn = scale * np.array([(np.cos(angle), -np.sin(angle)), (np.sin(angle), np.cos(angle))])
    seen = ARCFACE @ turn.T + (x, 7)
    expected = transform(alignment(ARCFACE, side, 1.5), ARCFACE)
    np.testing.assert_allclose(transform(alignment(seen, side, 1.5), seen), expected, atol=0.01)


def test_landmarks_that_coincide():
    with pytest.raises(ValueError, match="different finite points"):
        alignment(np.zeros((5, 2)), 112, 1)


def test_mesh_landmarks():
    mesh = np.zeros((468, 3), np.float32)
    mesh[33], mesh[133] = (10, 20, 5), (20, 22, 5)
    mesh[362], mesh[263] = (40, 22, 5), (50, 20, 5)
    mesh[4], mesh[61], mesh[291] = (30, 30, 9), (20, 40, 3), (40, 41, 3)
    assert mesh_landmarks(mesh).tolist() == [[15, 21], [45, 21], [30, 30], [20, 40], [40, 41]]
