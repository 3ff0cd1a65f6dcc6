"""Which frames of a video are looked at: pure functions from counts and times to frame numbers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from pydantic import Field, model_validator

from transforms.settings import Settings
from transforms.tables.reasons import Rejected
from transforms.videos.index import Floats, Integers

SEGMENTS = ("front", "middle", "end")
Range = tuple[int, int]  # the first frame and the one after the last
_EPSILON = 1e-6  # seconds; times are floats
_OVERLAP = 32  # listed spans that each frame may lie in, on average
_FEW = 100_000  # frames of them that are done whatever the video's length


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
    near_keys: bool = Field(
        True,
        description="of segments and every_frames: instead of the first frame of each stride take the one that is "
        "decoded at the least cost, a key frame where there is one; false: exactly at the stride",
    )
    skip_seconds: float = Field(0, ge=0, description="what is left out at the start of each video, seconds")
    stop_seconds: float | None = Field(
        None, gt=0, description="nothing behind this second of a video is looked at; null: to its end"
    )
    find_shots: bool = Field(
        False, description="look for shots, so that each sample knows its own, also where it is not sampled by them"
    )

    @property
    def needs_shots(self) -> bool:
        """Whether shots are looked for."""
        return self.find_shots or self.method == "per_shot"

    @model_validator(mode="after")
    def _stops_behind_its_start(self) -> "SamplingSettings":
        if self.stop_seconds is not None and self.stop_seconds <= self.skip_seconds:
            raise ValueError("sampling.stop_seconds must be more than skip_seconds: nothing is left between them.")
        return self


@dataclass(frozen=True, slots=True)
class Sample:
    """A frame that is looked at: the name of its segment, its place among the segment's samples, its number."""

    segment: str
    sample: int
    number: int


def thirds(frames: Range) -> list[Range]:
    """Front, middle and end of a range, equal to within a frame."""
    first, end = frames
    return list(pairwise(first + (end - first) * i // len(SEGMENTS) for i in range(len(SEGMENTS) + 1)))


def window(settings: SamplingSettings, times: Floats) -> Range:
    """The frames that begin between `skip_seconds` and `stop_seconds`; of none, the same number twice."""
    stop = np.inf if settings.stop_seconds is None else settings.stop_seconds
    first, end = np.searchsorted(times, np.array([settings.skip_seconds, stop]) - _EPSILON)
    return int(first), int(end)


def looked_at(settings: SamplingSettings, spans: Sequence[Sequence[float]] | None) -> list[tuple[float, float]] | None:
    """What `skip_seconds` and `stop_seconds` leave of the listed spans (S,2), or of the video, seconds.

    None is the whole video; an infinite end is the video's.
    """
    low, high = settings.skip_seconds, np.inf if settings.stop_seconds is None else settings.stop_seconds
    if spans is None:
        return [(low, high)] if low > 0 or high < np.inf else None
    clipped = [(max(float(start), low), min(float(end), high)) for start, end in spans]
    return [(start, end) for start, end in clipped if start < end]


def within(ranges: Iterable[Range], frames: Range) -> list[Range]:
    """What lies of each range within these frames; one that has nothing there comes out empty."""
    low, high = frames
    return [(min(max(first, low), high), max(min(end, high), low)) for first, end in ranges]


def spread(frames: Range, most: int) -> list[int]:
    """At most `most` frames of a range at an integer stride from its first."""
    first, end = frames
    return list(range(first, end, max(1, (end - first) // most)))[:most]


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
    """The frames that begin within each span (start and end in seconds), but for spans in which none does.

    Rejected `too_long` where they overlap so much that they come to far more than the video.
    """
    bounds = [np.searchsorted(times, np.asarray(span) - _EPSILON) for span in spans]
    ranges = [(int(first), int(end)) for first, end in bounds if first < end]
    total = sum(end - first for first, end in set(ranges))
    if total > max(_OVERLAP * len(times), _FEW):
        raise Rejected("too_long", f"the listed spans have {total} frames together, the video has {len(times)}")
    return ranges


def cheapest(numbers: Sequence[int], end: int, costs: Integers) -> list[int]:
    """Each number moved to the frame that costs least before the next number, or `end`; the first of equal ones."""
    stops = [*numbers, end][1:]
    return [number + int(np.argmin(costs[number:stop])) for number, stop in zip(numbers, stops, strict=True)]


def sample(
    settings: SamplingSettings,
    times: Floats,
    spans: Sequence[Sequence[float]] | None = None,
    shots: Sequence[Range] = (),
    costs: Integers | None = None,
) -> list[Sample]:
    """The samples of a video with frames at these times; of its listed spans only, where there are any.

    A segment is `front`, `middle` or `end`; `span<n>`, of the listed spans that have frames; `shot<n>`; or `all`. Spans
    may overlap: a frame is a sample of the first segment that takes it.
    `costs` are those of VideoReader, for `near_keys`.
    """
    inside = window(settings, times)
    if settings.method == "per_shot":
        return _once(one for n, shot in enumerate(within(shots, inside)) for one in _named(f"shot{n}", per_shot(shot)))
    most = settings.per_segment
    if spans is not None:
        parts = [(f"span{n}", part) for n, part in enumerate(within(in_spans(times, spans), inside))]
    elif settings.method == "segments":
        parts = list(zip(SEGMENTS, thirds(inside), strict=True))
        count = inside[1] - inside[0]
        most = most if count > most * len(SEGMENTS) else max(1, count)
    else:
        parts = [("all", inside)]
    near = costs if settings.near_keys and settings.method != "every_seconds" else None
    return _once(one for name, part in parts for one in _named(name, _pick(settings, times, part, most, near)))


def _pick(settings: SamplingSettings, times: Floats, frames: Range, most: int, near: Integers | None) -> list[int]:
    if settings.method == "every_seconds":
        return every_seconds(times, frames, settings.seconds)
    numbers = spread(frames, most) if settings.method == "segments" else every_frames(frames, settings.frames)
    return numbers if near is None else cheapest(numbers, _last_stop(numbers, frames), near)


def _last_stop(numbers: Sequence[int], frames: Range) -> int:
    """Where the stride of the last number ends."""
    stride = numbers[1] - numbers[0] if len(numbers) > 1 else frames[1] - frames[0]
    return min(frames[1], numbers[-1] + stride) if numbers else frames[1]


def _named(segment: str, numbers: Sequence[int]) -> list[Sample]:
    return [Sample(segment, n, number) for n, number in enumerate(numbers)]


def _once(samples: Iterable[Sample]) -> list[Sample]:
    """Without those of a frame that an earlier one has."""
    first: dict[int, Sample] = {}
    for one in samples:
        first.setdefault(one.number, one)
    return list(first.values())
