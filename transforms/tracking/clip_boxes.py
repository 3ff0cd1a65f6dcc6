"""Which part of each frame a track's clip shows: smoothed, of one aspect, expanded, within the frame."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model_handlers.interface import Array
from transforms.tracking.clip_settings import WIDEST, TrackClipSettings

_REACH = 4  # deviations of the Gaussian beyond which nothing counts
_LEAST = 1.0  # pixel: no side of a box is less
_CLOCK = 1e-6  # seconds; times are floats


@dataclass(frozen=True, slots=True, eq=False)
class ClipBoxes:
    """What a clip shows: `boxes` (F,4) float32 in pixels of the frame, all of one aspect, and the clip's even size."""

    boxes: Array
    width: int
    height: int


def clip_boxes(path: Array, frame: tuple[int, int], expansion: float, settings: TrackClipSettings) -> ClipBoxes:
    """The boxes of a clip that shows those of `path` (F,4), one a frame of size (width, height).

    The aspect is the mean of the path's, 2:3 to 3:2 (TrackVerse's limits). Each box is made as wide or as high as that
    asks, never cut; then it is expanded, made smaller as a whole where the frame is, and moved into the frame. The
    clip's size is the mean of theirs, within the bounds of the settings.
    """
    sizes = np.maximum(path[:, 2:] - path[:, :2], _LEAST)
    aspect = float(np.clip((sizes[:, 0] / sizes[:, 1]).mean(), 1 / WIDEST, WIDEST))
    widths = np.maximum(sizes[:, 0], sizes[:, 1] * aspect) * (1 + expansion)
    widths = np.minimum(widths, min(frame[0], frame[1] * aspect))
    wanted = np.stack([widths, widths / aspect], axis=1)
    corners = np.clip((path[:, :2] + path[:, 2:] - wanted) / 2, 0, np.maximum(frame - wanted, 0))
    boxes = np.hstack([corners, np.minimum(corners + wanted, frame)]).astype(np.float32)
    return ClipBoxes(boxes, *_size(float(widths.mean()), aspect, settings))


def _size(width: float, aspect: float, settings: TrackClipSettings) -> tuple[int, int]:
    """Even width and height of about this width and aspect, enlarged or reduced to the bounds."""
    height = width / aspect
    scale = min(max(1.0, settings.min_side / min(width, height)), settings.max_side / max(width, height))
    width, height = (
        min(max(2 * round(scale * side / 2), settings.min_side), settings.max_side) for side in (width, height)
    )
    return int(width), int(height)


def smooth(times: Array, boxes: Array, sigma: float) -> Array:
    """The boxes (F,4) at their `times` (F,) seconds, ascending, smoothed by a Gaussian of `sigma` seconds.

    At each time it is the value there of the straight line that fits the boxes around it best, weighted by the Gaussian
    (W. S. Cleveland, Robust locally weighted regression, JASA 74, 1979, without its robust passes). In the middle of an
    even sequence that is the plain Gaussian filter; at its ends, and where frames come unevenly, a box that moves
    steadily stays what it is, where the plain filter would fall behind. Sides stay within those of the track.
    """
    boxes = np.asarray(boxes, np.float64)
    if sigma == 0 or len(boxes) < 2:
        return boxes
    middles, sizes = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
    values = np.hstack([middles, sizes])
    firsts = np.searchsorted(times, times - _REACH * sigma)
    ends = np.searchsorted(times, times + _REACH * sigma, side="right")
    found = np.empty_like(values)
    for number, (first, end) in enumerate(zip(firsts.tolist(), ends.tolist(), strict=True)):
        away = (times[first:end] - times[number]) / sigma
        found[number] = _line_at_zero(away, values[first:end])
    sides = np.clip(found[:, 2:], sizes.min(axis=0), sizes.max(axis=0))
    return np.hstack([found[:, :2] - sides / 2, found[:, :2] + sides / 2])


def _line_at_zero(away: Array, values: Array) -> Array:
    """What the lines through the values (K,4), weighted by a Gaussian of their distance (K,), have at distance 0."""
    weights = np.exp(-(away**2) / 2)
    total, first, second = weights.sum(), (weights * away).sum(), (weights * away**2).sum()
    spread = total * second - first**2
    if spread <= 1e-12 * total**2:  # all others are too far away to count
        return np.asarray((weights[:, None] * values).sum(axis=0) / total)
    return np.asarray(((weights * (second - first * away))[:, None] * values).sum(axis=0) / spread)


def parts(times: Sequence[float], end: float, settings: TrackClipSettings) -> list[range]:
    """The places of the frames of each clip of a track; `times` are those of its frames, `end` when the last one ends.

    No clip is longer than the limit, unless it has one frame only.
    """
    stops, limit = [*times[1:], end], settings.max_seconds + _CLOCK
    if settings.longer == "first":
        return [range(max(1, int(np.searchsorted(stops, times[0] + limit, side="right"))))]
    length = (end - times[0]) / max(1, np.ceil((end - times[0]) / limit)) or 1.0  # of each, as equal as may be
    shares = np.floor((np.asarray(times) - times[0] + _CLOCK) / length).tolist()
    firsts = [0]
    for place in range(1, len(times)):
        if shares[place] != shares[firsts[-1]] or stops[place] - times[firsts[-1]] > limit:
            firsts.append(place)
    return [range(first, after) for first, after in zip(firsts, [*firsts[1:], len(times)], strict=True)]
