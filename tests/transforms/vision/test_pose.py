import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.vision.pose import LANDMARK_POINTS, RIGID_POINTS, angles, pose_of_landmarks, pose_of_mesh

FACE = np.array(list(RIGID_POINTS.values())) * (1, -1, -1)
FIVE = np.array(LANDMARK_POINTS) * (1, -1, -1)
MIRRORED = {33: 263, 133: 362, 98: 327, 127: 356}
DEGREES = st.floats(-60, 60)


def turned(face: np.ndarray, yaw: float, pitch: float, roll: float) -> np.ndarray:
    """The face's image when the head looks up by pitch, then turns to its left by yaw, then tilts by roll."""
    y, p, r = np.radians((yaw, pitch, roll))
    up = np.array([(1, 0, 0), (0, np.cos(p), np.sin(p)), (0, -np.sin(p), np.cos(p))])
    left = np.array([(np.cos(y), 0, -np.sin(y)), (0, 1, 0), (np.sin(y), 0, np.cos(y))])
    clockwise = np.array([(np.cos(r), -np.sin(r), 0), (np.sin(r), np.cos(r), 0), (0, 0, 1)])
    return (face @ (clockwise @ left @ up).T)[:, :2] * 7 + (100, 50)


def mesh(points: np.ndarray) -> np.ndarray:
    made = np.zeros((468, 3))
    made[list(RIGID_POINTS), :2] = points
    return made


def test_frontal():
    pose = pose_of_mesh(mesh(turned(FACE, 0, 0, 0)))
    np.testing.assert_allclose((pose.yaw, pose.pitch, pose.roll), 0, atol=1e-6)


@pytest.mark.parametrize(
    ("turn", "nose"),
    [
        ((30, 0, 0), (1, 0)),  # to its own left: the nose goes to the image's right
        ((-30, 0, 0), (-1, 0)),
        ((0, 20, 0), (0, -1)),  # looks up: the nose goes up
        ((0, -20, 0), (0, 1)),
    ],
)
def test_signs(turn, nose):
    """Where the tip of the nose goes against the eyes' corners tells the signs, whatever the formulas say."""
    frontal, seen = turned(FACE, 0, 0, 0), turned(FACE, *turn)
    points = list(RIGID_POINTS)
    eyes = [points.index(i) for i in (33, 133, 362, 263)]
    moved = (seen[points.index(4)] - seen[eyes].mean(axis=0)) - (frontal[points.index(4)] - frontal[eyes].mean(axis=0))
    assert np.sign(moved[np.argmax(np.abs(nose))]) == np.sign(sum(nose))
    pose = pose_of_mesh(mesh(seen))
    np.testing.assert_allclose((pose.yaw, pose.pitch, pose.roll), turn, atol=1e-4)


def test_roll_is_clockwise():
    points = list(RIGID_POINTS)
    seen = turned(FACE, 0, 0, 30)
    across = seen[points.index(263)] - seen[points.index(33)]
    assert across[0] > 0
    assert across[1] > 0  # the image's right eye is lower
    assert pose_of_mesh(mesh(seen)).roll == pytest.approx(30)


@given(yaw=DEGREES, pitch=DEGREES, roll=st.floats(-179, 179))
def test_a_rigid_face_is_read_exactly(yaw, pitch, roll):
    for pose in (pose_of_mesh(mesh(turned(FACE, yaw, pitch, roll))), pose_of_landmarks(turned(FIVE, yaw, pitch, roll))):
        np.testing.assert_allclose((pose.yaw, pose.pitch, pose.roll), (yaw, pitch, roll), atol=1e-3)


@given(yaw=DEGREES, pitch=DEGREES, roll=DEGREES, noise=st.integers(0, 1000))
def test_flipping_turns_yaw_and_roll_round(yaw, pitch, roll, noise):
    seen = turned(FACE, yaw, pitch, roll) + np.random.default_rng(noise).normal(0, 0.3, (len(FACE), 2))
    points = list(RIGID_POINTS)
    swap = MIRRORED | {b: a for a, b in MIRRORED.items()}
    flipped = seen[[points.index(swap.get(i, i)) for i in points]] * (-1, 1)
    one, other = pose_of_mesh(mesh(seen)), pose_of_mesh(mesh(flipped))
    np.testing.assert_allclose((other.yaw, other.pitch, other.roll), (-one.yaw, one.pitch, -one.roll), atol=1e-4)


@given(yaw=DEGREES, pitch=DEGREES, angle=st.floats(-60, 60))
def test_turning_the_image_changes_roll_only(yaw, pitch, angle):
    r = np.radians(angle)
    seen = turned(FACE, yaw, pitch, 0) @ np.array([(np.cos(r), np.sin(r)), (-np.sin(r), np.cos(r))])
    pose = pose_of_mesh(mesh(seen))
    np.testing.assert_allclose((pose.yaw, pose.pitch, pose.roll), (yaw, pitch, angle), atol=1e-3)


def test_angles_of_no_turn():
    assert angles(np.eye(3)) == (0, 0, 0)
