"""Faces brought into one pose in the plane: the aligned crop and what is known of it in its own pixels."""

import math

import numpy as np

from model_handlers.geometry import ARCFACE, ARCFACE_SIDE, similarity
from model_handlers.interface import Array

_MESH_LANDMARKS = ((33, 133), (362, 263), (4,), (61,), (291,))  # eyes by their corners, tip of the nose, mouth


def crop_side(box: Array, side_per_box: float, max_side: int) -> int:
    """Side of the aligned crop, pixels: a multiple of the box's longer side, at most `max_side`, at least 1."""
    longer = float(max(box[2] - box[0], box[3] - box[1]))
    return max(1, min(max_side, math.floor(side_per_box * longer)))


def alignment(landmarks: Array, side: int, context: float) -> Array:
    """The similarity (2,3) from an image to the aligned crop of this side.

    The crop shows `context` times the 112-pixel ArcFace crop about its centre. ValueError if the landmarks coincide.
    """
    shown = ARCFACE_SIDE * context
    return similarity(landmarks, (ARCFACE + (shown - ARCFACE_SIDE) / 2) * (side / shown))


def mesh_landmarks(mesh: Array) -> Array:
    """The five landmarks (5,2) of a mesh (468,3), in its pixels."""
    return np.array([mesh[list(points), :2].mean(axis=0) for points in _MESH_LANDMARKS], dtype=np.float32)
