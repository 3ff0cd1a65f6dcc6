"""The images of the bundle: bodies on a square canvas, faces as they are or at one size; all are RGB (H,W,3) uint8."""

from dataclasses import dataclass

import cv2
import numpy as np

from model_handlers.geometry import resize
from model_handlers.interface import Pixels

_JPEG_START = b"\xff\xd8\xff"


@dataclass(frozen=True, slots=True, eq=False)
class Canvas:
    """An image on a canvas: its point p (pixel edges at whole numbers) is at p * scale + offset, for x and y."""

    pixels: Pixels
    scale: tuple[float, float]
    offset: tuple[int, int]


def to_size(pixels: Pixels, width: int, height: int) -> Pixels:
    """The image at another size: area average where it shrinks, cubic where it grows."""
    return resize(pixels, width, height, grow=cv2.INTER_CUBIC)


def on_canvas(pixels: Pixels, side: int, fill: tuple[int, int, int]) -> Canvas:
    """The image, its longer side scaled to `side`, in the middle of a side x side canvas of colour `fill` (RGB)."""
    height, width = pixels.shape[:2]
    longer = max(width, height)
    new_width = max(1, round(width * side / longer))
    new_height = max(1, round(height * side / longer))
    x, y = (side - new_width) // 2, (side - new_height) // 2
    canvas = np.empty((side, side, 3), np.uint8)
    canvas[:] = fill
    canvas[y : y + new_height, x : x + new_width] = to_size(pixels, new_width, new_height)
    return Canvas(canvas, (new_width / width, new_height / height), (x, y))


def is_jpeg(data: bytes) -> bool:
    """Whether the file starts as a JPEG does."""
    return data.startswith(_JPEG_START)
