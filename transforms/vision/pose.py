"""Head pose from points of the face, by a weak-perspective fit of a rigid face.

Angles in degrees, as turns of the head itself: levelling the image by -roll changes neither yaw nor pitch. Positive yaw
turns the face to its own left (image right), positive pitch looks up, positive roll is clockwise in the image.
"""

from dataclasses import dataclass

import numpy as np

from model_handlers.interface import Array

# Points of the mesh that no expression moves, and where they lie in MediaPipe's canonical face (Apache-2.0), in
# centimetres: x to the image's right, y up, z towards the viewer.
RIGID_POINTS: dict[int, tuple[float, float, float]] = {
    10: (0.0, 8.261778, 4.481535),  # forehead, from the hair down to the root of the nose
    151: (0.0, 6.545390, 5.027311),
    168: (0.0, 3.271027, 5.236015),
    6: (0.0, 2.473255, 5.788627),
    4: (0.0, -0.463170, 7.586580),  # tip and base of the nose, wings of the nose
    2: (0.0, -2.089024, 6.058267),
    98: (-1.405627, -1.714196, 5.241087),
    327: (1.405627, -1.714196, 5.241087),
    33: (-4.445859, 2.663991, 3.173422),  # corners of the eyes
    133: (-1.856432, 2.585245, 3.757904),
    362: (1.856432, 2.585245, 3.757904),
    263: (4.445859, 2.663991, 3.173422),
    127: (-7.743095, 2.364999, -2.005167),  # temples
    356: (7.743095, 2.364999, -2.005167),
}
# The five landmarks in the same face: pupils, tip of the nose, corners of the mouth.
LANDMARK_POINTS = (
    (-3.151146, 2.624618, 3.85),
    (3.151146, 2.624618, 3.85),
    (0.0, -0.795018, 7.531092),
    (-2.456206, -4.342621, 4.283884),
    (2.456206, -4.342621, 4.283884),
)
_IMAGE_AXES = np.array([1.0, -1.0, -1.0])  # y down, z away from the viewer


@dataclass(frozen=True, slots=True)
class Pose:
    """Degrees."""

    yaw: float
    pitch: float
    roll: float


def pose_of_mesh(mesh: Array) -> Pose:
    """From a mesh (468,3) in pixels; its z is not needed."""
    return _pose(mesh[list(RIGID_POINTS), :2], np.array(list(RIGID_POINTS.values())))


def pose_of_landmarks(landmarks: Array) -> Pose:
    """From five landmarks (5,2) in pixels; rough, most of all in pitch, which faces of other proportions shift."""
    return _pose(landmarks, np.array(LANDMARK_POINTS))


def _pose(points: Array, face: Array) -> Pose:
    return Pose(*angles(rotation(points, face * _IMAGE_AXES)))


def rotation(points: Array, face: Array) -> Array:
    """The (3,3) rotation of a rigid face (N,3) whose scaled orthographic image fits the points (N,2) best.

    Least squares for the (2,3) matrix, then the nearest matrix with orthogonal rows of one length.
    """
    flat, solid = points - points.mean(axis=0), face - face.mean(axis=0)
    affine = np.linalg.lstsq(solid, flat.astype(np.float64), rcond=None)[0].T
    u, _, vt = np.linalg.svd(affine, full_matrices=False)
    rows = u @ vt
    return np.vstack([rows, np.cross(rows[0], rows[1])])


def angles(turn: Array) -> tuple[float, float, float]:
    """Yaw, pitch and roll in degrees of a rotation: first pitch, then yaw, then roll in the image's plane."""
    # turn = Rz(roll) Ry(-yaw) Rx(-pitch), in axes x right, y down, z away from the viewer
    yaw = np.arcsin(np.clip(turn[2, 0], -1, 1))
    pitch = np.arctan2(-turn[2, 1], turn[2, 2])
    roll = np.arctan2(turn[1, 0], turn[0, 0])
    return float(np.degrees(yaw)), float(np.degrees(pitch)), float(np.degrees(roll))
