"""MTCNN: faces with five landmarks, all of whose steps are in the network (`model_handlers.networks.mtcnn`)."""

from functools import partial

import numpy as np

from model_handlers.geometry import Letterbox, letterbox
from model_handlers.interface import Array, Codec, Detections, Pixels

SMALLEST_SIDE = 32


def codec(side: int | None = 640) -> Codec:
    """MTCNN on square inputs of this side; larger finds smaller faces and takes longer.

    With None an image keeps its size; images of different sizes then run one by one.
    """
    if side is not None and side < SMALLEST_SIDE:
        raise ValueError(f"MTCNN's input side must be at least {SMALLEST_SIDE}, or null, not {side}")
    return Codec("face", partial(encode, side=side), decode, version=1)


def encode(image: Pixels, side: int | None) -> tuple[Pixels, Letterbox]:
    """RGB uint8 (height, width, 3), and how the image lies in it."""
    if side is None:
        height, width = image.shape[:2]
        return np.ascontiguousarray(image), Letterbox(1, 1, width, height)
    return letterbox(image, side)


def decode(outputs: tuple[Array, ...], context: Letterbox) -> Detections:
    """Outputs: boxes (F,4), scores (F,) by falling score, landmarks (F,5,2), in pixels; the score of no face is 0."""
    boxes, scores, landmarks = (output[outputs[1] > 0] for output in outputs)
    return Detections(context.boxes_back(boxes), scores, context.points_back(landmarks))
