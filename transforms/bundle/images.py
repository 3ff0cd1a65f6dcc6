"""The images of the bundle: bodies on a square canvas, faces as they are or at one size.

Images are (H,W,3) uint8 BGR arrays, as OpenCV reads and writes them.
"""

import io
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from transforms.tables.reasons import Rejected

Pixels = NDArray[np.uint8]
MAX_PIXELS = 1 << 26  # crops are far smaller; a header that says otherwise is not believed
_JPEG_START = b"\xff\xd8\xff"


@dataclass(frozen=True, slots=True, eq=False)
class Canvas:
    """An image on a canvas: its point p (pixel edges at whole numbers) is at p * scale + offset, for x and y."""

    pixels: Pixels
    scale: tuple[float, float]
    offset: tuple[int, int]


def decode(data: bytes) -> Pixels:
    """The image of an encoded file; Rejected(broken_image) if it is cut short, cannot be read or claims to be huge."""
    try:
        with Pillow.open(io.BytesIO(data)) as header:
            width, height = header.size
    except (OSError, ValueError, SyntaxError, Pillow.DecompressionBombError) as error:
        raise Rejected("broken_image", f"{len(data)} bytes that are no image") from error
    if width * height > MAX_PIXELS:
        raise Rejected("broken_image", f"a crop of {width}x{height} pixels")
    pixels: Pixels | None = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if pixels is None:
        raise Rejected("broken_image", f"{len(data)} bytes that do not decode")
    return pixels


def encode(pixels: Pixels, quality: int) -> bytes:
    """A JPEG file; quality 1 to 100."""
    done, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise RuntimeError(f"OpenCV could not encode an image of shape {pixels.shape} as JPEG")
    return bytes(data)


def resize(pixels: Pixels, width: int, height: int) -> Pixels:
    """The image at another size: area average where it shrinks, cubic where it grows."""
    old_height, old_width = pixels.shape[:2]
    if (width, height) == (old_width, old_height):
        return pixels
    shrinks = width < old_width or height < old_height
    method = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    resized: Pixels = cv2.resize(pixels, (width, height), interpolation=method)
    return resized


def on_canvas(pixels: Pixels, side: int, fill: tuple[int, int, int]) -> Canvas:
    """The image, its longer side scaled to `side`, in the middle of a side x side canvas of colour `fill` (RGB)."""
    height, width = pixels.shape[:2]
    longer = max(width, height)
    new_width = max(1, round(width * side / longer))
    new_height = max(1, round(height * side / longer))
    x, y = (side - new_width) // 2, (side - new_height) // 2
    canvas = np.empty((side, side, 3), np.uint8)
    canvas[:] = fill[::-1]
    canvas[y : y + new_height, x : x + new_width] = resize(pixels, new_width, new_height)
    return Canvas(canvas, (new_width / width, new_height / height), (x, y))


def is_jpeg(data: bytes) -> bool:
    """Whether the file starts as a JPEG does."""
    return data.startswith(_JPEG_START)
