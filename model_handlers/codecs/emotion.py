"""Facial expression: seven classes, from a grey face of 64 pixels (mini-Xception, O. Arriaga et al., 2017)."""

import cv2
import numpy as np

from model_handlers.geometry import similarity, warp
from model_handlers.interface import Array, Codec

SIDE = 64
# Where the five landmarks lie in the input: the network learnt from FER-2013, whose upright faces fill their picture
# from the hair line to below the chin, and from cheek to cheek.
TEMPLATE = np.array([(0.31, 0.40), (0.69, 0.40), (0.50, 0.60), (0.35, 0.78), (0.65, 0.78)]) * SIDE


def codec() -> Codec:
    """The probabilities of EXPRESSIONS for the face with the given landmarks, levelled and scaled by them."""
    return Codec("expression", encode, decode, version=1)


def encode(image: Array, landmarks: Array) -> tuple[Array, None]:
    """(64,64,1) float32 grey -1 to 1; black outside the image."""
    face = warp(image, similarity(landmarks, TEMPLATE), SIDE)
    grey = cv2.cvtColor(face, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return (grey / np.float32(255) - np.float32(0.5))[..., None] * np.float32(2), None


def decode(outputs: tuple[Array, ...], context: None) -> Array:
    """Output: (7,) probabilities."""
    return outputs[0].astype(np.float32)
