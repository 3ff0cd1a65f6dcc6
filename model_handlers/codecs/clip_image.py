"""CLIP's image encoder: what an image shows, as a vector (A. Radford et al., Learning Transferable Visual Models From
Natural Language Supervision, 2021).

The ONNX file is the user's: input (N,3,side,side) float32, output (N,D), the projected image embedding, of any length.
"""

from functools import partial

import numpy as np

from model_handlers.framing import middle_square, to_planes
from model_handlers.interface import Array, Codec


def codec(side: int = 224) -> Codec:
    """The vector of the middle square of an image; 336 is the side of ViT-L/14@336px, 224 that of all others."""
    return Codec("semantics", partial(encode, side=side), decode, version=1)


def encode(image: Array, side: int) -> tuple[Array, None]:
    """(3,side,side) float32, normalized as CLIP's images are."""
    return to_planes(middle_square(image, side), "clip"), None


def decode(outputs: tuple[Array, ...], context: None) -> Array:
    """Output: (D,) -> of unit length; NaN where the model gives zeros or what is not finite."""
    vector = outputs[0].astype(np.float32)
    norm = float(np.linalg.norm(vector.astype(np.float64)))
    return vector / np.float32(norm) if 0 < norm < np.inf else np.full_like(vector, np.nan)
