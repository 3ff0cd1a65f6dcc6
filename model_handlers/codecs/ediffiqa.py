"""eDifFIQA: how good a picture of a face is for telling whose it is (Z. Babnik et al., eDifFIQA: Towards Efficient Face
Image Quality Assessment based on Denoising Diffusion Probabilistic Models, IEEE TBIOM 2024).

The ONNX file is the user's: input (N,3,112,112) float32 RGB, output one number a face.
"""

import numpy as np

from model_handlers.framing import to_planes
from model_handlers.geometry import ARCFACE, ARCFACE_SIDE, similarity, warp
from model_handlers.interface import Array, Codec


def codec() -> Codec:
    """The quality of the face in a crop, laid over ArcFace's by its five landmarks."""
    return Codec("face_quality", encode, decode, version=1)


def encode(crop: Array, crop_landmarks: Array) -> tuple[Array, None]:
    """(3,112,112) float32 RGB -1 to 1; black outside the crop."""
    face = warp(crop, similarity(crop_landmarks, ARCFACE), ARCFACE_SIDE)
    return (to_planes(face, None) - np.float32(0.5)) / np.float32(0.5), None


def decode(outputs: tuple[Array, ...], context: None) -> float:
    """Output: one number, about 0 to 1, higher is better; ValueError where there are more."""
    return float(outputs[0].item())
