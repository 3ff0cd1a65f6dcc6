"""CenterFace: faces with five landmarks (Y. Xu et al., CenterFace: Joint Face Detection and Alignment, 2019)."""

from functools import partial

import numpy as np

from model_handlers.framing import check_side
from model_handlers.geometry import Letterbox, letterbox, suppress
from model_handlers.interface import Array, Codec, Detections

STRIDE = 4  # input pixels a cell of the output maps
FLOOR = 0.1  # lower scores are never returned; the stage's own threshold is higher
MAX_OVERLAP = 0.3


def codec(side: int = 640) -> Codec:
    """CenterFace on square inputs of this side, a multiple of 32; larger finds smaller faces and takes longer."""
    check_side("CenterFace", side)
    return Codec("face", partial(encode, side=side), decode, version=1)


def encode(image: Array, side: int) -> tuple[Array, Letterbox]:
    """(3, side, side) float32 RGB 0 to 255, and how the image lies in it."""
    canvas, context = letterbox(image, side)
    return np.ascontiguousarray(canvas.transpose(2, 0, 1)).astype(np.float32), context


def decode(outputs: tuple[Array, ...], context: Letterbox) -> Detections:
    """Outputs: heat map (1,h,w), log sizes (2: h,w), offsets (2: y,x), landmarks (10: y,x pairs in shares of a box)."""
    heat, scale, offset, marks = outputs
    rows, columns = np.nonzero(heat[0] >= FLOOR)
    scores = heat[0, rows, columns]
    heights, widths = np.exp(scale[:, rows, columns]) * STRIDE
    y, x = (np.stack([rows, columns]) + offset[:, rows, columns] + 0.5) * STRIDE
    boxes = np.stack([x - widths / 2, y - heights / 2, x + widths / 2, y + heights / 2], axis=1)
    kept = suppress(boxes, scores, MAX_OVERLAP)
    boxes, corners = boxes[kept], boxes[kept, :2]
    shares = marks[:, rows, columns].T[kept].reshape(-1, 5, 2)[..., ::-1]
    sizes = np.stack([widths[kept], heights[kept]], axis=1)
    landmarks = shares * sizes[:, None] + corners[:, None]
    return Detections(context.boxes_back(boxes), scores[kept].astype(np.float32), context.points_back(landmarks))
