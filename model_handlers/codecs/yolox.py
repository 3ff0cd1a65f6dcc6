"""YOLOX: COCO's 80 classes, or those that it was trained on (Z. Ge et al., YOLOX: Exceeding YOLO Series in 2021).

The numbers are those of the authors' ONNX demonstration (Megvii-BaseDetection/YOLOX, from release 0.1.1 on, whose input
is not normalized; 2021), for files exported without the decoding of the grid.
"""

from functools import lru_cache, partial

import numpy as np

from model_handlers.framing import check_side
from model_handlers.geometry import Letterbox, grid, letterbox, suppress, suppress_by_class
from model_handlers.interface import Array, Codec, Detections, Objects

STRIDES = (8, 16, 32)
GREY = (114, 114, 114)
PERSON = 0
FLOOR = 0.05  # lower scores are never returned; the stage's own threshold is higher
MAX_OVERLAP = 0.45
_LARGEST = 10.0  # a box of e**10 strides is larger than any image


def codec(side: int = 416, task: str = "objects") -> Codec:
    """Objects of all classes, or as a model of the task person those of the first, which is COCO's person.

    `side` is that of the square input, a multiple of 32: 416 for nano and tiny, 640 for the others.
    """
    check_side("YOLOX", side)
    if task not in ("objects", "person"):
        raise ValueError(f"YOLOX's task is objects or person, not {task!r}")
    decode = decode_objects if task == "objects" else decode_persons
    return Codec(task, partial(encode, side=side), partial(decode, side=side), version=1)


def encode(image: Array, side: int) -> tuple[Array, Letterbox]:
    """(3,side,side) float32 BGR 0 to 255, and how the image lies in it."""
    canvas, context = letterbox(image, side, GREY)
    return np.ascontiguousarray(canvas.transpose(2, 0, 1)[::-1]).astype(np.float32), context


def decode_objects(outputs: tuple[Array, ...], context: Letterbox, side: int) -> Objects:
    """Output: (P,5+C): centre from the cell and logarithm of the size, in strides; objectness, class probabilities."""
    rows = _rows(outputs, side)
    classes = rows[:, 5:].argmax(axis=1)
    scores = rows[:, 4] * rows[:, 5:].max(axis=1)
    likely = np.nonzero(scores >= FLOOR)[0]
    boxes = _boxes(rows, likely, side)
    kept = suppress_by_class(boxes, scores[likely], classes[likely], MAX_OVERLAP)
    found = likely[kept]
    return Objects(
        context.boxes_back(boxes[kept]), scores[found], classes[found], rows[found, 5:], objectness=rows[found, 4]
    )


def decode_persons(outputs: tuple[Array, ...], context: Letterbox, side: int) -> Detections:
    """The same output; a person's score is that of the class, whatever else the box may be."""
    rows = _rows(outputs, side)
    scores = rows[:, 4] * rows[:, 5 + PERSON]
    likely = np.nonzero(scores >= FLOOR)[0]
    boxes = _boxes(rows, likely, side)
    kept = suppress(boxes, scores[likely], MAX_OVERLAP)
    return Detections(context.boxes_back(boxes[kept]), scores[likely][kept])


def _rows(outputs: tuple[Array, ...], side: int) -> Array:
    rows = outputs[0].astype(np.float32)
    if len(rows) != len(_cells(side)):
        raise ValueError(f"{len(rows)} points are not those of an input of {side} pixels, {len(_cells(side))}")
    return rows


def _boxes(rows: Array, chosen: Array, side: int) -> Array:
    """The boxes (N,4) of these rows in pixels of the canvas."""
    cells = _cells(side)[chosen]
    centres = (rows[chosen, :2] + cells[:, :2]) * cells[:, 2:]
    halves = np.exp(np.minimum(rows[chosen, 2:4], _LARGEST)) * cells[:, 2:] / 2
    return np.concatenate([centres - halves, centres + halves], axis=1)


@lru_cache
def _cells(side: int) -> Array:
    return grid((side, side), STRIDES)
