"""NanoDet: COCO's 80 classes, or the persons among them (RangiLyu, NanoDet, 2020).

As in its training the image lies in the middle of a black square, longer side to longer side (its `get_resize_matrix`
with `keep_ratio`). People who fill their picture are found best where it is smaller: the network may look at several
sizes of it.
"""

from collections.abc import Sequence
from functools import cache, partial

import numpy as np

from model_handlers.geometry import Letterbox, grid, letterbox, suppress, suppress_by_class
from model_handlers.interface import Array, Codec, Detections, Input, Objects

SIDE = 416
STRIDES = (8, 16, 32)
BINS = np.arange(11, dtype=np.float32)  # a side's distance is the expectation over these, in strides
MEAN_BGR = np.array([103.53, 116.28, 123.675], dtype=np.float32)
STD_BGR = np.array([57.375, 57.12, 58.395], dtype=np.float32)
PERSON = 0
FLOOR = 0.05  # lower scores are never returned; the stage's own threshold is higher
MAX_OVERLAP = 0.6

Sides = tuple[int, ...]


def codec(sides: Sequence[int] = (SIDE,), task: str = "person") -> Codec:
    """Persons, or as a model of the task objects all classes, found in the whole image scaled to each of these sides.

    Sides are pixels, multiples of 32; the network has an input for each.
    """
    if not sides or any(side < 32 or side % 32 for side in sides):
        raise ValueError(f"NanoDet's input sides must be one or more multiples of 32, not {list(sides)}")
    if task not in ("person", "objects"):
        raise ValueError(f"NanoDet's task is person or objects, not {task!r}")
    views, decode_ = tuple(sides), decode if task == "person" else decode_objects
    return Codec(task, partial(encode, sides=views), partial(decode_, sides=views), version=2)


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


def decode_objects(outputs: tuple[Array, ...], context: tuple[Letterbox, ...], sides: Sides = (SIDE,)) -> Objects:
    """The same outputs; a point is of its best class, and the probabilities have in them that there is anything."""
    classes, scores = outputs[0].argmax(axis=1), outputs[0].max(axis=1)
    likely = np.nonzero(scores >= FLOOR)[0]
    boxes = _boxes(outputs[1], likely, context, sides)
    kept = suppress_by_class(boxes, scores[likely], classes[likely], MAX_OVERLAP)
    found = likely[kept]
    probabilities = outputs[0][found].astype(np.float32)
    return Objects(boxes[kept], scores[found].astype(np.float32), classes[found], probabilities)


def _normalized(canvas: Array) -> Array:
    planes = np.ascontiguousarray(canvas.transpose(2, 0, 1)[::-1]).astype(np.float32)
    planes -= MEAN_BGR[:, None, None]
    planes /= STD_BGR[:, None, None]
    return planes


def _boxes(distances: Array, points: Array, context: tuple[Letterbox, ...], sides: Sides) -> Array:
    """The boxes (N,4) of these points, by rising number, in pixels of the image."""
    cells, view = _cells(sides)
    strides = cells[points, 2:]
    logits = distances[points].reshape(-1, 4, len(BINS))
    powers = np.exp(logits - logits.max(axis=2, keepdims=True))
    reach = (powers @ BINS) / powers.sum(axis=2) * strides
    centres = (cells[points, :2] + np.float32(0.5)) * strides
    boxes = np.concatenate([centres - reach[:, :2], centres + reach[:, 2:]], axis=1)
    return np.concatenate([lies.boxes_back(boxes[view[points] == n]) for n, lies in enumerate(context)])


@cache
def _cells(sides: Sides) -> tuple[Array, Array]:
    """(P,3) column, row and stride of every output point, and (P,) the number of its canvas."""
    grids = [grid((side, side), STRIDES) for side in sides]
    return np.concatenate(grids), np.repeat(np.arange(len(sides)), [len(one) for one in grids])
