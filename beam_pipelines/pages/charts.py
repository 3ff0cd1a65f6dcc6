"""Charts as SVG by plain functions, in the colours of the page's style; what they tell stands in text too."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from beam_pipelines.pages.html import Html, element
from beam_pipelines.pages.source import F64
from beam_pipelines.pages.table import shown
from beam_pipelines.reports.chart import round_ticks

WIDTH, HEIGHT = 300, 150  # units of a histogram
_SIDE, _BOTTOM, _TOP = 8, 22, 10
_LETTER = 7  # units: width of a letter
_BINS = 40
_BAR_WIDTH, _BAR_HEIGHT = 420, 14
_LANES = 640  # units: width of a timeline
_LANE_HEIGHT, _LANE_GAP, _NAMES = 16, 4, 150


def stacked(parts: Sequence[tuple[str, int]], whole: int) -> Html:
    """One bar of parts, each a class of colour and a count, as long as their share of `whole`."""
    drawn, x = [element("rect", class_="bar", width=_BAR_WIDTH, height=_BAR_HEIGHT)], 0.0
    for colour, count in parts:
        width = _BAR_WIDTH * count / max(whole, 1)
        if count:
            drawn.append(element("rect", class_=colour, x=x, width=max(width, 1.0), height=_BAR_HEIGHT))
        x += width
    words = ", ".join(f"{count:,}" for _, count in parts)
    return _svg(_BAR_WIDTH, _BAR_HEIGHT, f"{words} of {whole:,}", *drawn)


@dataclass(frozen=True, slots=True)
class Bins:
    """Counts (B,) of values between edges (B+1,); below and above: how many values were smaller or larger."""

    edges: F64
    counts: F64
    below: int
    above: int


def bins(values: F64) -> Bins:
    """Where values (N,), at least one, lie: equal bins, without the half percent at an end that is far out."""
    low, high = (float(one) for one in np.quantile(values, (0.005, 0.995)))
    least, most = float(values.min()), float(values.max())
    low = least if low - least <= (high - low) / 2 else low
    high = most if most - high <= (high - low) / 2 else high
    if high <= low:
        low, high = low - 0.5, high + 0.5
    counts, edges = np.histogram(values, _BINS, (low, high))
    return Bins(edges, counts.astype(np.float64), int((values < low).sum()), int((values > high).sum()))


def histogram(title: str, found: Bins, limits: Sequence[float] = ()) -> Html:
    """Bars of how many values lie where, with the limits of the configuration as dashed lines."""
    low, high = float(found.edges[0]), float(found.edges[-1])
    step, scale = (WIDTH - 2 * _SIDE) / len(found.counts), (WIDTH - 2 * _SIDE) / (high - low)
    floor = HEIGHT - _BOTTOM
    heights = (floor - _TOP) * found.counts / max(float(found.counts.max()), 1.0)
    heights = np.where((found.counts > 0) & (heights < 1), 1, heights)  # a single value is seen too
    drawn = [
        _bar("blue", _SIDE + place * step, floor - height, step * 0.92, height)
        for place, height in enumerate(heights.tolist())
        if height
    ]
    drawn.append(element("path", class_="axis", d=f"M{_SIDE} {floor}H{WIDTH - _SIDE}"))
    drawn += _ticks(
        {_SIDE + (value - low) * scale: text for value, text in round_ticks(low, high).items()}, WIDTH, HEIGHT
    )
    places = (_SIDE + (limit - low) * scale for limit in limits if low <= limit <= high)
    drawn += [element("path", class_="mark", d=f"M{x:.1f} {_TOP / 2}V{floor}") for x in places]
    return _svg(WIDTH, HEIGHT, title, *drawn)


def _bar(colour: str, x: float, y: float, width: float, height: float, *inside: Html) -> Html:
    return element("rect", *inside, class_=colour, x=x, y=y, width=width, height=height)


def _ticks(texts: Mapping[float, str], width: float, y: float) -> list[Html]:
    """Texts below an axis by their x; those that would touch the one before are left out."""
    drawn, end = [], -1.0
    for x, text in texts.items():
        half = _LETTER * len(text) / 2
        middle = min(max(x, half), width - half)
        if middle - half > end:
            drawn.append(element("text", text, class_="soft", x=middle, y=y - 6, text_anchor="middle"))
            end = middle + half + _LETTER
    return drawn


@dataclass(frozen=True, slots=True)
class Lane:
    """A line of a timeline: its name, and the spans (start, end), seconds, that are drawn in it."""

    name: str
    spans: Sequence[Sequence[float]]
    colour: str = "blue"


def timeline(title: str, lanes: Sequence[Lane], seconds: float) -> Html:
    """Bars on an axis of time, a lane each, from 0 to `seconds`."""
    seconds = max(seconds, 0.01)
    scale = (_LANES - _NAMES - 2 * _SIDE) / seconds
    drawn: list[Html] = []
    for place, lane in enumerate(lanes):
        y = place * (_LANE_HEIGHT + _LANE_GAP)
        drawn.append(element("text", element("title", lane.name), _short(lane.name), x=0, y=y + 12))
        drawn.append(_bar("bar", _NAMES, y, seconds * scale, _LANE_HEIGHT))
        for start, end in merged(lane.spans, 1 / scale):
            said = element("title", f"{lane.name}: {start:.1f} to {end:.1f} s")
            drawn.append(
                _bar(lane.colour, _NAMES + start * scale, y, max((end - start) * scale, 1), _LANE_HEIGHT, said)
            )
    height = len(lanes) * (_LANE_HEIGHT + _LANE_GAP) + 20
    ticks = {_NAMES + value * scale: f"{text} s" for value, text in round_ticks(0, seconds).items()}
    return _svg(_LANES, height, title, *drawn, *_ticks(ticks, _LANES, height))


def merged(spans: Sequence[Sequence[float]], gap: float) -> list[tuple[float, float]]:
    """Spans by their start, those less than `gap` apart as one: what no eye tells apart is drawn once."""
    found: list[tuple[float, float]] = []
    for start, end in sorted((float(one[0]), float(one[1])) for one in spans):
        if found and start - found[-1][1] < gap:
            found[-1] = found[-1][0], max(found[-1][1], end)
        else:
            found.append((start, end))
    return found


def _short(name: str, most: int = 22) -> str:
    return name if len(name) <= most else f"{name[: most // 2 - 1]}…{name[-(most // 2) :]}"


def _svg(width: int, height: int, title: str, *inside: Html) -> Html:
    return element("svg", *inside, viewBox=f"0 0 {width} {height}", width=width, role="img", aria_label=title)


def chart(title: str, picture: Html, *words: object) -> Html:
    """A chart or table with its title above, and lines of words below."""
    said = [element("div", one) for one in words]
    return element("figure", element("h3", title), picture, element("figcaption", *said) if said else "")


def told(values: F64) -> str:
    """The middle of values (N,) and where nine of ten lie, in words."""
    low, middle, high = (shown(float(one)) for one in np.quantile(values, (0.05, 0.5, 0.95)))
    return f"{len(values):,} values; median {middle}, nine of ten between {low} and {high}"
