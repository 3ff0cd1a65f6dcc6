"""Networks that tell drawings from photographs: two logits for an image, the first one for a cartoon.

Input (N,3,224,224) float32 RGB, normalized as ImageNet's images are, output (N,2).
"""

import numpy as np
from PIL import Image as Pillow

from model_handlers.framing import middle_square, to_planes
from model_handlers.interface import Array, Codec

_SHORTER, _SIDE = 256, 224  # pixels, to which images of ImageNet are scaled and cut out


def codec() -> Codec:
    """The logit for a cartoon of the middle square of an image."""
    return Codec("cartoon", encode, decode, version=1)


def encode(image: Array) -> tuple[Array, None]:
    """(3,224,224) float32: the middle of the image, whose shorter side became 256 bilinearly."""
    return to_planes(middle_square(image, _SIDE, _SHORTER, Pillow.Resampling.BILINEAR), "imagenet"), None


def decode(outputs: tuple[Array, ...], context: None) -> float:
    """Output: (2,); ValueError where there are more or fewer."""
    cartoon, _ = np.asarray(outputs[0], np.float64)
    return float(cartoon)
