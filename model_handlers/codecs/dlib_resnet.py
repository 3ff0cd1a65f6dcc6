"""dlib's face recognition ResNet: 128 numbers a face, not of unit length (D. King, dlib 19.3, 2017)."""

from functools import partial

import numpy as np

from model_handlers.geometry import similarity, warp
from model_handlers.interface import Array, Codec

SIDE = 150
MEAN_RGB = np.array([122.782, 117.001, 104.298], dtype=np.float32)
MESH_POINTS = (263, 362, 33, 133, 2)  # outer and inner corners of both eyes, base of the nose
# Where points lie in dlib's mean face, in shares of its width; a quarter of that is left free on every side.
MESH_PLACES = np.array([(0.8596, 0.2135), (0.6461, 0.2290), (0.1206, 0.2137), (0.3341, 0.2291), (0.4901, 0.6278)])
LANDMARK_PLACES = np.array([(0.2274, 0.2214), (0.7529, 0.2213), (0.4901, 0.5156), (0.2541, 0.7802), (0.7261, 0.7802)])
PADDING = 0.25


def codec(pixels: bool = False) -> Codec:
    """The vector of the face in a crop, levelled by its mesh where there is one, else by its five landmarks.

    With `pixels` the network gets the levelled face as it is, which is what dlib itself takes.
    """
    return Codec("embedding", partial(encode, pixels=pixels), decode, version=1)


def encode(crop: Array, crop_landmarks: Array, mesh: Array | None, pixels: bool = False) -> tuple[Array, None]:
    """(3,150,150) float32 RGB, mean removed, in 1/256; with `pixels` (150,150,3) uint8 RGB."""
    if mesh is None:
        source, places = crop_landmarks, LANDMARK_PLACES
    else:
        source, places = mesh[list(MESH_POINTS), :2], MESH_PLACES
    chip = warp(crop, similarity(source, (places + PADDING) / (1 + 2 * PADDING) * SIDE), SIDE)
    if pixels:
        return chip, None
    planes = np.ascontiguousarray(chip.transpose(2, 0, 1)).astype(np.float32)
    return (planes - MEAN_RGB[:, None, None]) / np.float32(256), None


def decode(outputs: tuple[Array, ...], context: None) -> Array:
    """Output: (128,)."""
    return outputs[0].astype(np.float32)
