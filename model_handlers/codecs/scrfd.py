"""SCRFD: faces with five landmarks (J. Guo et al., Sample and Computation Redistribution for Face Detection, 2021).

The files with keypoints that InsightFace publishes, of any size: det_10g, det_2.5g, det_500m, scrfd_…_bnkps.
"""

from functools import lru_cache, partial

import numpy as np

from model_handlers.framing import check_side
from model_handlers.geometry import Letterbox, grid, letterbox, suppress
from model_handlers.interface import Array, Codec, Detections

STRIDES = (8, 16, 32)
ANCHORS = 2  # outputs a cell
FLOOR = 0.1  # lower scores are never returned; the stage's own threshold is higher
MAX_OVERLAP = 0.4


def codec(side: int = 640) -> Codec:
    """SCRFD on square inputs of this side, a multiple of 32; larger finds smaller faces and takes longer."""
    check_side("SCRFD", side)
    return Codec("face", partial(encode, side=side), partial(decode, side=side), version=1)


def encode(image: Array, side: int) -> tuple[Array, Letterbox]:
    """(3, side, side) float32 RGB, (x - 127.5) / 128, and how the image lies in it."""
    canvas, context = letterbox(image, side)
    planes = np.ascontiguousarray(canvas.transpose(2, 0, 1)).astype(np.float32)
    return (planes - np.float32(127.5)) / np.float32(128), context


def decode(outputs: tuple[Array, ...], context: Letterbox, side: int) -> Detections:
    """Outputs of the strides 8, 16, 32: scores (n,1), boxes (n,4), landmarks (n,10); ValueError where there are others.

    Scores are probabilities. A box is the distances of left, top, right and bottom from its cell's corner, landmarks
    are (x,y) from there, all in strides.
    """
    if len(outputs) != 3 * len(STRIDES):
        raise ValueError(f"SCRFD with landmarks has {3 * len(STRIDES)} outputs")
    scores, reach, marks = (np.concatenate(outputs[first : first + 3]) for first in (0, 3, 6))
    likely = scores[:, 0] >= FLOOR
    scores, cells, strides = scores[likely, 0], _cells(side)[likely, :2], _cells(side)[likely, 2:]
    reach = reach[likely]
    boxes = np.concatenate([cells - reach[:, :2], cells + reach[:, 2:]], axis=1) * strides
    landmarks = (marks[likely].reshape(-1, 5, 2) + cells[:, None]) * strides[:, None]
    kept = suppress(boxes, scores, MAX_OVERLAP)
    return Detections(context.boxes_back(boxes[kept]), scores[kept], context.points_back(landmarks[kept]))


@lru_cache
def _cells(side: int) -> Array:
    return grid((side, side), STRIDES, [ANCHORS] * len(STRIDES))
