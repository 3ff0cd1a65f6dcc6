"""Networks that tell by its look what a picture of a person or of their clothes has to do with another: features of
ImageNet networks, and re-identification (K. Zhou et al., Omni-Scale Feature Learning, ICCV 2019).

Input (N,3,height,width) float32 RGB, output (N,D).
"""

from functools import partial

import numpy as np
from PIL import Image as Pillow

from model_handlers.framing import NORMALIZATIONS, to_planes
from model_handlers.interface import Array, Codec

_LARGEST = 2048


def codec(height: int = 224, width: int = 224, normalization: str | None = "imagenet") -> Codec:
    """The vector of a whole crop; ValueError for a size or a normalization that there is not."""
    if not (0 < height <= _LARGEST and 0 < width <= _LARGEST):
        raise ValueError(f"its height and width are from 1 to {_LARGEST} pixels, not {height} and {width}")
    if normalization not in (None, *NORMALIZATIONS):
        raise ValueError(f"its normalization is one of {', '.join(NORMALIZATIONS)}, not {normalization!r}")
    shape = partial(encode, height=height, width=width, normalization=normalization)
    return Codec("appearance", shape, decode, version=1)


def encode(crop: Array, height: int, width: int, normalization: str | None) -> tuple[Array, None]:
    """(3,height,width) float32; the crop is stretched to that, bilinearly, as torchvision's `Resize` does to images."""
    stretched = np.asarray(Pillow.fromarray(crop).resize((width, height), Pillow.Resampling.BILINEAR))
    return to_planes(stretched, normalization), None


def decode(outputs: tuple[Array, ...], context: None) -> Array:
    """Output: (D,), or maps of one pixel, (D,1,1)."""
    return outputs[0].astype(np.float32).reshape(-1)
