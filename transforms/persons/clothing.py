"""Clothes: where they are under a face, and what they look like without a model."""

import cv2
import numpy as np

from model_handlers.interface import Array, Pixels

COLOURS = "colours"
BINS = (8, 4, 4)  # of hue, saturation and value
_HUES = 180  # OpenCV's hue of 8-bit pixels: half degrees
_ABOVE, _BELOW = 0.2, 1.0  # of the face's height: from its lower edge to where the clothes begin, and end


def clothes_box(face: Array, height: int) -> Array:
    """(4,) float32 x1,y1,x2,y2: where the clothes under a face (4,) are, in a frame of this height; pixels.

    Three times as wide as the face, from a fifth of its height below it to a whole height below it, no further than the
    frame's lower edge. It may reach beyond the frame's sides, and where nothing is left of it y2 is not above y1.
    The proportions are the reference system's.
    """
    x1, y1, x2, y2 = (float(value) for value in face)
    wide, high = x2 - x1, y2 - y1
    return np.array([x1 - wide, y2 + _ABOVE * high, x2 + wide, min(y2 + _BELOW * high, height)], np.float32)


def visible_share(box: Array, face: Array) -> float:
    """How much of the height of the clothes under a face is in the frame, 0 to 1."""
    whole = (_BELOW - _ABOVE) * float(face[3] - face[1])
    return max(0.0, float(box[3] - box[1])) / whole if whole > 0 else 0.0


def colours(pixels: Pixels) -> Array:
    """(128,) float32: the square roots of the shares of RGB pixels (H,W,3) in each bin of hue, saturation and value.

    It is of unit length, and the Euclidean distance of two is sqrt(2) times their Hellinger distance.
    """
    hsv = cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV)
    counts = cv2.calcHist([hsv], [0, 1, 2], None, list(BINS), [0, _HUES, 0, 256, 0, 256])
    return np.asarray(np.sqrt(counts.reshape(-1) / counts.sum()), np.float32)
