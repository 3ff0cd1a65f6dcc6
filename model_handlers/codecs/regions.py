"""Detectors of PyTorch that take pixels and give regions with the probabilities of a vocabulary: OWLv2, YOLO-World.

The networks of manyfaces for them decode their boxes themselves, and keep the best regions of an image.
"""

from functools import partial

import numpy as np

from model_handlers.geometry import Letterbox, letterbox, suppress
from model_handlers.interface import Array, Codec, Objects

FLOOR = 0.05  # lower scores are never returned; the stage's own threshold is higher


def codec(side: int = 640, grey: int = 114, max_overlap: float = 0.7) -> Codec:
    """Objects of the network's vocabulary, one class a region.

    `side` is that of the square input, a multiple of its stride or patch; `grey` the value of its empty margin, 114 for
    YOLO-World and 128 for OWLv2. A region goes when one of any class, with a higher score, covers it by more than
    `max_overlap` (intersection over union; 0.7 is what TrackVerse takes).
    """
    if side < 1:
        raise ValueError(f"the input side must be at least 1, not {side}")
    if not 0 <= grey <= 255:
        raise ValueError(f"grey is a value of a pixel, 0 to 255, not {grey}")
    if not 0 < max_overlap <= 1:
        raise ValueError(f"max_overlap lies above 0 and is at most 1, not {max_overlap}")
    return Codec("objects", partial(encode, side=side, grey=grey), partial(decode, max_overlap=max_overlap), version=1)


def encode(image: Array, side: int, grey: int) -> tuple[Array, Letterbox]:
    """(side,side,3) uint8 RGB, and how the image lies in it; the network normalizes."""
    return letterbox(image, side, (grey, grey, grey))


def decode(outputs: tuple[Array, ...], context: Letterbox, max_overlap: float) -> Objects:
    """Outputs: boxes (K,4) in pixels of the canvas, probabilities (K,C), features (K,F); perhaps objectness (K,)."""
    boxes, probabilities, features, *objectness = outputs
    classes, scores = probabilities.argmax(axis=1), probabilities.max(axis=1)
    likely = np.nonzero(scores >= FLOOR)[0]
    found = likely[suppress(boxes[likely], scores[likely], max_overlap)]
    return Objects(
        context.boxes_back(boxes[found]),
        scores[found],
        classes[found],
        probabilities[found],
        objectness[0][found] if objectness else None,
        features[found],
    )
