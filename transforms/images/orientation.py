"""How a picture has to be turned to stand upright, by EXIF, and the turning.

EXIF counts in JPEG, PNG, WebP and TIFF. AVIF has boxes of its own (irot, imir) and says that EXIF does not turn; XMP
turns nothing anywhere: browsers look at neither.
"""

import cv2

from model_handlers.interface import Pixels
from transforms.images.tiff import orientation_of

# the orientations 2 to 8 of EXIF as (transpose, flip code of cv2 or None)
_UPRIGHT: dict[int, tuple[bool, int | None]] = {
    2: (False, 1),
    3: (False, -1),
    4: (False, 0),
    5: (True, None),
    6: (True, 1),
    7: (True, -1),
    8: (True, 0),
}


def exif_orientation(block: bytes) -> int:
    """The orientation, 1 to 8, of an EXIF block, with or without its name before it; 1 for a block that is broken."""
    return orientation_of(block.removeprefix(b"Exif\0\0")) if block else 1


def upright_size(width: int, height: int, orientation: int) -> tuple[int, int]:
    """Width and height after turning."""
    return (height, width) if orientation >= 5 else (width, height)


def turn(image: Pixels, orientation: int) -> Pixels:
    """The image upright."""
    if orientation not in _UPRIGHT:
        return image
    transpose, flip = _UPRIGHT[orientation]
    image = cv2.transpose(image) if transpose else image
    return image if flip is None else cv2.flip(image, flip)
