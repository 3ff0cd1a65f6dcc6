"""Charts as pictures: axes with a grid, curves, filled areas, marks and words, drawn large and shrunk to be smooth."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from model_handlers.interface import Array

Colour = tuple[int, int, int]  # blue, green, red
Numbers = npt.NDArray[np.floating]

SCALE = 3  # times as large as it is drawn
INK, GREY, GRID, PAPER = (52, 44, 40), (130, 122, 118), (232, 229, 227), (255, 255, 255)
_FONT, _SIZE = cv2.FONT_HERSHEY_SIMPLEX, 0.44
_FRACTION = 4  # binary digits behind the point in OpenCV's coordinates


@dataclass(frozen=True, slots=True)
class Axis:
    """From `low` to `high`, both inside; ticks: value -> what is written beside it. log: by powers of ten."""

    label: str
    low: float
    high: float
    ticks: Mapping[float, str] = field(default_factory=dict)
    log: bool = False

    def share(self, values: Numbers) -> Numbers:
        """How far along the axis each value (N,) lies, 0 to 1; values beyond an end lie on it."""
        inside = np.clip(values, self.low, self.high)
        if self.log:
            return np.asarray(np.log(inside / self.low) / np.log(self.high / self.low))
        return np.asarray((inside - self.low) / (self.high - self.low))


@dataclass(frozen=True, slots=True)
class Panel:
    """The place of a chart in a picture, in pixels without its labels, and its axes."""

    left: int
    top: int
    width: int
    height: int
    x: Axis
    y: Axis

    def points(self, x: Numbers, y: Numbers) -> Numbers:
        """Where values (N,) and (N,) lie in the picture: (N,2) pixels."""
        return np.stack(
            [self.left + self.width * self.x.share(x), self.top + self.height * (1 - self.y.share(y))], axis=1
        )


def round_ticks(low: float, high: float) -> dict[float, str]:
    """Five to ten round numbers from low to high, with what is written beside them."""
    power = math.floor(math.log10((high - low) / 5))
    factor = next(factor for factor in (5, 2, 1) if (high - low) / (factor * 10.0**power) >= 5 - 1e-9)
    step = factor * 10.0**power
    first, last = math.ceil(low / step - 1e-6), math.floor(high / step + 1e-6)
    return {number * step: f"{number * step:.{max(0, -power)}f}" for number in range(first, last + 1)}


def paper(width: int, height: int) -> Array:
    """An empty picture for charts, to be given to `finished`."""
    return np.full((height * SCALE, width * SCALE, 3), PAPER, np.uint8)


def finished(picture: Array) -> Array:
    """The picture (H,W,3) BGR at its size."""
    size = picture.shape[1] // SCALE, picture.shape[0] // SCALE
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))


def axes(picture: Array, panel: Panel, title: str) -> None:
    """Draw the grid, the numbers at the ticks, the names of both axes and a title above."""
    right, bottom = panel.left + panel.width, panel.top + panel.height
    for value, shown in panel.x.ticks.items():
        (x, _), *_ = panel.points(np.array([value]), np.array([panel.y.low]))
        line(picture, np.array([[x, panel.top], [x, bottom]]), GRID)
        words(picture, shown, (x, bottom + 18), "middle", GREY)
    for value, shown in panel.y.ticks.items():
        (_, y), *_ = panel.points(np.array([panel.x.low]), np.array([value]))
        line(picture, np.array([[panel.left, y], [right, y]]), GRID)
        words(picture, shown, (panel.left - 8, y + 4), "end", GREY)
    line(picture, np.array([[panel.left, panel.top], [panel.left, bottom], [right, bottom]]), GREY)
    words(picture, title, (panel.left, panel.top - 30), size=1.35)
    words(picture, panel.y.label, (panel.left, panel.top - 10), colour=GREY)
    words(picture, panel.x.label, (panel.left + panel.width / 2, bottom + 40), "middle", GREY)


def line(picture: Array, points: Numbers, colour: Colour, width: float = 1.0) -> None:
    """Draw a line through points (N,2), pixels."""
    cv2.polylines(picture, [_fixed(points)], False, colour, max(1, round(width * SCALE)), cv2.LINE_AA, shift=_FRACTION)


def fill(picture: Array, points: Numbers, colour: Colour, opacity: float) -> None:
    """Fill what points (N,2), pixels, go around; opacity 0 to 1."""
    covered = picture.copy()
    cv2.fillPoly(covered, [_fixed(points)], colour, cv2.LINE_AA, shift=_FRACTION)
    cv2.addWeighted(covered, opacity, picture, 1 - opacity, 0, dst=picture)


def dot(picture: Array, point: Numbers, colour: Colour, radius: float = 4.0) -> None:
    """Draw a dot at a point (2,), pixels, with a white edge."""
    centre = _fixed(point[None])[0].tolist()
    for edge, paint in ((1.5, PAPER), (0.0, colour)):
        size = round((radius + edge) * SCALE * 2**_FRACTION)
        cv2.circle(picture, centre, size, paint, cv2.FILLED, cv2.LINE_AA, shift=_FRACTION)


def words(
    picture: Array,
    text: str,
    at: tuple[float, float],
    anchor: Literal["start", "middle", "end"] = "start",
    colour: Colour = INK,
    size: float = 1.0,
) -> float:
    """Write a line of ASCII text that starts, has its middle or ends at a place; returns its width in pixels."""
    scale, thick = _SIZE * size * SCALE, max(1, round(SCALE * size**0.5))
    (width, _), _ = cv2.getTextSize(text, _FONT, scale, thick)
    before = {"start": 0.0, "middle": width / 2, "end": float(width)}[anchor]
    place = round(at[0] * SCALE - before), round(at[1] * SCALE)
    cv2.putText(picture, text, place, _FONT, scale, colour, thick, cv2.LINE_AA)
    return float(width) / SCALE


def _fixed(points: Numbers) -> npt.NDArray[np.int32]:
    """Pixels (N,2) as OpenCV takes them, whole numbers of parts of a pixel of the large picture."""
    fixed: npt.NDArray[np.int32] = np.round(points * SCALE * 2**_FRACTION).astype(np.int32)
    return fixed
