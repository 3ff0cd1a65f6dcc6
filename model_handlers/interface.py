"""What a pipeline and a model exchange: requests in, answers out; detections, letterboxes and codecs between them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
Pixels = np.ndarray[Any, np.dtype[np.uint8]]  # of an image: RGB (H,W,3)

# One example for a network: its input without the batch axis, or a tuple of them for a network of several inputs.
Input = Array | tuple[Array, ...]

EXPRESSIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")


def parts(example: Input) -> tuple[Array, ...]:
    """The arrays of an example, one for each input of the network."""
    return example if isinstance(example, tuple) else (example,)


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """One element for RunInference: no, one or several inputs of one model, and what the caller wants back.

    Each is one example as the codec encoded it.
    """

    inputs: tuple[Input, ...]
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

    boxes (N,4) x1,y1,x2,y2 in pixels of the image; scores (N,) 0 to 1; landmarks (N,5,2) pixels, or None; keypoints
    (N,17,3) x, y in pixels and visibility 0 to 1, or None.
    """

    boxes: Array
    scores: Array
    landmarks: Array | None = None
    keypoints: Array | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Plates:
    """The licence plates found in one image, by falling score.

    boxes (N,4) x1,y1,x2,y2 around the corners, in pixels of the image; scores (N,) 0 to 1; corners (N,4,2) pixels, a
    little outside too, clockwise as the image shows them from the one that is nearest to its top left.
    """

    boxes: Array
    scores: Array
    corners: Array


@dataclass(frozen=True, slots=True, eq=False)
class Objects:
    """What a detector of objects of any kind found in one image, by falling score.

    boxes (N,4) x1,y1,x2,y2 in pixels of the image; scores (N,) 0 to 1; classes (N,) int64, the best class of each box
    as an index into the model's vocabulary, `Entry.classes`. What not every model tells is None: probabilities (N,C) of
    all classes; objectness (N,) 0 to 1, that there is anything at all (without it the probabilities have that in them);
    features (N,F) float32, how each object looks, to be compared by cosine.
    """

    boxes: Array
    scores: Array
    classes: Array
    probabilities: Array | None = None
    objectness: Array | None = None
    features: Array | None = None


@dataclass(frozen=True, slots=True)
class Codec:
    """What a model family expects and what its numbers mean.

    `encode(...) -> (input, context)` makes one model input from pixels; `decode(outputs, context)` reads its outputs.
    The arguments of `encode` and the result of `decode` are those of the task:

    task          encode                                decode
    person        (image)                               Detections
    pose          (image)                               Detections with keypoints
    keypoints     (image, box)                          (17,3) float32 x, y, visibility in pixels of the image
    face          (image)                               Detections with landmarks: the eye that is left in the image,
                                                        the other, the nose, the mouth's left corner, its right one
    plate         (image)                               Plates
    mesh          (image, landmarks)                    (468,3) float32 in pixels of the image, and a score 0 to 1
    embedding     (crop, crop_landmarks, mesh | None)   (D,) float32, as the model gives it
    expression    (image, landmarks)                    (7,) float32 probabilities, in the order of EXPRESSIONS
    semantics     (image)                               (D,) float32 of unit length: what the image shows
    appearance    (crop)                                (D,) float32, as the model gives it: how it looks
    quality       (image)                               one float: the catalogue's note says which way is better
    cartoon       (image)                               one float: the logit for a cartoon, above 0 for most of them
    face_quality  (crop, crop_landmarks)                one float: the note says which way is better
    objects       (image)                               Objects
    cuts          (window): 100 frames (100,27,48,3)    (100,) float32: is a frame part of a transition between shots

    Images are RGB uint8 (H,W,3). The input is one array, or a tuple of them for a network of several inputs. `context`
    is plain data that decode needs (scales, offsets).

    `half` says that the model's numbers are good enough in half precision (fp16, bf16), where the configuration asks
    for it on a GPU. The `version` is raised when the same pixels or outputs give other numbers: what was made with the
    old ones is then out of date.
    """

    task: str
    encode: Callable[..., tuple[Input, Any]]
    decode: Callable[..., Any]
    version: int
    half: bool = False
