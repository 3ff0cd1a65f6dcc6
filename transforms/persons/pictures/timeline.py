"""Persons against time: a line a person with its faces, and bars on a time axis where it is seen."""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from model_handlers.interface import Array
from transforms.images.drawing import FAINT, GAP, below, paper, width_of, write
from transforms.persons.pictures.lines import SIDE, WORDS, Line, clock, draw_line, heading
from transforms.persons.screen_time import Span

RAIL = 640  # pixels: how wide the time of the whole video is drawn
_MARGIN = 30  # at the right of the rail: half of the last time written under it
_BAR = 0.5  # height of a bar, of its line's
_AXIS = 26
_TICKS = 8  # at most
_STEPS = (0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)  # seconds
_GRID = 226
_TROUGH = 238


def ticks(seconds: float) -> list[float]:
    """Times to write under an axis from 0 to so many seconds: few, evenly apart, at round numbers."""
    step = next((one for one in _STEPS if seconds / one <= _TICKS), math.ceil(seconds / _TICKS / 3600) * 3600)
    return [number * step for number in range(int(seconds / step) + 1)]


def bars(spans: Sequence[Span], seconds: float, width: int) -> npt.NDArray[np.bool_]:
    """(W,) which pixels of a video of so many seconds lie in one of the spans; a short one has a pixel at least."""
    found = np.zeros(width, bool)
    for start, end in spans:
        first = min(int(start / seconds * width), width - 1)
        found[max(first, 0) : max(first + 1, round(end / seconds * width))] = True
    return found


def timeline(title: str, note: str, lines: Sequence[Line], seconds: float) -> Array:
    """The lines under a title, each with its bars, and the time under them; an axis alone if there is no line.

    `seconds` of the video. What is seen beyond them is drawn at the end.
    """
    seconds = max(seconds, 1e-3)
    faces = max((sum(face.shape[1] + GAP for face in line.faces) for line in lines), default=0)
    left = WORDS + faces + GAP
    marks = [(left + round(one / seconds * (RAIL - 1)), one) for one in ticks(seconds)]
    rows = [_row(line, seconds, left, [x for x, _ in marks]) for line in lines]
    axis = paper(_AXIS, left + RAIL + _MARGIN)
    for x, one in marks:
        axis[:5, x] = FAINT
        words = "0" if one == 0 else clock(one).replace(".0 s", " s")
        write(axis, words, (x - width_of(words, 0.4) // 2, 20), 0.4, FAINT)
    return below([heading(title, note), *rows, axis])


def _row(line: Line, seconds: float, left: int, marks: list[int]) -> Array:
    row = paper(SIDE + GAP, left + RAIL + _MARGIN)
    row[:, :left] = draw_line(line, left)
    top = round(SIDE * (1 - _BAR) / 2)
    rail = row[top : SIDE - top, left : left + RAIL]
    rail[:] = _TROUGH
    row[:, marks] = _GRID
    rail[:, bars(line.spans, seconds, RAIL)] = line.colour
    return row
