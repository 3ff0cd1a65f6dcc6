"""MoveNet, single pose: 17 body keypoints of the person in a box (Google, MoveNet.SinglePose model card, 2021)."""

from functools import partial

import numpy as np

from model_handlers.geometry import invert, transform, warp
from model_handlers.interface import Array, Codec

SIDES = (192, 256)  # lightning, thunder
CONTEXT = 1.25  # side of the square that the network sees, in the box's longer side


def codec(side: int = 256) -> Codec:
    """256 px for thunder, 192 px for lightning."""
    if side not in SIDES:
        raise ValueError(f"MoveNet's input side is 192 (lightning) or 256 (thunder), not {side}")
    return Codec("keypoints", partial(encode, side=side), partial(decode, side=side), version=1)


def encode(image: Array, box: Array, side: int) -> tuple[Array, Array]:
    """(side, side, 3) int32 RGB 0 to 255 round the box, black outside, and the (2,3) matrix back to the image."""
    x1, y1, x2, y2 = (float(value) for value in box)
    scale = side / (CONTEXT * max(x2 - x1, y2 - y1, 1.0))
    matrix = np.array([[scale, 0, side / 2 - scale * (x1 + x2) / 2], [0, scale, side / 2 - scale * (y1 + y2) / 2]])
    return warp(image, matrix, side).astype(np.int32), invert(matrix)


def decode(outputs: tuple[Array, ...], context: Array, side: int) -> Array:
    """Output: (1,17,3) y, x in shares of the side, score -> (17,3) x, y in pixels of the image, visibility."""
    found = outputs[0][0]
    points = transform(context, found[:, 1::-1] * side)
    return np.column_stack([points, np.clip(found[:, 2], 0, 1)]).astype(np.float32)
