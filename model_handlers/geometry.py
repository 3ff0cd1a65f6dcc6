"""Geometry that codecs and stages share: letterboxes, cuts, similarities, warps, non-maximum suppression.

Coordinates are continuous: the pixel in column i covers i to i + 1, so that an image of width w spans 0 to w and every
scaling is a plain product. A box is x1, y1, x2, y2.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from model_handlers.interface import Array

# Where five landmarks lie in ArcFace's crop of 112 pixels (J. Deng et al., ArcFace, CVPR 2019).
ARCFACE = np.array([(38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041)])
ARCFACE_SIDE = 112
_HALVE_BELOW = 0.5  # bilinear sampling reads two pixels a side: below this scale it would skip some


@dataclass(frozen=True, slots=True)
class Letterbox:
    """How an image was scaled into a canvas, and where its top left corner lies; the scales may differ by rounding."""

    scale_x: float
    scale_y: float
    width: int
    height: int
    left: int = 0
    top: int = 0

    def points_back(self, points: Array) -> Array:
        """Points (...,2) of the canvas in pixels of the image."""
        return np.asarray((points - (self.left, self.top)) / (self.scale_x, self.scale_y), dtype=np.float32)

    def boxes_back(self, boxes: Array) -> Array:
        """Boxes (N,4) of the canvas in pixels of the image, clipped to it."""
        moved = boxes - (self.left, self.top, self.left, self.top)
        scaled = moved / (self.scale_x, self.scale_y, self.scale_x, self.scale_y)
        limits = (self.width, self.height, self.width, self.height)
        return np.clip(scaled, 0, limits).astype(np.float32)


def letterbox(
    image: Array, side: int, fill: tuple[int, int, int] = (0, 0, 0), middle: bool = False
) -> tuple[Array, Letterbox]:
    """Scale an RGB uint8 image (H,W,3) to a longer side of `side`, on a (side, side, 3) canvas of colour `fill`.

    It lies in the canvas's top left corner, or in its middle.
    """
    return letterbox_in(image, (side, side), fill, middle)


def letterbox_in(
    image: Array, size: tuple[int, int], fill: tuple[int, int, int] = (0, 0, 0), middle: bool = False
) -> tuple[Array, Letterbox]:
    """Scale an RGB uint8 image (H,W,3) to fit a canvas of this size (width, height), whose rest has colour `fill`."""
    height, width = image.shape[:2]
    scale = min(size[0] / width, size[1] / height)
    new_width, new_height = max(1, round(width * scale)), max(1, round(height * scale))
    canvas = np.empty((size[1], size[0], 3), dtype=np.uint8)
    canvas[:] = fill
    left, top = ((size[0] - new_width) // 2, (size[1] - new_height) // 2) if middle else (0, 0)
    canvas[top : top + new_height, left : left + new_width] = resize(image, new_width, new_height)
    return canvas, Letterbox(new_width / width, new_height / height, width, height, left, top)


def resize(image: Array, width: int, height: int, grow: int = cv2.INTER_LINEAR) -> Array:
    """The image at another size: averaged over areas when it shrinks, by OpenCV's method `grow` when it grows."""
    if image.shape[1] == width and image.shape[0] == height:
        return image
    shrinks = width < image.shape[1] or height < image.shape[0]
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if shrinks else grow))


def cut_out(image: Array, x1: int, y1: int, x2: int, y2: int) -> Array:
    """The pixels x1 to x2, y1 to y2 of an RGB image, (y2-y1, x2-x1, 3); black where they lie outside."""
    height, width = image.shape[:2]
    left, top, right, bottom = max(x1, 0), max(y1, 0), min(x2, width), min(y2, height)
    if (left, top, right, bottom) == (x1, y1, x2, y2):
        return np.ascontiguousarray(image[y1:y2, x1:x2])
    out = np.zeros((y2 - y1, x2 - x1, 3), dtype=np.uint8)
    if left < right and top < bottom:
        out[top - y1 : bottom - y1, left - x1 : right - x1] = image[top:bottom, left:right]
    return out


def cut_out_square(image: Array, box: Array, side: int) -> Array:
    """The pixels of a square box (4,), whole numbers, at (side, side, 3); black where it lies outside the image.

    Nothing larger than the image or the result is made, however far the square reaches beyond.
    """
    x1, y1, x2, y2 = (int(value) for value in box)
    if min(x1, y1) >= 0 and x2 <= image.shape[1] and y2 <= image.shape[0]:
        return resize(image[y1:y2, x1:x2], side, side)
    scale = side / (x2 - x1)
    return warp(image, np.array([[scale, 0, -scale * x1], [0, scale, -scale * y1]]), side)


def similarity(source: Array, target: Array) -> Array:
    """The least-squares similarity from points (N,2) to points (N,2), as a (2,3) float64 matrix without reflection.

    S. Umeyama, Least-squares estimation of transformation parameters between two point patterns, PAMI 13(4), 1991.
    ValueError if the source points coincide.
    """
    source, target = np.asarray(source, dtype=np.float64), np.asarray(target, dtype=np.float64)
    if not np.isfinite(source).all() or np.ptp(source, axis=0).max() < 1e-6:
        raise ValueError("a similarity needs at least two different finite points")
    source_mean, target_mean = source.mean(axis=0), target.mean(axis=0)
    source_centred, target_centred = source - source_mean, target - target_mean
    variance = (source_centred**2).sum() / len(source)
    u, singular, vt = np.linalg.svd(target_centred.T @ source_centred / len(source))
    signs = np.array([1.0, np.sign(np.linalg.det(u @ vt))])
    rotation = u @ np.diag(signs) @ vt
    linear = rotation * (singular @ signs / variance)
    return np.column_stack([linear, target_mean - linear @ source_mean])


def scale_of(matrix: Array) -> float:
    """The scale of a similarity (2,3)."""
    return float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))


def transform(matrix: Array, points: Array) -> Array:
    """Points (N,2) through a (2,3) matrix, float32."""
    return (np.asarray(points, dtype=np.float64) @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)


def transform_mesh(matrix: Array, mesh: Array) -> Array:
    """Points (N,3) through a similarity (2,3); z is scaled alike. float32."""
    return np.column_stack([transform(matrix, mesh[:, :2]), mesh[:, 2] * scale_of(matrix)]).astype(np.float32)


def invert(matrix: Array) -> Array:
    """The inverse of a (2,3) matrix."""
    linear = np.linalg.inv(matrix[:, :2])
    return np.column_stack([linear, -linear @ matrix[:, 2]])


def warp(image: Array, matrix: Array, side: int) -> Array:
    """The (side, side, 3) image whose pixels are those of `image` moved by the similarity; black outside.

    Bilinear; an image that shrinks by more than half is first halved by averaging, so that no pixel is skipped.
    """
    image, matrix = _needed(image, np.asarray(matrix, dtype=np.float64), side)
    while scale_of(matrix) < _HALVE_BELOW and min(image.shape[:2]) > 1:
        width, height = (image.shape[1] + 1) // 2, (image.shape[0] + 1) // 2
        factors = np.diag([image.shape[1] / width, image.shape[0] / height])
        image = resize(image, width, height)
        matrix = np.column_stack([matrix[:, :2] @ factors, matrix[:, 2]])
    # OpenCV puts the centre of the first pixel at 0, here it lies at one half
    centred = matrix.copy()
    centred[:, 2] += matrix[:, :2] @ (0.5, 0.5) - 0.5
    return np.asarray(cv2.warpAffine(image, centred, (side, side), flags=cv2.INTER_LINEAR))


def _needed(image: Array, matrix: Array, side: int) -> tuple[Array, Array]:
    """The part of the image that the warp reads (with a margin for sampling), and the matrix from there."""
    corners = transform(invert(matrix), np.array([(0, 0), (side, 0), (0, side), (side, side)]))
    margin = 2 + 2 / scale_of(matrix)
    (x1, y1), (x2, y2) = np.floor(corners.min(axis=0) - margin), np.ceil(corners.max(axis=0) + margin)
    height, width = image.shape[:2]
    left, top, right, bottom = max(int(x1), 0), max(int(y1), 0), min(int(x2), width), min(int(y2), height)
    if left >= right or top >= bottom:  # the warp sees nothing of the image: any black corner will do
        return np.zeros((1, 1, 3), dtype=np.uint8), matrix
    moved = np.column_stack([matrix[:, :2], matrix[:, 2] + matrix[:, :2] @ (left, top)])
    return np.ascontiguousarray(image[top:bottom, left:right]), moved


def grid(size: tuple[int, int], strides: Sequence[int], each: Sequence[int] | None = None) -> Array:
    """(N,3) float32: column, row and stride of every output of a detector whose input has this size (width, height).

    Stride by stride, row by row; a cell of a stride has as many outputs as `each` says of it, one by default.
    """
    parts = []
    for stride, outputs in zip(strides, each or [1] * len(strides), strict=True):
        rows, columns = np.indices((size[1] // stride, size[0] // stride)).reshape(2, -1)
        cells = np.stack([columns, rows, np.full(rows.size, stride)], axis=1)
        parts.append(np.repeat(cells, outputs, axis=0))
    return np.concatenate(parts).astype(np.float32)


def sized(boxes: Array) -> Array:
    """Boxes (N,4) x1,y1,x2,y2 as x, y, width, height, float64."""
    corners = np.asarray(boxes, np.float64).reshape(-1, 4)
    return np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1)


def suppress(boxes: Array, scores: Array, max_overlap: float) -> Array:
    """Greedy non-maximum suppression: the indices of the boxes kept, by falling score (ties by index).

    A box goes when its intersection over union with a kept one is above `max_overlap`.
    """
    order = np.argsort(-scores, kind="stable")
    areas = np.prod(np.maximum(boxes[:, 2:] - boxes[:, :2], 0), axis=1)
    kept = []
    while order.size:
        best, order = order[0], order[1:]
        kept.append(best)
        corner1 = np.maximum(boxes[best, :2], boxes[order, :2])
        corner2 = np.minimum(boxes[best, 2:], boxes[order, 2:])
        shared = np.prod(np.maximum(corner2 - corner1, 0), axis=1)
        order = order[shared <= max_overlap * np.maximum(areas[best] + areas[order] - shared, 1e-12)]
    return np.array(kept, dtype=np.int64)


def suppress_by_class(boxes: Array, scores: Array, classes: Array, max_overlap: float) -> Array:
    """As `suppress`, but only a kept box of the same class (N,) makes another go."""
    span = np.abs(boxes).max(initial=0) * 2 + 1
    apart = boxes.astype(np.float64) + classes[:, None] * span  # each class on a plane of its own
    return suppress(apart, scores, max_overlap)
