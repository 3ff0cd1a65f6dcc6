"""A track's box at any time: on a straight line between the frames in which it was found."""

import numpy as np

from model_handlers.interface import Array


def boxes_at(times: Array, boxes: Array, at: Array) -> Array:
    """The boxes (M,4) float64 at the times `at` (M,) of a track found at `times` (N,), ascending, as `boxes` (N,4).

    Before its first time the track has its first box, after its last one its last.
    """
    boxes = np.asarray(boxes, np.float64).reshape(-1, 4)
    return np.stack([np.interp(at, times, side) for side in boxes.T], axis=1)
