"""ViT with keypoint relative position encoding: a face and where its landmarks lie in it (M. Kim et al., CVPR 2024).

The network was trained on faces of 112 pixels aligned to ArcFace's template. A crop with more context (160/112 as the
stage of faces makes it, or whatever `faces.context` says) is reduced to that square by its own landmarks: of an aligned
crop this is its middle, 112/160 of its side; of one that was only cut out, as faces of videos are, it is the levelled
face.
"""

import numpy as np
from PIL import Image as Pillow

from model_handlers.geometry import ARCFACE, ARCFACE_SIDE, scale_of, similarity, transform, warp
from model_handlers.interface import Array, Codec


def codec() -> Codec:
    """The vector of the face in a crop, 512 numbers, not of unit length: the length says how good the picture is.

    In bf16 the vectors keep a cosine above 0.9999 with those of fp32.
    """
    return Codec("embedding", encode, decode, version=1, half=True)


def encode(crop: Array, crop_landmarks: Array, mesh: Array | None) -> tuple[tuple[Array, Array], None]:
    """The face (3,112,112) float32 RGB, -1 to 1, and its landmarks (5,2) float32, in shares of its side.

    ValueError if the landmarks coincide.
    """
    matrix = similarity(crop_landmarks, ARCFACE)
    # levelled at the crop's own resolution and then averaged down: a warp to 112 would skip pixels
    own = int(np.clip(round(ARCFACE_SIDE / scale_of(matrix)), ARCFACE_SIDE, max(ARCFACE_SIDE, *crop.shape[:2])))
    face = warp(crop, matrix * (own / ARCFACE_SIDE), own)
    small = np.asarray(Pillow.fromarray(face).resize((ARCFACE_SIDE, ARCFACE_SIDE), Pillow.Resampling.BILINEAR))
    planes = np.ascontiguousarray(small.transpose(2, 0, 1)).astype(np.float32)
    keypoints = transform(matrix, crop_landmarks) / np.float32(ARCFACE_SIDE)
    return ((planes - np.float32(127.5)) / np.float32(127.5), keypoints), None


def decode(outputs: tuple[Array, ...], context: None) -> Array:
    """Output: (512,)."""
    return outputs[0].astype(np.float32)
