"""The picture of a verification: the ROC curve, and how similar same and different pairs are."""

import numpy as np
import numpy.typing as npt

from beam_pipelines.reports import chart
from beam_pipelines.reports.chart import Axis, Panel
from model_handlers.interface import Array
from transforms.evaluation.verification import Bools, Point, Verification, places_at_far, wilson
from transforms.images.drawing import png
from transforms.tables.files import commit_file

WIDTH, HEIGHT = 1400, 600  # pixels
LEAST_FAR = 1e-5
_FEW, _MANY = 20, 120  # bins of a histogram
SAME, DIFFERENT, MARK = (180, 111, 31), (60, 120, 235), (70, 70, 70)  # blue, green, red
_LEFT, _RIGHT = (76, 88, 590, 432), (770, 88, 590, 432)  # left, top, width, height
_STEP_PX = 0.5  # of the curve
_WORDS_PX = 160  # room that the words in the grey part need


def write_plot(path: str, found: Verification, similarity: npt.NDArray[np.floating], same: Bools) -> None:
    """Write the picture of pairs with these similarities (N,), of which `same` (N,) are of one person, as PNG."""
    picture = chart.paper(WIDTH, HEIGHT)
    _draw_roc(picture, found)
    _draw_similarities(picture, found, similarity, same)
    with commit_file(path) as out:
        out.write(png(chart.finished(picture)))


def _draw_roc(picture: Array, found: Verification) -> None:
    """The curve with its 95 % intervals; grey to the left of what the number of different pairs allows."""
    curve = found.roc
    far = np.logspace(np.log10(LEAST_FAR), 0, round(_LEFT[2] / _STEP_PX))
    accepted = curve.true_accepts[places_at_far(curve, far)]
    low, high = (np.array(bounds) for bounds in zip(*(wilson(n, curve.same) for n in accepted.tolist()), strict=True))
    least = min(0.9, np.floor(low.min() * 10) / 10)  # so that what is nearly perfect can still be told apart
    panel = Panel(*_LEFT, _far_axis(), _axis("true accept rate (TAR), with its 95 % interval", least, 1.0))
    chart.axes(picture, panel, f"ROC: AUC {found.auc:.4f}, equal error rate {100 * found.equal_error.mean_error:.2f} %")
    around = np.concatenate([panel.points(far, low), panel.points(far, high)[::-1]])
    chart.fill(picture, around, SAME, 0.15)
    told = far >= 1 / curve.different
    points = panel.points(far, accepted / curve.same)
    if not told.all():
        x = points[~told][-1, 0]
        chart.fill(picture, _box(panel, panel.left, x), chart.GREY, 0.10)
        if x - panel.left > _WORDS_PX:
            at = (panel.left + 10, panel.top + panel.height - 12)
            chart.words(picture, "too few different pairs", at, colour=chart.GREY)
        chart.line(picture, points[~told], chart.GREY, 1.5)
    chart.line(picture, points[told], SAME, 2.2)
    for asked, point in found.at_far.items():
        if point is not None:
            _mark(picture, panel, asked, point)


def _mark(picture: Array, panel: Panel, asked: float, point: Point) -> None:
    (place,) = panel.points(np.array([asked]), np.array([point.tar]))
    chart.dot(picture, place, SAME)
    down = place[1] + 24 < panel.top + panel.height
    at = (place[0] + 8, place[1] + (20 if down else -12))
    chart.words(picture, f"{point.tar:.4f}", at)


def _box(panel: Panel, left: float, right: float) -> npt.NDArray[np.floating]:
    top, bottom = panel.top, panel.top + panel.height
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float64)


def _far_axis() -> Axis:
    powers = range(round(np.log10(LEAST_FAR)), 1)
    return Axis(
        "false accept rate (FAR)",
        LEAST_FAR,
        1.0,
        {10.0**power: f"1e{power}" if power < -3 else f"{10.0**power:g}" for power in powers},
        log=True,
    )


def _axis(label: str, low: float, high: float) -> Axis:
    return Axis(label, low, high, chart.round_ticks(low, high))


def _draw_similarities(picture: Array, found: Verification, similarity: npt.NDArray[np.floating], same: Bools) -> None:
    """Two histograms, each of the share of its own kind of pairs, and the best threshold."""
    low, high = np.floor(similarity.min() * 10) / 10, np.ceil(similarity.max() * 10) / 10
    high = max(high, low + 0.1)
    bins = np.clip(4 * min(found.roc.same, found.roc.different) ** (1 / 3), _FEW, _MANY)
    edges = np.linspace(low, high, round(float(bins)) + 1)
    shares = [100 * np.histogram(similarity[kind], edges)[0] / kind.sum() for kind in (~same, same)]
    top = float(max(share.max() for share in shares)) * 1.08
    panel = Panel(*_RIGHT, _axis("cosine similarity", low, high), _axis("% of the pairs of its kind", 0, top))
    chart.axes(picture, panel, "How similar the pairs are")
    for share, colour in zip(shares, (DIFFERENT, SAME), strict=True):
        outline = panel.points(np.repeat(edges, 2), np.concatenate([[0], np.repeat(share, 2), [0]]))
        chart.fill(picture, outline, colour, 0.35)
        chart.line(picture, outline, colour, 1.2)
    if np.isfinite(found.best.threshold):
        _draw_threshold(picture, panel, found.best)
    kinds = ((SAME, f"same person: {found.roc.same:,} pairs"), (DIFFERENT, f"different: {found.roc.different:,} pairs"))
    x = float(panel.left + panel.width)
    for colour, shown in kinds[::-1]:
        x -= chart.words(picture, shown, (x, panel.top - 10), "end", colour) + 20


def _draw_threshold(picture: Array, panel: Panel, point: Point) -> None:
    top, bottom = panel.points(np.array([point.threshold] * 2), np.array([panel.y.high, 0]))
    chart.line(picture, np.array([top, bottom]), MARK, 1.5)
    left = top[0] > panel.left + panel.width / 2
    shown = f"threshold {point.threshold:.3f}: {100 * point.accuracy:.2f} % right"
    chart.words(picture, shown, (top[0] + (-8 if left else 8), panel.top + 16), "end" if left else "start")
