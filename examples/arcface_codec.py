"""A codec from outside the package, for models that take faces as ArcFace does: 112 pixels, levelled by five points.

A catalogue names it as `codec: examples.arcface_codec:codec`; examples/arcface.yaml is such a catalogue.
"""

from functools import partial

import numpy as np

from model_handlers.geometry import ARCFACE, ARCFACE_SIDE, similarity, warp
from model_handlers.interface import Array, Codec


def codec(side: int = ARCFACE_SIDE) -> Codec:
    """The codec of a model whose input is `side` pixels wide and high; ValueError if that is no side of an image."""
    if not 16 <= side <= 1024:
        raise ValueError(f"the side must be from 16 to 1024 pixels, not {side}")
    return Codec("embedding", partial(encode, side=side), decode, version=1)


def encode(crop: Array, crop_landmarks: Array, mesh: Array | None, side: int) -> tuple[Array, None]:
    """(3, side, side) float32 RGB, -1 to 1: the crop (H,W,3), moved so that its landmarks (5,2) lie at their places."""
    face = warp(crop, similarity(crop_landmarks, ARCFACE * (side / ARCFACE_SIDE)), side)
    planes = np.ascontiguousarray(face.transpose(2, 0, 1)).astype(np.float32)
    return (planes - np.float32(127.5)) / np.float32(128), None


def decode(outputs: tuple[Array, ...], context: None) -> Array:
    """The model's only output, (D,) float32, as it is."""
    return outputs[0].astype(np.float32)
