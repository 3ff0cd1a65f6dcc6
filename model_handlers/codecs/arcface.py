"""Networks that take faces as ArcFace does: 112 pixels, levelled by five landmarks (J. Deng et al., CVPR 2019).

InsightFace's models take RGB, AdaFace's own BGR (M. Kim et al., AdaFace, CVPR 2022). The vector is not of unit length.
"""

from functools import partial

import numpy as np

from model_handlers.geometry import ARCFACE, ARCFACE_SIDE, similarity, warp
from model_handlers.interface import Array, Codec

CHANNELS = ("rgb", "bgr")
SCALES = (127.5, 128.0)


def codec(channels: str = "rgb", scale: float = 127.5) -> Codec:
    """The codec of a model with this order of colours, whose input is (x - 127.5) / scale.

    ValueError for another order or scale. In bf16 the vectors keep a cosine above 0.999 with those of fp32.
    """
    if channels not in CHANNELS:
        raise ValueError(f"channels is one of {', '.join(CHANNELS)}, not {channels!r}")
    if scale not in SCALES:
        raise ValueError(f"scale is one of {', '.join(f'{one:g}' for one in SCALES)}, not {scale!r}")
    made = partial(encode, channels=channels, scale=scale)
    return Codec("embedding", made, decode, version=1, half=True)


def encode(crop: Array, crop_landmarks: Array, mesh: Array | None, channels: str, scale: float) -> tuple[Array, None]:
    """(3,112,112) float32, -1 to 1: the crop (H,W,3), moved so that its landmarks (5,2) lie at their places.

    ValueError if the landmarks coincide.
    """
    face = warp(crop, similarity(crop_landmarks, ARCFACE), ARCFACE_SIDE)
    ordered = face if channels == "rgb" else face[..., ::-1]
    planes = np.ascontiguousarray(ordered.transpose(2, 0, 1)).astype(np.float32)
    return (planes - np.float32(127.5)) / np.float32(scale), None


def decode(outputs: tuple[Array, ...], context: None) -> Array:
    """Outputs: (D,); or, as AdaFace's own forward pass gives it, the direction (D,) and the length (1,)."""
    vector = outputs[0] if len(outputs) == 1 else outputs[0] * outputs[1]
    return vector.astype(np.float32)
