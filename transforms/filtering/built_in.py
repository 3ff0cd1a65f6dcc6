"""The filters by image statistics that come with manyfaces; `statistics` says what each of them measures."""

from transforms.filtering.shot_filter import ShotFilter
from transforms.filtering.statistics import (
    bars,
    brightness,
    flat_share,
    median,
    movement,
    page,
    screen,
    sharpness,
    text_overlay,
    thumbnail,
)

DARK = ShotFilter(brightness, median)
BLURRED = ShotFilter(sharpness, median)
STATIC = ShotFilter(thumbnail, movement)
LETTERBOX = ShotFilter(screen, bars)
TEXT_OVERLAY = ShotFilter(page, text_overlay)
FLAT_COLOURS = ShotFilter(flat_share, median)
