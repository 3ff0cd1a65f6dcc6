"""Turning stored frames so that they stand upright, by the display matrix that the container gives."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from model_handlers.interface import Pixels

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

Matrix = tuple[int, int, int, int]
STRAIGHT: Matrix = (1, 0, 0, 1)


def display_matrix(frame: "VideoFrame") -> Matrix:
    """(a, b, c, d) of -1, 0 and 1: a stored pixel (x, y) is shown at (a x + c y, b x + d y), up to a shift."""
    side_data: Iterable[Any] = frame.side_data  # iterates over its values, whatever its types say
    for data in side_data:
        if data.type.name == "DISPLAYMATRIX":
            a, b, _, c, d = (int(value) for value in np.frombuffer(bytes(data), np.int32)[:5])
            if abs(a) + abs(d) >= abs(b) + abs(c):
                return (-1 if a < 0 else 1, 0, 0, -1 if d < 0 else 1)
            return (0, -1 if b < 0 else 1, -1 if c < 0 else 1, 0)
    return STRAIGHT


def is_turned(matrix: Matrix) -> bool:
    """Whether width and height change places."""
    return matrix[0] == 0


def clockwise(matrix: Matrix) -> int:
    """Degrees, 0 to 270, that a matrix turns clockwise; of a mirrored one, after it is mirrored left to right."""
    a, b, c, d = matrix
    if a * d - b * c < 0:
        a, b = -a, -b
    return {(1, 0): 0, (0, 1): 90, (-1, 0): 180, (0, -1): 270}[a, b]


def upright(image: Pixels, matrix: Matrix) -> Pixels:
    """The image (H,W,3) as it is to be shown, contiguous."""
    a, b, c, d = matrix
    if is_turned(matrix):
        image = image.transpose(1, 0, 2)
    across, down = (c, b) if is_turned(matrix) else (a, d)
    return np.ascontiguousarray(image[::down, ::across])
