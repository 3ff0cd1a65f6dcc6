"""Covers of a track: what was found in some frames becomes a box for each frame of a stretch. Pure functions on arrays.

A detector misses a face that is turned, blurred or hidden for a moment. So a box stands between two detections too, and
for a while before the first and after the last; where nothing was found it grows with the time, as does the doubt.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from model_handlers.interface import Array
from transforms.anonymizing.covers_settings import CoverSettings
from transforms.tracking.box_path import boxes_at

_SLACK = 1e-6  # seconds; times are floats


@dataclass(frozen=True, slots=True, eq=False)
class Filled:
    """The covers of one track.

    places (N,) int64 of the frames, ascending; boxes (N,4) float32 pixels; hits (N,) bool, whether it was found in that
    frame; scores (N,) float32 of the detections, 0 elsewhere.
    """

    places: Array
    boxes: Array
    hits: Array
    scores: Array


def fill_in(
    places: Array, boxes: Array, scores: Array, times: Array, size: tuple[int, int], settings: CoverSettings
) -> Filled:
    """The covers of a track that was found at places (N,) of the frames, ascending, with boxes (N,4) and scores (N,).

    times (T,): seconds at which all frames of the stretch begin, ascending; size: width and height of the frame. A gap
    longer than `max_gap` stays open but for its ends, where two covers may be in one frame. Covers lie in the frame and
    have an area; each holds its detection with the margin.
    """
    breaks = np.flatnonzero(np.diff(times[places]) > settings.max_gap + _SLACK) + 1
    pieces = []
    for start, stop in pairwise([0, *breaks.tolist(), len(places)]):
        pieces.append(_piece(places[start:stop], boxes[start:stop], scores[start:stop], times, settings))
    covered, whole, hits, known = (np.concatenate(parts) for parts in zip(*pieces, strict=True))
    clipped = np.clip(whole, 0, (*size, *size)).astype(np.float32)
    seen = np.flatnonzero((clipped[:, 2] > clipped[:, 0]) & (clipped[:, 3] > clipped[:, 1]))
    order = seen[np.argsort(covered[seen], kind="stable")]
    return Filled(covered[order], clipped[order], hits[order], known[order])


def _piece(
    places: Array, boxes: Array, scores: Array, times: Array, settings: CoverSettings
) -> tuple[Array, Array, Array, Array]:
    """The frames from a little before the first detection to a little after the last: places, boxes, hits, scores."""
    before = settings.beyond + _SLACK
    begin, end = times[places[0]] - before, times[places[-1]] + before
    covered = np.arange(np.searchsorted(times, begin), np.searchsorted(times, end, side="right"))
    moments, found, rows = times[covered], times[places], places - covered[0]
    between = boxes_at(found, boxes, moments)
    between[rows] = boxes  # also where two frames have one time
    grown = settings.find.margin + settings.growth * _away(moments, found)
    added = grown[:, None] * (between[:, 2:] - between[:, :2])
    hits, known = np.zeros(len(covered), bool), np.zeros(len(covered), np.float32)
    hits[rows], known[rows] = True, scores
    return covered, np.concatenate([between[:, :2] - added, between[:, 2:] + added], axis=1), hits, known


def _away(moments: Array, found: Array) -> Array:
    """(N,) the seconds from each moment to the nearest of those that are found, ascending."""
    after = np.minimum(np.searchsorted(found, moments), len(found) - 1)
    before = np.maximum(after - 1, 0)
    return np.asarray(np.minimum(np.abs(moments - found[before]), np.abs(moments - found[after])))
