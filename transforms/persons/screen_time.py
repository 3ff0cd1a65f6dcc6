"""When a person is seen: each sampled frame stands for the time around it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from transforms.identity.average_linkage import members
from transforms.persons.appearances import F64, I64

Span = tuple[float, float]
Listed = Sequence[Sequence[float]]


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """The F sampled frames of a video: number (F,), ascending; each stands for the time from start (F,) to end (F,)."""

    number: I64
    start: F64
    end: F64


def moments(number: I64, time: F64, seconds: float, listed: Listed | None = None) -> Moments:
    """The sampled frames with the time that each stands for: half way to the next one on either side.

    The first begins with itself, as nothing before it was looked at; the last is as long as on its other side, and a
    single one stands for all. None stands for time outside the video of so many `seconds`, or outside that one of its
    `listed` spans (S,2), seconds, in which it lies. number, time (F,): ascending.
    """
    lows, highs = np.array(_stretches(listed, seconds)).T
    own = np.clip(np.searchsorted(lows, time, side="right") - 1, 0, None)
    middle = (time[:-1] + time[1:]) / 2
    first = time[:1] if len(middle) else np.full(len(time), -np.inf)
    last = 2 * time[-1:] - middle[-1:] if len(middle) else np.full(len(time), np.inf)
    start = np.clip(np.concatenate([first, middle]), lows[own], highs[own])
    return Moments(number, start, np.clip(np.concatenate([middle, last]), start, highs[own]))


def _stretches(spans: Listed | None, seconds: float) -> list[Span]:
    """What spans (S,2) cover of a video of so many seconds, ascending and apart; all of it where there are none."""
    found: list[Span] = []
    for start, end in sorted((max(float(start), 0.0), min(float(end), seconds)) for start, end in spans or ()):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        elif start < end:
            found.append((start, end))
    return found or [(0.0, max(seconds, 0.0))]


def spans(seen: I64, all_: Moments) -> list[Span]:
    """The time in which a person is seen in these frames (K,), as few spans as there can be; in seconds."""
    places = np.searchsorted(all_.number, np.unique(seen))
    breaks = np.flatnonzero((np.diff(places) > 1) | (all_.start[places[1:]] > all_.end[places[:-1]])) + 1
    runs = np.split(places, breaks) if len(places) else []
    return [(float(all_.start[run[0]]), float(all_.end[run[-1]])) for run in runs]


def screen_time(found: list[Span]) -> float:
    """How long the spans are together, seconds."""
    return float(sum(end - start for start, end in found))


def share(seconds: float, all_: float) -> float:
    """A time as a share of a video's; 0 of a video without length."""
    return seconds / all_ if all_ > 0 else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """When somebody is seen: its `label`, the rows (M,) of its faces, its spans and their seconds together."""

    label: int
    rows: I64
    spans: list[Span]
    seconds: float


def longest_first(labels: I64, frame: I64, all_: Moments) -> list[Seen]:
    """Everybody of the labels (N,) of faces in these frames (N,), longest on screen first; -1 is nobody's.

    Of those with the same time the smaller label is first.
    """
    found = []
    for rows in members(labels):
        if labels[rows[0]] >= 0:
            when = spans(frame[rows], all_)
            found.append(Seen(int(labels[rows[0]]), rows, when, screen_time(when)))
    return sorted(found, key=lambda one: (-one.seconds, one.label))
