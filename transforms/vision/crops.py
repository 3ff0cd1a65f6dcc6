"""Which part of an image to cut out: the padded body, the upper body, the square round a face. Pure functions."""

import math

import numpy as np

from model_handlers.interface import Array

HEAD_AND_SHOULDERS = slice(0, 7)  # COCO: nose, eyes, ears, shoulders
_LEFT_EAR, _RIGHT_EAR, _LEFT_SHOULDER, _RIGHT_SHOULDER = 3, 4, 5, 6


def padded_box(box: Array, padding: float, width: int, height: int) -> Array:
    """The box (4,) grown on each side by a share of its size, in whole pixels outwards, clipped to the image; int64.

    At least one pixel wide and high, inside the image.
    """
    x1, y1, x2, y2 = (float(value) for value in box)
    grow_x, grow_y = padding * (x2 - x1), padding * (y2 - y1)
    left, right = _whole(x1 - grow_x, x2 + grow_x, width)
    top, bottom = _whole(y1 - grow_y, y2 + grow_y, height)
    return np.array([left, top, right, bottom])


def square_box(box: Array, margin: float, width: int, height: int) -> Array:
    """The square round a face's box (4,), in whole pixels; int64.

    Its side is the box's longer side and on each side of that `margin` times as much, but no more than fits into the
    image. It lies about the box's centre, moved into the image; only where the box itself is longer than the image's
    shorter side does the square reach beyond it, as far on both sides.
    """
    x1, y1, x2, y2 = (float(value) for value in box)
    longer = max(x2 - x1, y2 - y1)
    side = max(1, min(math.ceil(longer * (1 + 2 * margin)), max(math.ceil(longer), min(width, height))))
    left, top = _moved(round((x1 + x2 - side) / 2), side, width), _moved(round((y1 + y2 - side) / 2), side, height)
    return np.array([left, top, left + side, top + side])


def union_square(boxes: Array, margin: float) -> Array:
    """The square round all of some boxes (N,4), in whole pixels; int64. It may reach beyond the image.

    Its side is the longer side of the box that holds them all and `margin` times as much, rounded up to an even number;
    it lies about that box's centre.
    """
    x1, y1 = (float(value) for value in boxes[:, :2].min(axis=0))
    x2, y2 = (float(value) for value in boxes[:, 2:].max(axis=0))
    side = max(2, 2 * math.ceil(max(x2 - x1, y2 - y1) * (1 + margin) / 2))
    left, top = round((x1 + x2 - side) / 2), round((y1 + y2 - side) / 2)
    return np.array([left, top, left + side, top + side])


def _moved(start: int, side: int, limit: int) -> int:
    """Where a stretch of this side begins when it is moved into 0 to limit, or about its middle if it is longer."""
    return (limit - side) // 2 if side > limit else min(max(start, 0), limit - side)


def _whole(start: float, end: float, limit: int) -> tuple[int, int]:
    """Whole pixels from start to end, at least one, inside 0 to limit."""
    first = min(max(int(np.floor(start)), 0), limit - 1)
    return first, min(max(int(np.ceil(end)), first + 1), limit)


def upper_body_box(
    keypoints: Array,
    width: int,
    height: int,
    *,
    min_visibility: float,
    extend_side: float,
    extend_up: float,
    extend_down: float,
) -> Array:
    """Where in a body crop to look for the face, (4,) int64 whole pixels of the crop, never empty.

    `keypoints` (17,3) in pixels of the crop. The whole crop when no shoulder is visible, when fewer than two of nose,
    eyes, ears and shoulders are, or when those have no extent. Otherwise their box, extended by shares of its width
    and height; its bottom becomes the lowest visible shoulder, and where both ears are visible its sides become the
    ears' span and half of that on each side (the recipe WebBody) - unless that would cut off the nose or an eye, as it
    does in profile, when a model guesses where the hidden ear is.
    """
    whole = np.array([0, 0, width, height])
    head = keypoints[HEAD_AND_SHOULDERS]
    visible = (head[:, 2] >= min_visibility) & np.isfinite(head).all(axis=1)
    shoulders = [i for i in (_LEFT_SHOULDER, _RIGHT_SHOULDER) if visible[i]]
    if not shoulders or visible.sum() < 2:
        return whole
    (x1, y1), (x2, y2) = head[visible, :2].min(axis=0), head[visible, :2].max(axis=0)
    if x2 <= x1 or y2 <= y1:
        return whole
    left, right = x1 - extend_side * (x2 - x1), x2 + extend_side * (x2 - x1)
    top, bottom = max(y1 - extend_up * (y2 - y1), 0.0), min(y2 + extend_down * (y2 - y1), height)
    bottom = head[shoulders, 1].max() if head[shoulders, 1].max() > top else bottom
    ear1, ear2 = sorted(head[[_LEFT_EAR, _RIGHT_EAR], 0])
    near, far = ear1 - (ear2 - ear1) / 2, ear2 + (ear2 - ear1) / 2
    nose_and_eyes = head[:3, 0][visible[:3]]
    if visible[_LEFT_EAR] and visible[_RIGHT_EAR] and ((near <= nose_and_eyes) & (nose_and_eyes <= far)).all():
        left, right = near, far
    box = np.array([*_whole(left, right, width), *_whole(top, bottom, height)])[[0, 2, 1, 3]]
    return box if right > left and left < width and right > 0 and top < height and bottom > 0 else whole
