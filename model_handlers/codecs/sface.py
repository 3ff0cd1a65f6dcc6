"""SFace: 128 numbers a face, not of unit length (Y. Zhong et al., SFace: Sigmoid-Constrained Hypersphere Loss, 2021).

Alignment and input are those of OpenCV's FaceRecognizerSF; the file removes the mean itself.
"""

import numpy as np

from model_handlers.geometry import ARCFACE, ARCFACE_SIDE, similarity, warp
from model_handlers.interface import Array, Codec

# To OpenCV a coordinate names the centre of a pixel, here its corner: moving both ends gives the same warp as there.
HALF = 0.5


def codec() -> Codec:
    """The vector of the face in a crop, levelled by its five landmarks."""
    return Codec("embedding", encode, decode, version=1)


def encode(crop: Array, crop_landmarks: Array, mesh: Array | None) -> tuple[Array, None]:
    """(3,112,112) float32 RGB 0 to 255; the mesh is not used."""
    face = warp(crop, similarity(crop_landmarks + HALF, ARCFACE + HALF), ARCFACE_SIDE)
    return np.ascontiguousarray(face.transpose(2, 0, 1)).astype(np.float32), None


def decode(outputs: tuple[Array, ...], context: None) -> Array:
    """Output: (128,)."""
    return outputs[0].astype(np.float32)
