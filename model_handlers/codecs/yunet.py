"""YuNet: faces with five landmarks (W. Wu, H. Peng, S. Yu, YuNet: A Tiny Millisecond-level Face Detector, 2023).

Input, order of the outputs and their meaning are those of OpenCV's FaceDetectorYN, for the files since March 2023.
"""

from functools import lru_cache, partial

import numpy as np

from model_handlers.framing import check_side
from model_handlers.geometry import Letterbox, grid, letterbox, suppress
from model_handlers.interface import Array, Codec, Detections

STRIDES = (8, 16, 32)
FLOOR = 0.1  # lower scores are never returned; the stage's own threshold is higher
MAX_OVERLAP = 0.3


def codec(side: int = 640) -> Codec:
    """YuNet on square inputs of this side, a multiple of 32; larger finds smaller faces and takes longer."""
    check_side("YuNet", side)
    return Codec("face", partial(encode, side=side), partial(decode, side=side), version=1)


def encode(image: Array, side: int) -> tuple[Array, Letterbox]:
    """(3, side, side) float32 BGR 0 to 255, and how the image lies in it."""
    canvas, context = letterbox(image, side)
    return np.ascontiguousarray(canvas.transpose(2, 0, 1)[::-1]).astype(np.float32), context


def decode(outputs: tuple[Array, ...], context: Letterbox, side: int) -> Detections:
    """Outputs of the strides 8, 16, 32: class (n,1), objectness (n,1), boxes (n,4), landmarks (n,10); ValueError else.

    A score is the root of class times objectness; a box has its centre's offset from the cell and the logarithms of its
    width and height, all in strides; landmarks (x,y) are offsets too. Their order is ours: the person's right eye is
    left in the image.
    """
    if len(outputs) != 4 * len(STRIDES):
        raise ValueError(f"YuNet has {4 * len(STRIDES)} outputs")
    classes, objects, boxes, marks = (np.concatenate(outputs[first : first + 3]) for first in (0, 3, 6, 9))
    scores = np.sqrt(np.clip(classes, 0, 1) * np.clip(objects, 0, 1))[:, 0]
    likely = scores >= FLOOR
    scores, cells, strides = scores[likely], _cells(side)[likely, :2], _cells(side)[likely, 2:]
    centres, halves = (boxes[likely, :2] + cells) * strides, np.exp(boxes[likely, 2:]) * strides / 2
    found = np.concatenate([centres - halves, centres + halves], axis=1)
    landmarks = (marks[likely].reshape(-1, 5, 2) + cells[:, None]) * strides[:, None]
    kept = suppress(found, scores, MAX_OVERLAP)
    return Detections(context.boxes_back(found[kept]), scores[kept], context.points_back(landmarks[kept]))


@lru_cache
def _cells(side: int) -> Array:
    return grid((side, side), STRIDES)
