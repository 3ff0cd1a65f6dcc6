"""RetinaFace: faces with five landmarks, as moves of anchors.

J. Deng et al., RetinaFace: Single-stage Dense Face Localisation in the Wild, 2019; anchors, variances and the limit of
overlap are those of biubug6/Pytorch_Retinaface (2019) and of the package retinaface-pytorch (2020).
"""

from functools import lru_cache, partial

import numpy as np

from model_handlers.framing import to_planes
from model_handlers.geometry import Letterbox, letterbox, suppress
from model_handlers.interface import Array, Codec, Detections, Pixels

MEAN_BGR = (104.0, 117.0, 123.0)
ANCHORS = {8: (16, 32), 16: (64, 128), 32: (256, 512)}  # stride of a map -> sides of its anchors, pixels
COARSEST = 32
CENTRE_VARIANCE, SIZE_VARIANCE = 0.1, 0.2  # a move of 1 is that share of an anchor, or of a logarithm
FLOOR = 0.1  # lower scores are never returned; the stage's own threshold is higher
MAX_OVERLAP = 0.4

Context = tuple[Letterbox, tuple[int, int]]  # how the image lies in the input; the input's height and width


def codec(side: int | None = 640, normalization: str | None = None) -> Codec:
    """RetinaFace on square inputs of this side, a multiple of 32; larger finds smaller faces and takes longer.

    With None for the side an image keeps its size, and is padded to multiples of 32. The input is uint8 pixels, for a
    network that normalizes them itself; or with `normalization`, float32 planes: `bgr`, BGR minus (104, 117, 123), or
    `imagenet`.
    """
    if side is not None and (side < COARSEST or side % COARSEST):
        raise ValueError(f"RetinaFace's input side must be a multiple of {COARSEST}, or null, not {side}")
    if normalization not in (None, "bgr", "imagenet"):
        raise ValueError(f"RetinaFace's normalization must be bgr, imagenet or null, not {normalization!r}")
    return Codec("face", partial(encode, side=side, normalization=normalization), decode, version=1, half=True)


def encode(image: Pixels, side: int | None, normalization: str | None = None) -> tuple[Array, Context]:
    """RGB uint8 (height, width, 3), or float32 planes (3, height, width), and how the image lies in them."""
    canvas, box = _padded(image) if side is None else letterbox(image, side)
    context = box, canvas.shape[:2]
    if normalization is None:
        return canvas, context
    if normalization == "imagenet":
        return to_planes(canvas, normalization), context
    bgr = canvas[..., ::-1] - np.array(MEAN_BGR, dtype=np.float32)
    return np.ascontiguousarray(bgr.transpose(2, 0, 1)), context


def decode(outputs: tuple[Array, ...], context: Context) -> Detections:
    """Outputs, of every anchor: moves (A,4), probabilities (A,2) of no face and of a face, landmarks (A,10).

    The moves are those of the centre and of the size's logarithm, the landmarks x, y pairs seen from the centre.
    """
    moves, probabilities, marks = outputs
    box, (height, width) = context
    likely = np.nonzero(probabilities[:, 1] >= FLOOR)[0]
    scores, moves = probabilities[likely, 1], moves[likely]
    centres, sides = np.split(anchors(height, width)[likely], [2], axis=1)
    middles = centres + moves[:, :2] * CENTRE_VARIANCE * sides
    halves = sides * np.exp(moves[:, 2:] * SIZE_VARIANCE) / 2
    boxes = np.concatenate([middles - halves, middles + halves], axis=1)
    landmarks = centres[:, None] + marks[likely].reshape(-1, 5, 2) * CENTRE_VARIANCE * sides[:, None]
    kept = suppress(boxes, scores, MAX_OVERLAP)
    return Detections(box.boxes_back(boxes[kept]), scores[kept].astype(np.float32), box.points_back(landmarks[kept]))


@lru_cache(maxsize=64)
def anchors(height: int, width: int) -> Array:
    """(A,3) float32: x and y of the centre and the side of every anchor, pixels; map by map, row by row."""
    parts = []
    for stride, sides in ANCHORS.items():
        rows, columns = (np.arange(-(-length // stride)) + 0.5 for length in (height, width))
        y, x, side = np.meshgrid(rows * stride, columns * stride, sides, indexing="ij")
        parts.append(np.stack([x.ravel(), y.ravel(), side.ravel()], axis=1))
    return np.concatenate(parts).astype(np.float32)


def _padded(image: Pixels) -> tuple[Pixels, Letterbox]:
    """The image in the top left corner of a black canvas whose sides are multiples of 32, as small as can be."""
    height, width = image.shape[:2]
    canvas = np.zeros((*(-(-length // COARSEST) * COARSEST for length in (height, width)), 3), dtype=np.uint8)
    canvas[:height, :width] = image
    return canvas, Letterbox(1, 1, width, height)
