"""NanoDet: COCO's 80 classes, of which the persons are read here (RangiLyu, NanoDet, 2020).

As in its training the image lies in the middle of a black square, longer side to longer side (its `get_resize_matrix`
with `keep_ratio`). People who fill their picture are found best where it is smaller: the network may look at several
sizes of it.
"""

from collections.abc import Sequence
from functools import cache, partial

import numpy as np

from model_handlers.geometry import Letterbox, letterbox, suppress
from model_handlers.interface import Array, Codec, Detections, Input

SIDE = 416
STRIDES = (8, 16, 32)
BINS = np.arange(11, dtype=np.float32)  # a side's distance is the expectation over these, in strides
MEAN_BGR = np.array([103.53, 116.28, 123.675], dtype=np.float32)
STD_BGR = np.array([57.375, 57.12, 58.395], dtype=np.float32)
PERSON = 0
FLOOR = 0.05  # lower scores are never returned; the stage's own threshold is higher
MAX_OVERLAP = 0.6

Sides = tuple[int, ...]


def codec(sides: Sequence[int] = (SIDE,)) -> Codec:
    """Persons, found in the whole image scaled to each of these sides, pixels: multiples of 32, an input for each."""
    if not sides or any(side < 32 or side % 32 for side in sides):
        raise ValueError(f"NanoDet's input sides must be one or more multiples of 32, not {list(sides)}")
    views = tuple(sides)
    return Codec("person", partial(encode, sides=views), partial(decode, sides=views), version=2)


def encode(image: Array, sides: Sides = (SIDE,)) -> tuple[Input, tuple[Letterbox, ...]]:
    """For each side (3,side,side) float32 BGR, mean and deviation removed; and how the image lies in each."""
    views = [letterbox(image, side, middle=True) for side in sides]
    planes = tuple(_normalized(canvas) for canvas, _ in views)
    return planes if len(planes) > 1 else planes[0], tuple(context for _, context in views)


def decode(outputs: tuple[Array, ...], context: tuple[Letterbox, ...], sides: Sides = (SIDE,)) -> Detections:
    """Outputs: scores (P,80), probabilities, and distances (P,44), logits of left, top, right, bottom.

    The P points are those of each side, of each stride, row by row: 3549 of 416 px.
    """
    scores = outputs[0][:, PERSON]
    likely = np.nonzero(scores >= FLOOR)[0]
    boxes = _boxes(outputs[1], likely, context, sides)
    kept = suppress(boxes, scores[likely], MAX_OVERLAP)
    return Detections(boxes[kept], scores[likely][kept].astype(np.float32))


def _normalized(canvas: Array) -> Array:
    planes = np.ascontiguousarray(canvas.transpose(2, 0, 1)[::-1]).astype(np.float32)
    planes -= MEAN_BGR[:, None, None]
    planes /= STD_BGR[:, None, None]
    return planes


def _boxes(distances: Array, points: Array, context: tuple[Letterbox, ...], sides: Sides) -> Array:
    """The boxes (N,4) of these points, by rising number, in pixels of the image."""
    x, y, stride, view = _grid(sides)[points].T
    logits = distances[points].reshape(-1, 4, len(BINS))
    powers = np.exp(logits - logits.max(axis=2, keepdims=True))
    reach = (powers @ BINS) / powers.sum(axis=2) * stride[:, None]
    boxes = np.stack([x - reach[:, 0], y - reach[:, 1], x + reach[:, 2], y + reach[:, 3]], axis=1)
    return np.concatenate([lies.boxes_back(boxes[view == n]) for n, lies in enumerate(context)])


@cache
def _grid(sides: Sides) -> Array:
    """(P,4): x and y in pixels of its canvas, stride and canvas of every output point."""
    parts = []
    for view, side in enumerate(sides):
        for stride in STRIDES:
            cells = (np.arange(side // stride) + 0.5) * stride
            y, x = np.meshgrid(cells, cells, indexing="ij")
            parts.append(np.stack([x.ravel(), y.ravel(), np.full(x.size, stride), np.full(x.size, view)], axis=1))
    return np.concatenate(parts).astype(np.float32)
