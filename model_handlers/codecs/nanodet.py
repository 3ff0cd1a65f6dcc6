"""NanoDet: COCO's 80 classes, of which the persons are read here (RangiLyu, NanoDet, 2020)."""

import numpy as np

from model_handlers.geometry import Letterbox, grid, letterbox, suppress
from model_handlers.interface import Array, Codec, Detections

SIDE = 416
STRIDES = (8, 16, 32)
BINS = np.arange(11, dtype=np.float32)  # a side's distance is the expectation over these, in strides
MEAN_BGR = np.array([103.53, 116.28, 123.675], dtype=np.float32)
STD_BGR = np.array([57.375, 57.12, 58.395], dtype=np.float32)
GREY = (124, 116, 104)  # the mean as RGB: an empty margin is zero to the network
PERSON = 0
FLOOR = 0.05  # lower scores are never returned; the stage's own threshold is higher
MAX_OVERLAP = 0.6
CELLS = grid((SIDE, SIDE), STRIDES)


def codec() -> Codec:
    """Persons, found in the whole image scaled to 416 px."""
    return Codec("person", encode, decode, version=1)


def encode(image: Array) -> tuple[Array, Letterbox]:
    """(3,416,416) float32 BGR, mean and deviation removed, and how the image lies in it."""
    canvas, context = letterbox(image, SIDE, GREY)
    planes = np.ascontiguousarray(canvas.transpose(2, 0, 1)[::-1]).astype(np.float32)
    planes -= MEAN_BGR[:, None, None]
    planes /= STD_BGR[:, None, None]
    return planes, context


def decode(outputs: tuple[Array, ...], context: Letterbox) -> Detections:
    """Outputs: scores (3549,80), probabilities, and distances (3549,44), logits of left, top, right, bottom."""
    scores = outputs[0][:, PERSON]
    likely = np.nonzero(scores >= FLOOR)[0]
    logits = outputs[1][likely].reshape(-1, 4, len(BINS))
    powers = np.exp(logits - logits.max(axis=2, keepdims=True))
    strides = CELLS[likely, 2:]
    reach = (powers @ BINS) / powers.sum(axis=2) * strides
    x, y = ((CELLS[likely, :2] + np.float32(0.5)) * strides).T
    boxes = np.stack([x - reach[:, 0], y - reach[:, 1], x + reach[:, 2], y + reach[:, 3]], axis=1)
    kept = suppress(boxes, scores[likely], MAX_OVERLAP)
    return Detections(context.boxes_back(boxes[kept]), scores[likely][kept].astype(np.float32))
