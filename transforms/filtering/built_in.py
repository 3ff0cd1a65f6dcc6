"""The filters by image statistics that come with manyfaces; `statistics` says what each of them measures."""

from transforms.filtering.shot_filter import ShotFilter
from transforms.filtering.statistics import (
    bars,
    brightness,
    flat_share,
    median,
    movement,
    screen,
    sharpness,
    thumbnail,
)

DARK = ShotFilter(brightness, median)
BLURRED = ShotFilter(sharpness, median)
STATIC = ShotFilter(thumbnail, movement)
LETTERBOX = ShotFilter(screen, bars)
FLAT_COLOURS = ShotFilter(flat_share, median)
