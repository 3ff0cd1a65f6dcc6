"""Which frames of a video are looked at: pure functions from counts and times to frame numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import Field

from transforms.media.video_index import Floats
from transforms.settings import Settings

SEGMENTS = ("front", "middle", "end")
Range = tuple[int, int]  # the first frame and the one after the last
_EPSILON = 1e-6  # seconds; times are floats


class SamplingSettings(Settings):
    """Which frames of a video are sampled."""

    method: Literal["segments", "every_frames", "every_seconds", "per_shot"] = Field(
        "segments",
        description="segments: the same number of frames from front, middle and end, or from each listed span; "
        "every_frames, every_seconds: one in so many; per_shot: the first, the middle and the last of each shot",
    )
    per_segment: int = Field(30, ge=1, le=100_000, description="frames of a segment")
    frames: int = Field(25, ge=1, description="of every_frames: the distance between samples, frames")
    seconds: float = Field(1.0, gt=0, description="of every_seconds: the distance between samples, seconds")


@dataclass(frozen=True, slots=True)
class Sample:
    """A frame that is looked at: the name of its segment, its place among the segment's samples, its number."""

    segment: str
    sample: int
    number: int


def segments(count: int, per_segment: int = 30) -> list[Sample]:
    """`per_segment` frames of each third of `count` frames, at an integer stride; all where there are no more."""
    if count <= per_segment * len(SEGMENTS):
        per_segment = count
    bounds = [count * i // len(SEGMENTS) for i in range(len(SEGMENTS) + 1)]
    return [
        sample
        for name, first, end in zip(SEGMENTS, bounds, bounds[1:], strict=False)
        for sample in _named(name, spread((first, end), per_segment))
    ]


def spread(frames: Range, most: int) -> list[int]:
    """At most `most` frames of a range at an integer stride from its first."""
    first, end = frames
    stride = max(1, (end - first) // most)
    return list(range(first, end, stride))[:most]


def every_frames(frames: Range, step: int) -> list[int]:
    """Every `step`-th frame of a range."""
    return list(range(*frames, step))


def every_seconds(times: Floats, frames: Range, step: float) -> list[int]:
    """The frames that are shown `step` seconds apart, from the start of the range on; none twice."""
    first, end = frames
    if first >= end:
        return []
    moments = np.arange(times[first], times[end - 1] + _EPSILON, step)
    found = np.searchsorted(times[first:end], moments + _EPSILON, side="right") - 1
    return [first + int(number) for number in np.unique(found)]


def per_shot(shot: Range) -> list[int]:
    """The first, the middle and the last frame of a shot; fewer where they are the same."""
    first, end = shot
    return sorted({first, (first + end - 1) // 2, end - 1}) if first < end else []


def in_spans(times: Floats, spans: Sequence[Sequence[float]]) -> list[Range]:
    """The frames that begin within each span (start and end in seconds), without those of no frame."""
    bounds = [np.searchsorted(times, np.asarray(span) - _EPSILON) for span in spans]
    return [(int(first), int(end)) for first, end in bounds if first < end]


def sample(
    settings: SamplingSettings, times: Floats, spans: Sequence[Sequence[float]] | None, shots: Sequence[Range] = ()
) -> list[Sample]:
    """The samples of a video with frames at these times; of its listed spans only, where there are any.

    Each span is a segment of the name `span<n>`, each shot one of the name `shot<n>`.
    """
    if settings.method == "per_shot":
        return [one for n, shot in enumerate(shots) for one in _named(f"shot{n}", per_shot(shot))]
    if spans is None and settings.method == "segments":
        return segments(len(times), settings.per_segment)
    ranges = [(0, len(times))] if spans is None else in_spans(times, spans)
    names = ["all"] if spans is None else [f"span{n}" for n in range(len(ranges))]
    return [one for name, part in zip(names, ranges, strict=True) for one in _named(name, _pick(settings, times, part))]


def _pick(settings: SamplingSettings, times: Floats, frames: Range) -> list[int]:
    if settings.method == "segments":
        return spread(frames, settings.per_segment)
    if settings.method == "every_frames":
        return every_frames(frames, settings.frames)
    return every_seconds(times, frames, settings.seconds)


def _named(segment: str, numbers: Sequence[int]) -> list[Sample]:
    return [Sample(segment, n, number) for n, number in enumerate(numbers)]
