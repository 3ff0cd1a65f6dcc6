"""Pixels as image files, and the largest that each format holds."""

import cv2

from model_handlers.interface import Pixels

# the longest side in pixels: libjpeg's and libwebp's limits, and libpng's default
MAX_SIDE = {"jpeg": 65_500, "webp": 16_383, "png": 1_000_000}


def encode(image: Pixels, format_name: str, quality: int) -> bytes:
    """RGB uint8 (H,W,3) as a jpeg, webp or png file; `quality` 1 to 100 is of the first two."""
    options = {
        "jpeg": (".jpg", [cv2.IMWRITE_JPEG_QUALITY, quality]),
        "webp": (".webp", [cv2.IMWRITE_WEBP_QUALITY, quality]),
        "png": (".png", [cv2.IMWRITE_PNG_COMPRESSION, 3]),
    }
    suffix, parameters = options[format_name]
    done, file = cv2.imencode(suffix, cv2.cvtColor(image, cv2.COLOR_RGB2BGR), parameters)
    if not done:
        raise ValueError(f"an image of shape {image.shape} cannot be written as {format_name}")
    return bytes(file)
