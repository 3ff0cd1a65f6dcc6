"""The picture of a calibration: how similar pairs are, with the two kinds found in them, and nearest neighbours."""

import numpy as np

from beam_pipelines.reports import chart
from beam_pipelines.reports.chart import Axis, Panel
from model_handlers.interface import Array
from transforms.identity.calibration import Calibration
from transforms.identity.pair_counts import EDGES, PairCounts
from transforms.images.drawing import png
from transforms.tables.files import commit_file

WIDTH, HEIGHT = 1400, 600  # pixels
SAME, DIFFERENT, MARK = (180, 111, 31), (60, 120, 235), (70, 70, 70)  # blue, green, red
_LEFT, _RIGHT = (76, 88, 590, 432), (770, 88, 590, 432)  # left, top, width, height
_BARS = 80
_LEAST = 1e-3  # of the axis of pairs: a thousandth of a pair a face


def write_plot(path: str, found: Calibration, counted: PairCounts) -> None:
    """Write the picture as PNG."""
    picture = chart.paper(WIDTH, HEIGHT)
    axis = _similarities(counted)
    _draw_pairs(picture, found, counted, axis)
    _draw_nearest(picture, found, counted, axis)
    with commit_file(path) as out:
        out.write(png(chart.finished(picture)))


def _similarities(counted: PairCounts) -> Axis:
    """From the lowest similarity of any number of pairs to 1."""
    low = float(EDGES[np.argmax(counted.counts.sum(axis=0) > 0)])
    low = min(np.floor(low * 10) / 10, 0.9)
    return Axis("cosine similarity", low, 1.0, chart.round_ticks(low, 1.0))


def _draw_pairs(picture: Array, found: Calibration, counted: PairCounts, x: Axis) -> None:
    """How many others of a face are how similar, with what is expected of different people and of the same person."""
    edges = np.linspace(x.low, x.high, _BARS + 1)
    centre = (EDGES[1:] + EDGES[:-1]) / 2
    bars = np.histogram(centre, edges, weights=counted.counts.mean(axis=0, dtype=np.float64))[0]
    top = 10.0 ** np.ceil(np.log10(max(float(bars.max()), 1.0)) + 0.2)
    powers = range(round(np.log10(_LEAST)), round(np.log10(top)) + 1)
    y = Axis("others of a face, expected", _LEAST, top, {10.0**power: f"{10.0**power:g}" for power in powers}, log=True)
    panel = Panel(*_LEFT, x, y)
    chart.axes(picture, panel, f"Pairs of {found.faces:,} faces")
    outline = panel.points(np.repeat(edges, 2), np.concatenate([[_LEAST], np.repeat(bars, 2), [_LEAST]]))
    chart.fill(picture, outline, chart.GREY, 0.25)
    above = edges[edges >= found.kinds.floor]
    middle = (above[1:] + above[:-1]) / 2
    for ends, colour in ((found.kinds.different_above, DIFFERENT), (found.kinds.same_above, SAME)):
        expected = -np.diff(ends(above))
        drawn = expected > _LEAST
        if drawn.any():
            chart.line(picture, panel.points(middle[drawn], expected[drawn]), colour, 2.2)
    _draw_link(picture, panel, found)
    _legend(picture, panel, (("different people", DIFFERENT), ("same person", SAME), ("all pairs", chart.GREY)))


def _draw_nearest(picture: Array, found: Calibration, counted: PairCounts, x: Axis) -> None:
    """How similar the most similar other of each face is."""
    edges = np.linspace(x.low, x.high, _BARS + 1)
    bars = 100 * np.histogram(counted.best, edges)[0] / len(counted)
    high = float(bars.max()) * 1.08
    panel = Panel(*_RIGHT, x, Axis("% of the faces", 0, high, chart.round_ticks(0, high)))
    chart.axes(picture, panel, "The nearest neighbour of each face")
    outline = panel.points(np.repeat(edges, 2), np.concatenate([[0], np.repeat(bars, 2), [0]]))
    chart.fill(picture, outline, chart.GREY, 0.35)
    _draw_link(picture, panel, found)
    linked = float((counted.best >= found.link).mean())
    chart.words(
        picture, f"{100 * linked:.1f} % have one above the link", (panel.left + panel.width, panel.top - 10), "end"
    )


def _draw_link(picture: Array, panel: Panel, found: Calibration) -> None:
    """The link as a line, and its interval as a band."""
    ends = np.array([panel.y.low, panel.y.high])
    low, high = (panel.points(np.array([at] * 2), ends) for at in found.interval)
    chart.fill(picture, np.concatenate([low, high[::-1]]), MARK, 0.15)
    bottom, top = panel.points(np.array([found.link] * 2), ends)
    chart.line(picture, np.array([top, bottom]), MARK, 1.5)
    left = top[0] > panel.left + panel.width / 2
    at = (top[0] + (-8 if left else 8), panel.top + 16)
    chart.words(picture, f"link {found.link:.3f}", at, "end" if left else "start")


def _legend(picture: Array, panel: Panel, kinds: tuple[tuple[str, chart.Colour], ...]) -> None:
    x: float = panel.left + panel.width
    for shown, colour in kinds[::-1]:
        x -= chart.words(picture, shown, (x, panel.top - 10), "end", colour) + 20
