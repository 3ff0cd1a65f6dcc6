"""What is round a face, as a hash: pictures of a person before the same background have nearly the same."""

import cv2
import numpy as np

from model_handlers.interface import Array

SIDE = 8  # cells of the hash in a row, and rows


def background_hash(crop: Array, box: Array) -> str:
    """The mean hash of the crop (H,W,3) RGB uint8 without the face in `box` (4,), as 16 hex digits.

    A bit is set where a cell's grey, averaged over what of it is no face, is above the mean of all such cells; cells
    that are face alone are unset. Row by row, the first cell is the highest bit. (N. Krawetz, Looks Like It, 2011.)
    """
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY).astype(np.float32)
    background = np.ones_like(grey)
    x1, y1, x2, y2 = (max(0, round(float(value))) for value in box)
    background[y1:y2, x1:x2] = 0
    share = cv2.resize(background, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    light = cv2.resize(grey * background, (SIDE, SIDE), interpolation=cv2.INTER_AREA) / np.maximum(share, 1e-6)
    seen = share > 1e-6
    if not seen.any():
        return "0" * (SIDE * SIDE // 4)
    bits = seen & (light > light[seen].mean())
    return np.packbits(bits).tobytes().hex()


def hash_distance(one: str, other: str) -> int:
    """The number of bits, 0 to 64, in which two hashes differ."""
    return (int(one, 16) ^ int(other, 16)).bit_count()
