"""Filters as strangers write them: good ones, and those that do what they must not."""

import numpy as np

from transforms.filtering.shot_filter import ShotFilter

RED = ShotFilter(lambda pixels: pixels[..., 0].mean())
LONGEST = ShotFilter(lambda pixels: pixels[0, 0], lambda frames: len(frames))
FAILS = ShotFilter(lambda pixels: 1 // 0)
FAILS_IN_THE_END = ShotFilter(lambda pixels: 1.0, lambda frames: frames[99])
WORDS = ShotFilter(lambda pixels: "red")
WHOLE_FRAMES = ShotFilter(lambda pixels: pixels)
NAN = ShotFilter(lambda pixels: np.nan)
NO_SCORE = ShotFilter(lambda pixels: 1.0, lambda frames: None)
CHANGES = ShotFilter(lambda pixels: pixels.fill(0))


def _of_light_frames(pixels):
    if pixels.mean() < 20:
        raise ValueError("too dark for me")
    return 1.0


SOMETIMES = ShotFilter(_of_light_frames)


def no_filter(pixels):
    return 1.0
