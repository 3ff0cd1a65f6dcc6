"""A filter of shots of one's own: how colourful a shot is, so that black-and-white ones can be left out."""

import numpy as np

from model_handlers.interface import Pixels
from transforms.filtering.shot_filter import ShotFilter


def colourfulness(frame: Pixels) -> float:
    """Mean distance of a frame's channels (H,W,3) from its grey, 0 to 255."""
    small = frame[::4, ::4].astype(np.float32)
    return float(np.abs(small - small.mean(axis=2, keepdims=True)).mean())


FILTER = ShotFilter(colourfulness)
