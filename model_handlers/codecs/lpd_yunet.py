"""LPD-YuNet: licence plates with their corners (D. Xu, in OpenCV's model zoo, 2022; trained on Chinese plates)."""

import numpy as np

from model_handlers.geometry import Letterbox, grid, letterbox_in, suppress
from model_handlers.interface import Array, Codec, Plates

SIZE = (320, 240)  # width, height
STRIDES = (8, 16, 32, 64)
# Of each stride the sides of the squares on every cell's centre; they and the offsets are those of OpenCV's model zoo.
PRIORS = ((10, 16, 24), (32, 48), (64, 96), (128, 192, 256))
VARIANCE = 0.1  # offsets are in this share of a prior's side
CORNERS = (4, 6, 10, 12)  # where the pairs x, y of the corners begin among the 14 numbers of a prior
FLOOR = 0.1  # lower scores are never returned; whoever uses them has a threshold that is higher
MAX_OVERLAP = 0.3
CELLS = grid(SIZE, STRIDES, [len(sides) for sides in PRIORS])
CENTRES = (CELLS[:, :2] + np.float32(0.5)) * CELLS[:, 2:]
SIDES = np.concatenate(
    [np.tile(sides, (CELLS[:, 2] == stride).sum() // len(sides)) for stride, sides in zip(STRIDES, PRIORS, strict=True)]
).astype(np.float32)


def codec() -> Codec:
    """Licence plates, found in the whole image scaled into 320 x 240 pixels."""
    return Codec("plate", encode, decode, version=1)


def encode(image: Array) -> tuple[Array, Letterbox]:
    """(3,240,320) float32 BGR 0 to 255, and how the image lies in it."""
    canvas, context = letterbox_in(image, SIZE)
    return np.ascontiguousarray(canvas.transpose(2, 0, 1)[::-1]).astype(np.float32), context


def decode(outputs: tuple[Array, ...], context: Letterbox) -> Plates:
    """Outputs of the 4385 priors: offsets (n,14), chances (n,2), the second of a plate, and expected overlap (n,1).

    They are told apart by their widths. A score is the root of chance times overlap, as in OpenCV's model zoo; a box is
    drawn around its corners.
    """
    offsets, chances, overlaps = sorted(outputs, key=lambda output: -output.shape[1])
    scores = np.sqrt(chances[:, 1] * np.clip(overlaps[:, 0], 0, 1))
    likely = scores >= FLOOR
    pairs = np.stack([offsets[likely, first : first + 2] for first in CORNERS], axis=1)
    corners = CENTRES[likely, None] + pairs * VARIANCE * SIDES[likely, None, None]
    boxes = np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)
    kept = suppress(boxes, scores[likely], MAX_OVERLAP)
    placed = _clockwise(context.points_back(corners[kept]))
    return Plates(context.boxes_back(boxes[kept]), scores[likely][kept].astype(np.float32), placed)


def _clockwise(corners: Array) -> Array:
    """Corners (N,4,2) in the order of Plates."""
    x, y = np.moveaxis(corners - corners.mean(axis=1, keepdims=True), 2, 0)
    order = np.argsort(np.arctan2(y, x), axis=1, kind="stable")  # y points down: rising angles turn clockwise
    sums = np.take_along_axis(corners.sum(axis=2), order, axis=1)
    turned = (sums.argmin(axis=1)[:, None] + np.arange(4)) % 4
    order = np.take_along_axis(order, turned, axis=1)
    return np.take_along_axis(corners, order[..., None], axis=1)
