"""What a pipeline and a model exchange: requests in, answers out; detections, letterboxes and codecs between them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
Pixels = np.ndarray[Any, np.dtype[np.uint8]]  # of an image: RGB (H,W,3)

EXPRESSIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """One element for RunInference: no, one or several inputs of one model, and what the caller wants back.

    Each input is one example without the batch axis, as the codec encoded it; all inputs of a model have one shape.
    """

    inputs: tuple[Array, ...]
    carry: Any


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What the model said: for each input of the request its outputs, one array an output, without the batch axis.

    `error` is None, or why this request alone failed (`outputs` is then empty); `out_of_memory` says that of the error.
    """

    outputs: tuple[tuple[Array, ...], ...]
    carry: Any
    error: str | None = None
    out_of_memory: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """What a detector found in one image, by falling score.

    boxes (N,4) x1,y1,x2,y2 in pixels of the image; scores (N,) 0 to 1; landmarks (N,5,2) pixels, or None.
    """

    boxes: Array
    scores: Array
    landmarks: Array | None = None


@dataclass(frozen=True, slots=True)
class Codec:
    """What a model family expects and what its numbers mean.

    `encode(...) -> (input, context)` makes one model input from pixels; `decode(outputs, context)` reads its outputs.
    The arguments of `encode` and the result of `decode` are those of the task:

    task        encode                                decode
    person      (image)                               Detections
    keypoints   (image, box)                          (17,3) float32 x, y, visibility in pixels of the image
    face        (image)                               Detections with landmarks
    mesh        (image, landmarks)                    (468,3) float32 in pixels of the image, and a score 0 to 1
    embedding   (crop, crop_landmarks, mesh | None)   (D,) float32, as the model gives it
    expression  (image, landmarks)                    (7,) float32 probabilities, in the order of EXPRESSIONS
    semantics   (image)                               (D,) float32 of unit length: what the image shows
    quality     (image)                               one float: the catalogue's note says which way is better
    cuts        (window): 100 frames (100,27,48,3)    (100,) float32: is a frame part of a transition between shots

    Images are RGB uint8 (H,W,3). `context` is plain data that decode needs (scales, offsets).

    The `version` is raised when the same pixels or outputs give other numbers: what was made with the old ones is then
    out of date.
    """

    task: str
    encode: Callable[..., tuple[Array, Any]]
    decode: Callable[..., Any]
    version: int
