"""What a track is: the classes that its objects most likely are, over all its frames. Pure functions on arrays."""

from dataclasses import dataclass

import numpy as np

from model_handlers.interface import Array

TOP = 10  # classes that are told of a track, as TrackVerse does


@dataclass(frozen=True, slots=True, eq=False)
class ClassStatistics:
    """The likeliest K classes of a track by falling mean of the weighted probability; each array is (K,).

    Means and standard deviations are over all frames; a class that a frame does not tell counts as 0 there.
    """

    classes: Array
    means: Array
    deviations: Array
    weighted_means: Array
    weighted_deviations: Array


def class_statistics(counts: Array, classes: Array, probabilities: Array, weights: Array) -> ClassStatistics:
    """The statistics over N frames; of equal classes the smaller number comes first.

    counts (N,): how many of the M `classes` and `probabilities` (M,) are of each frame; weights (N,): the objectness.
    """
    frames = len(counts)
    names, place = np.unique(classes, return_inverse=True)
    plain, weighted = probabilities.astype(np.float64), probabilities * np.repeat(weights.astype(np.float64), counts)
    means, deviations = _moments(place, plain, len(names), frames)
    weighted_means, weighted_deviations = _moments(place, weighted, len(names), frames)
    best = np.argsort(-weighted_means, kind="stable")[:TOP]
    columns = (names.astype(np.int32), means, deviations, weighted_means, weighted_deviations)
    return ClassStatistics(*(column[best] for column in columns))


def _moments(place: Array, values: Array, classes: int, frames: int) -> tuple[Array, Array]:
    """Mean and standard deviation of each class over the frames, (C,) float32."""
    mean = np.bincount(place, values, classes) / frames
    squares = np.bincount(place, values**2, classes) / frames
    return mean.astype(np.float32), np.sqrt(np.maximum(squares - mean**2, 0)).astype(np.float32)


def likeliest(counts: Array, classes: Array, probabilities: Array) -> tuple[Array, Array]:
    """The likeliest class of each of N frames and its probability, (N,) int32 and float32; the first of equal ones.

    counts (N,), all at least 1; classes and probabilities (M,), as of `class_statistics`.
    """
    starts = np.cumsum(counts) - counts
    highest = np.maximum.reduceat(probabilities, starts)
    is_highest = probabilities == np.repeat(highest, counts)
    first = np.flatnonzero(is_highest)[np.searchsorted(np.flatnonzero(is_highest), starts)]
    return classes[first].astype(np.int32), highest.astype(np.float32)
