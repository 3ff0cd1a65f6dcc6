"""What Pillow decoded as colour or grey of 8 bits, and alpha beside it.

What a format says of its samples (a transparent colour, white that is zero, the number of bits) is used here, while
they are as they were stored.
"""

import cv2
import numpy as np
from PIL import Image as Pillow

from model_handlers.interface import Array, Pixels
from transforms.images.png import COLOUR, GREY, GREY_ALPHA, Png, lacks_rows
from transforms.images.tiff import Tiff


def colour_and_alpha(image: Pillow.Image, facts: Png | Tiff | None) -> tuple[Pillow.Image, Pillow.Image | None]:
    """A loaded image as one of mode L, RGB, CMYK or LAB, and its alpha, None where it is opaque.

    ValueError for samples whose range is unknown.
    """
    if image.mode == "F":
        raise ValueError("pixels are floating-point numbers of unknown range")
    if isinstance(facts, Png):
        return _of_png(image, facts)
    if image.mode.startswith("I"):
        if not isinstance(facts, Tiff):
            raise ValueError(f"pixels of mode {image.mode} of unknown range")
        grey = _eight_bits(np.asarray(image), facts.bits, facts.signed)
        return Pillow.fromarray(255 - grey if facts.inverted else grey), None
    colour, alpha = _split(image)
    if image.format == "BMP" and alpha is not None and alpha.getextrema() == (0, 0):
        return colour, None  # writers that know no alpha leave its byte 0, and viewers show what is there
    return colour, alpha


def _of_png(image: Pillow.Image, facts: Png) -> tuple[Pillow.Image, Pillow.Image | None]:
    """A PNG, whose transparent colour, if it has one, is left to be found."""
    # rows that are not there stay black; in an interlaced picture they may be anywhere
    if (facts.interlaced or not np.asarray(image)[-1].any()) and lacks_rows(facts):
        raise ValueError("the last rows are missing")
    alpha = None
    if facts.key:
        samples = np.asarray(image.convert("L") if image.mode == "1" else image)
        if facts.depth == 16 and facts.kind == COLOUR:  # Pillow has 8 bits of them
            samples = cv2.cvtColor(_sixteen_bits(facts.file), cv2.COLOR_BGR2RGB)
        key = [value * 255 // ((1 << facts.depth) - 1) if facts.depth < 8 else value for value in facts.key]
        found = (samples.reshape(*samples.shape[:2], -1) == key).all(axis=2)
        alpha = Pillow.fromarray(np.where(found, 0, 255).astype(np.uint8))
    if image.mode.startswith("I"):
        return Pillow.fromarray(_eight_bits(np.asarray(image), 16)), alpha
    colour, own = _split(image)
    if facts.kind in (GREY, GREY_ALPHA) and colour.mode == "RGB":  # of 16 bits, with alpha
        colour = colour.getchannel("R")
    return colour, alpha or own


def _sixteen_bits(file: bytes) -> Array:
    samples: Array | None = cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_UNCHANGED)
    if samples is None:
        raise ValueError("a PNG that libpng does not decode")
    return samples


def _eight_bits(samples: Array, bits: int, signed: bool = False) -> Pixels:
    """Grey of more than 8 bits as 8, the upper ones; of signed samples 0 is black."""
    if samples.dtype == np.int32 and not signed:
        samples = samples.view(np.uint32)
    upper = np.maximum(samples, 0) >> (bits - 8 - signed)
    grey: Pixels = np.minimum(upper, 255).astype(np.uint8)
    return grey


def _split(image: Pillow.Image) -> tuple[Pillow.Image, Pillow.Image | None]:
    if image.mode in ("P", "PA", "RGBa") or (image.mode == "RGB" and "transparency" in image.info):
        image = image.convert("RGBA" if image.mode != "P" or "transparency" in image.info else "RGB")
    elif image.mode in ("1", "L", "La"):
        image = image.convert("LA" if image.mode == "La" or "transparency" in image.info else "L")
    if image.mode in ("RGBA", "LA"):
        *colour, alpha = image.split()
        return Pillow.merge("RGB", colour) if len(colour) == 3 else colour[0], alpha
    return image if image.mode in ("L", "RGB", "CMYK", "LAB") else image.convert("RGB"), None
