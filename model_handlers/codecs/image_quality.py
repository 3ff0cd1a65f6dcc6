"""Networks that give an image one score: HyperIQA, CLIP-IQA+ and their like (S. Su et al., 2020; J. Wang et al., 2023).

The ONNX file is the user's: input (N,3,side,side) float32 RGB, output one number an image. Files exported from pyiqa
normalize their input themselves and take 0 to 1; for others the option `normalization` says what to take off.
"""

from functools import partial

from model_handlers.framing import NORMALIZATIONS, middle_square, to_planes
from model_handlers.interface import Array, Codec


def codec(side: int = 224, normalization: str | None = None) -> Codec:
    """The score of the middle square of an image; ValueError for a normalization that there is not."""
    if normalization not in (None, *NORMALIZATIONS):
        raise ValueError(f"its normalization is one of {', '.join(NORMALIZATIONS)}, not {normalization!r}")
    return Codec("quality", partial(encode, side=side, normalization=normalization), decode, version=1)


def encode(image: Array, side: int, normalization: str | None) -> tuple[Array, None]:
    """(3,side,side) float32."""
    return to_planes(middle_square(image, side), normalization), None


def decode(outputs: tuple[Array, ...], context: None) -> float:
    """Output: one number; ValueError where there are more."""
    return float(outputs[0].item())
