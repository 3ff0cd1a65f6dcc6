"""Painting covers over an image: pure functions on arrays that touch nothing but the boxes."""

import cv2
import numpy as np

from model_handlers.interface import Array, Pixels
from transforms.anonymizing.covers_settings import PaintSettings


def cover(image: Pixels, boxes: Array, settings: PaintSettings) -> Pixels:
    """A new image with the boxes (K,4) covered, x1,y1,x2,y2 in pixels; the image itself if there are none in it.

    A pixel that a box touches is covered. What blur and pixelate leave of a box are means over a few cells, so that
    nothing undoes them. With two cells a side, which are twelve numbers, the colours go one way only across the box:
    no spot in it stands out from both sides, as a head does before what is behind it.
    """
    whole = whole_pixels(boxes, image.shape[1], image.shape[0])
    if not len(whole):
        return image
    painted = image.copy()
    for x1, y1, x2, y2 in whole.tolist():
        painted[y1:y2, x1:x2] = _covered(painted[y1:y2, x1:x2], settings)
    return painted


def whole_pixels(boxes: Array, width: int, height: int) -> Array:
    """The boxes (K,4) rounded outwards to whole pixels, int64, and clipped to the image; those outside are left out."""
    outwards = np.concatenate([np.floor(boxes[:, :2]), np.ceil(boxes[:, 2:])], axis=1)
    clipped = np.clip(outwards, 0, (width, height, width, height)).astype(np.int64)
    seen = (clipped[:, 2] > clipped[:, 0]) & (clipped[:, 3] > clipped[:, 1])
    return np.asarray(clipped[seen])


def _covered(region: Pixels, settings: PaintSettings) -> Pixels:
    if settings.how == "fill":
        return np.full_like(region, settings.colour)
    height, width = region.shape[:2]
    longer = max(width, height)
    across, down = (max(1, round(settings.cells * side / longer)) for side in (width, height))
    means = cv2.resize(region, (min(across, width), min(down, height)), interpolation=cv2.INTER_AREA)
    # INTER_LINEAR rounds so that smooth transitions ripple, and not alike on all processors.
    smooth = cv2.INTER_LINEAR_EXACT if settings.how == "blur" else cv2.INTER_NEAREST
    return np.asarray(cv2.resize(means, (width, height), interpolation=smooth), np.uint8)
