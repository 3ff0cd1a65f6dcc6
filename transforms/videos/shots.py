"""Shots of a video: pure planning on frame times, and the one walk over the frames that finds cuts."""

import math
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np

from model_handlers.interface import Array, Pixels
from transforms.videos.cuts import WindowScores, context_frames, detect_cuts, frame_size
from transforms.videos.sampling import Range, in_spans
from transforms.videos.shot_settings import ShotSettings

_SLACK = 1e-6  # seconds; times are sums of frame durations in floating point


class Frames(Protocol):
    """An open video, as far as shots need one: see `transforms.videos.reader`."""

    @property
    def times(self) -> Array:
        """(N,) seconds of the frames."""

    def frames(self, numbers: Sequence[int], size: tuple[int, int] | None = None) -> Iterator[tuple[int, Pixels]]:
        """The frames of these ascending numbers, scaled to (width, height)."""


def detect_shots(
    video: Frames,
    edges: Array,
    spans: Sequence[Sequence[float]] | None,
    settings: ShotSettings,
    window_scores: WindowScores | None = None,
) -> list[Range]:
    """The shots of the listed spans of a video (None: of the whole), in order of time.

    edges: see `frame_edges`; spans in seconds; `window_scores`: TransNetV2, where the settings name it.
    """
    shots: set[Range] = set()  # spans may overlap, but a shot counts once
    for first, end in span_pieces(edges, spans):
        cuts = _cuts(video, range(first, end), settings, window_scores)
        shots.update(plan_shots(edges, (first, end), cuts, settings))
    return sorted(shots)


def cuts_between(
    video: Frames, first: int, end: int, settings: ShotSettings, window_scores: WindowScores | None = None
) -> list[int]:
    """The numbers of the frames that begin a shot behind frame `first` and before frame `end`.

    Frames round them are looked at too, as far as the detector needs them, and cuts may follow each other at any
    distance: an empty list says that first to end - 1 lie in one shot.
    """
    around = context_frames(settings)
    wider = range(max(0, first - around), min(len(video.times), end + around))
    close = settings.model_copy(update={"min_cut_frames": 0})
    cuts = _cuts(video, wider, close, window_scores)
    return [cut for cut in cuts if first < cut < end]


def _cuts(video: Frames, numbers: range, settings: ShotSettings, window_scores: WindowScores | None) -> list[int]:
    if settings.detector in ("none", "fixed"):
        return []
    frames = video.frames(numbers, size=frame_size(settings))
    found = detect_cuts((frame for _, frame in frames), settings, window_scores)
    return [numbers.start + cut for cut in found]


def frame_edges(times: Array, seconds: float) -> Array:
    """(N+1,) the seconds at which the frames begin, and at which the last one ends."""
    return np.append(times, max(seconds, float(times[-1]))) if len(times) else np.zeros(1)


def span_pieces(edges: Array, spans: Sequence[Sequence[float]] | None) -> list[Range]:
    """The frames that begin within each span [start, end), by time; spans without a frame are left out."""
    if spans is None:
        return [(0, len(edges) - 1)] if len(edges) > 1 else []
    return sorted(set(in_spans(edges[:-1], spans)))


def plan_shots(edges: Array, piece: Range, cuts: Sequence[int], settings: ShotSettings) -> list[Range]:
    """The piece cut at these frames (at equal distances, for `fixed`), with the configured lengths."""
    if settings.detector == "fixed":
        cuts = _at_distances(edges, piece, settings.fixed_seconds)
    shots = _cut(piece, cuts)
    if settings.short == "merge":
        shots = _merge_short(edges, shots, settings.min_seconds)
    long_enough = [shot for shot in shots if not _is_short(edges, shot, settings.min_seconds)]
    return [part for shot in long_enough for part in _split_long(edges, shot, settings.max_seconds)]


def _cut(piece: Range, cuts: Sequence[int]) -> list[Range]:
    inside = sorted({cut for cut in cuts if piece[0] < cut < piece[1]})
    return list(zip([piece[0], *inside], [*inside, piece[1]], strict=True))


def _seconds(edges: Array, piece: Range) -> float:
    return float(edges[piece[1]] - edges[piece[0]])


def _is_short(edges: Array, piece: Range, least: float) -> bool:
    return _seconds(edges, piece) < least - _SLACK


def _merge_short(edges: Array, pieces: Sequence[Range], least: float) -> list[Range]:
    merged: list[Range] = []
    for piece in pieces:
        if merged and (_is_short(edges, piece, least) or _is_short(edges, merged[-1], least)):
            merged[-1] = (merged[-1][0], piece[1])
        else:
            merged.append(piece)
    return merged


def _at_distances(edges: Array, piece: Range, seconds: float) -> list[int]:
    """The first frames at or after every multiple of so many seconds from the start of the piece."""
    count = math.ceil(_seconds(edges, piece) / seconds)
    return _ints(np.searchsorted(edges[:-1], edges[piece[0]] + np.arange(1, count) * seconds - _SLACK))


def _split_long(edges: Array, piece: Range, most: float) -> list[Range]:
    length = _seconds(edges, piece)
    if not most or length <= most + _SLACK:
        return [piece]
    count = math.ceil(length / most - _SLACK)
    wanted = edges[piece[0]] + np.arange(1, count) * (length / count)
    after = np.searchsorted(edges, wanted)
    nearest = after - (wanted - edges[after - 1] < edges[after] - wanted)
    return _cut(piece, _ints(nearest))


def _ints(numbers: Any) -> list[int]:
    return [int(number) for number in numbers]
