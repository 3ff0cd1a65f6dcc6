"""MediaPipe's face mesh: 468 points (Y. Kartynnik et al., Real-time Facial Surface Geometry, 2019)."""

import numpy as np

from model_handlers.geometry import invert, similarity, transform_mesh, warp
from model_handlers.interface import Array, Codec

SIDE = 192
POINTS = 468
# Where the five landmarks of a frontal face lie in the input: the canonical face's own bounding square, 1.5 times as
# large, fills it.
TEMPLATE = np.array([(73.2, 72.9), (118.8, 72.9), (96.0, 97.7), (78.2, 123.3), (113.8, 123.3)])


def codec() -> Codec:
    """The mesh of the face with the given landmarks, levelled and scaled by them."""
    return Codec("mesh", encode, decode, version=1)


def encode(image: Array, landmarks: Array) -> tuple[Array, Array]:
    """(192,192,3) float32 RGB 0 to 1, black outside the image, and the (2,3) matrix back to the image."""
    matrix = similarity(landmarks, TEMPLATE)
    return warp(image, matrix, SIDE).astype(np.float32) / np.float32(255), invert(matrix)


def decode(outputs: tuple[Array, ...], context: Array) -> tuple[Array, float]:
    """Outputs: (1404,) x, y, z in input pixels, (1,) probability -> (468,3) in pixels of the image, and the score."""
    mesh = outputs[0].reshape(POINTS, 3)
    return transform_mesh(context, mesh), float(outputs[1].reshape(()))
