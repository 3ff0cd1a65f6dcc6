"""Spans of one stable face: which samples of a shot belong together. Pure functions on arrays.

The arrays are over the samples of a shot that have a face, in the order of time. A piece is a pair of places in them:
its first sample, and the first behind it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from model_handlers.interface import Array
from transforms.vision.identity_changes import change_points, unit_vectors
from transforms.vision.span_settings import SpanSettings

Piece = tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class FaceTrack:
    """The faces of a shot's samples.

    numbers (N,) int64 of the frames, ascending; boxes (N,4) in shares of the frame's width and height; vectors (N,D)
    embeddings, a row of NaN where there is none.
    """

    numbers: Array
    boxes: Array
    vectors: Array


@dataclass(frozen=True, slots=True)
class Span:
    """The samples start..stop-1 and the frames first..end-1 that they stand for."""

    start: int
    stop: int
    first: int
    end: int


@dataclass(frozen=True, slots=True)
class Found:
    """The spans, by time, and how many pieces were none: with too few samples, or with a face that moves too much."""

    spans: tuple[Span, ...]
    short: int
    restless: int


def find_spans(track: FaceTrack, settings: SpanSettings) -> Found:
    """The spans of one face that stays in place: disjoint, in order, none longer than the limit."""
    still = stable_pieces(track, settings)
    pieces = [piece for some in still for piece in one_person(track, some, settings)]
    long = [piece for piece in pieces if piece[1] - piece[0] >= settings.min_samples]
    cut = [span for piece in long for span in cut_to_length(track.numbers, piece, settings.max_frames)]
    steady = tuple(span for span in cut if track.boxes[span.start : span.stop].std(axis=0).max() <= settings.max_std)
    return Found(steady, len(pieces) - len(long), len(cut) - len(steady))


def stable_pieces(track: FaceTrack, settings: SpanSettings) -> list[Piece]:
    """Cut where a coordinate jumps and where the face is missing for too long."""
    if not len(track.numbers):
        return []
    jumps = np.abs(np.diff(track.boxes, axis=0)).max(axis=1) > settings.max_jump
    gaps = np.diff(track.numbers) > (settings.max_missing + 1) * settings.every_frames
    cuts = (np.flatnonzero(jumps | gaps) + 1).tolist()
    return list(pairwise([0, *cuts, len(track.numbers)]))


def one_person(track: FaceTrack, piece: Piece, settings: SpanSettings) -> list[Piece]:
    """Cut where another person begins.

    Samples without an embedding between the last one of a person and the first one of the next belong to neither.
    """
    start, stop = piece
    known = start + np.flatnonzero(np.isfinite(track.vectors[start:stop]).all(axis=1))
    units = unit_vectors(track.vectors[known])
    pieces = []
    for change in change_points(units, settings.window, settings.max_distance):
        pieces.append((start, int(known[change - 1]) + 1))
        start = int(known[change])
    return [*pieces, (start, stop)]


def cut_to_length(numbers: Array, piece: Piece, most: int) -> list[Span]:
    """The piece in as few parts of at most so many frames as can be, about equally long; none of its frames is lost."""
    start, stop = piece
    frames = int(numbers[stop - 1]) + 1 - int(numbers[start])
    parts = math.ceil(frames / most)
    while True:
        wanted = numbers[start] + np.arange(1, parts) * (frames / parts)
        cuts = start + np.unique(np.searchsorted(numbers[start:stop], wanted))
        spans = _spans(numbers, [start, *cuts.tolist(), stop])
        if all(span.end - span.first <= most for span in spans):
            return spans
        parts += 1  # a cut falls on a sample, so that a part may be longer than its share


def _spans(numbers: Array, cuts: Sequence[int]) -> list[Span]:
    """Each part reaches to the first sample of the next one, the last to its own last sample."""
    ends = [*(int(numbers[cut]) for cut in cuts[1:-1]), int(numbers[cuts[-1] - 1]) + 1]
    return [
        Span(start, stop, int(numbers[start]), end) for (start, stop), end in zip(pairwise(cuts), ends, strict=True)
    ]
