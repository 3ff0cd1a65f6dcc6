"""BRISQUE: how natural the statistics of an image are (A. Mittal et al., No-Reference Image Quality Assessment, 2012).

The score is about 0 for a pristine photograph and about 100 for a spoilt one: lower is better.
"""

import math
from functools import lru_cache

import cv2
import numpy as np

from model_handlers.interface import Array, Codec

FEATURES = 36
_RGB_TO_GREY = np.array([0.2125, 0.7154, 0.0721])
_SIDE, _SIGMA = 7, 7 / 6  # of the Gaussian that local means and deviations are taken with, pixels
_FLOOR = 1 / 255  # keeps flat areas from being divided by nothing
_SHAPES = np.arange(0.2, 10, 0.001)  # of the generalized Gaussian: the range in which it is looked for
_SHIFTS = ((0, 1), (1, 0), (1, 1), (1, -1))  # to the neighbours: right, below, and both ways aslant


def codec() -> Codec:
    """The score of an image; lower is better, NaN for an image without texture, as the statistics of it are none."""
    return Codec("quality", encode, decode, version=1)


def encode(image: Array) -> tuple[Array, None]:
    """(36,) float64: 18 features of the image, and 18 of it at half its size."""
    grey = image @ _RGB_TO_GREY / 255
    half = cv2.resize(grey, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_CUBIC) if min(grey.shape) > 1 else grey
    return np.array([*_features(grey), *_features(half)]), None


def decode(outputs: tuple[Array, ...], context: None) -> float:
    """Output: one number."""
    return float(outputs[0].item())


def _features(grey: Array) -> list[float]:
    """Shape and variance of the normalized luminance, and shape, mean and both variances of products of neighbours."""
    normal = _normalized(grey)
    height, width = normal.shape
    shape, _, left, right = _fit(normal)
    features = [shape, (left + right) / 2]
    for down, across in _SHIFTS:
        here = normal[: height - down, max(0, -across) : width - max(0, across)]
        there = normal[down:, max(0, across) : width + min(0, across)]
        features += _fit(here * there)
    return features


def _normalized(grey: Array) -> Array:
    """The luminance less its local mean, over its local deviation."""
    mean, squares = (
        cv2.GaussianBlur(part, (_SIDE, _SIDE), _SIGMA, borderType=cv2.BORDER_CONSTANT) for part in (grey, grey**2)
    )
    return np.asarray((grey - mean) / (np.sqrt(np.abs(mean**2 - squares)) + _FLOOR))


def _fit(values: Array) -> tuple[float, float, float, float]:
    """Shape, mean, left and right variance of the asymmetric generalized Gaussian with the moments of the values."""
    negative = values < 0
    squares = values**2
    if not negative.any() or negative.all() or not squares[~negative].any():
        return (math.nan,) * 4
    left, right = float(squares[negative].mean()), float(squares[~negative].mean())
    skew = math.sqrt(left / right)
    ratio = float(np.abs(values).mean() ** 2 / squares.mean())
    shape = _shape_of(ratio * (skew**3 + 1) * (skew + 1) / (skew**2 + 1) ** 2)
    one, two, three = (math.gamma(k / shape) for k in (1, 2, 3))
    mean = (math.sqrt(right) - math.sqrt(left)) * math.sqrt(one / three) * two / one
    return shape, mean, left, right


def _shape_of(ratio: float) -> float:
    """The shape for which the squared mean of magnitudes over the mean of squares is this."""
    return float(np.interp(ratio, _ratios(), _SHAPES))


@lru_cache
def _ratios() -> Array:
    logs = [2 * math.lgamma(2 / shape) - math.lgamma(1 / shape) - math.lgamma(3 / shape) for shape in _SHAPES]
    return np.asarray(np.exp(logs))
