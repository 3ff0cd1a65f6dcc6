"""YOLOv8-pose and YOLO11-pose: people and 17 keypoints in one call (G. Jocher et al., Ultralytics YOLO, 2023, 2024).

Scaling, margins, suppression and clipping are those of ultralytics' `predict` (8.4), so that the same weights find the
same people.
"""

from functools import partial

import cv2
import numpy as np

from model_handlers.framing import check_side
from model_handlers.geometry import Letterbox, suppress
from model_handlers.interface import Array, Codec, Detections

STRIDE = 32  # of the coarsest cells: both sides of an input are multiples
GREY = 114  # the margins
KEYPOINTS = 17
NUMBERS = 4 + 1 + 3 * KEYPOINTS  # of each place: box, score, keypoints
FLOOR = 0.05  # lower scores are never returned; the stage's own threshold is higher
MOST = 300  # people of an image, best first


def codec(side: int = 640, rect: bool = True, max_overlap: float = 0.7, planes: bool = False) -> Codec:
    """People in the whole image, its longer side scaled to `side`, a multiple of 32.

    `rect`: margins only up to the next multiple of 32; False for files of one fixed square input. `max_overlap`: of two
    boxes with a larger intersection over union the worse goes. `planes`: float32 planes for ONNX files; False gives
    pixels, which the network of PyTorch normalizes on the device.
    """
    check_side("YOLO", side)
    if not 0 < max_overlap <= 1:
        raise ValueError(f"YOLO's max_overlap must be above 0 and at most 1, not {max_overlap}")
    return Codec(
        "pose",
        partial(encode, side=side, rect=rect, planes=planes),
        partial(decode, max_overlap=max_overlap),
        version=1,
    )


def encode(image: Array, side: int, rect: bool, planes: bool) -> tuple[Array, Letterbox]:
    """(H,W,3) uint8 RGB with the image in its middle, or (3,H,W) float32 of 0 to 1; and how the image lies in it."""
    height, width = image.shape[:2]
    scale = min(side / height, side / width)
    new_width, new_height = max(round(width * scale), 1), max(round(height * scale), 1)
    free_x, free_y = side - new_width, side - new_height
    if rect:
        free_x, free_y = free_x % STRIDE, free_y % STRIDE
    left, top = free_x // 2, free_y // 2  # an odd margin is wider on the right and below
    canvas = np.full((new_height + free_y, new_width + free_x, 3), GREY, dtype=np.uint8)
    if (new_width, new_height) != (width, height):
        image = cv2.resize(image, (new_width, new_height), interpolation=cv2.INTER_LINEAR)
    canvas[top : top + new_height, left : left + new_width] = image
    placed = Letterbox(new_width / width, new_height / height, width, height, left, top)
    if planes:
        return np.ascontiguousarray(canvas.transpose(2, 0, 1)).astype(np.float32) / np.float32(255), placed
    return canvas, placed


def decode(outputs: tuple[Array, ...], context: Letterbox, max_overlap: float) -> Detections:
    """Output (56, places): centre x, y, width, height in pixels of the input, score, 17 times x, y, visibility.

    With its one class, the distance that `predict` puts between boxes of different classes is zero.
    """
    rows = outputs[0]
    if rows.ndim != 2 or len(rows) != NUMBERS:
        raise ValueError(f"YOLO-pose with {KEYPOINTS} keypoints gives ({NUMBERS}, places), not {rows.shape}")
    found = rows[:, rows[4] >= FLOOR].T
    middles, halves = found[:, :2], found[:, 2:4] / 2
    boxes = np.concatenate([middles - halves, middles + halves], axis=1)
    kept = suppress(boxes, found[:, 4], max_overlap)[:MOST]
    points = found[kept, 5:].reshape(-1, KEYPOINTS, 3)
    places = np.clip(context.points_back(points[..., :2]), 0, (context.width, context.height))
    return Detections(
        context.boxes_back(boxes[kept]),
        found[kept, 4].astype(np.float32),
        keypoints=np.concatenate([places, points[..., 2:]], axis=2).astype(np.float32),
    )
