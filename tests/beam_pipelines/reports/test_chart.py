"""Charts put values where their axes say, and numbers beside them that are round."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beam_pipelines.reports import chart
from beam_pipelines.reports.chart import Axis, Panel

PANEL = Panel(10, 20, 100, 50, Axis("x", 0.0, 4.0), Axis("y", 0.01, 1.0, log=True))
RED = (0, 0, 255)


def test_no_values():
    assert PANEL.points(np.zeros(0), np.zeros(0)).shape == (0, 2)


@pytest.mark.parametrize(
    ("value", "place"),
    [((0, 0.01), (10, 70)), ((4, 1), (110, 20)), ((1, 0.1), (35, 45)), ((9, 0), (110, 70)), ((-3, 7), (10, 20))],
)
def test_a_value_lies_where_the_axes_say(value, place):
    (found,) = PANEL.points(np.array([value[0]], float), np.array([value[1]], float))
    assert found.tolist() == pytest.approx(place)


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0, 1, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        (0.9, 1, ["0.90", "0.92", "0.94", "0.96", "0.98", "1.00"]),
        (-0.4, 0.8, ["-0.4", "-0.2", "0.0", "0.2", "0.4", "0.6", "0.8"]),
        (0, 27.3, ["0", "5", "10", "15", "20", "25"]),
    ],
)
def test_round_numbers(low, high, ticks):
    assert list(chart.round_ticks(low, high).values()) == ticks


@given(st.floats(-100, 100), st.floats(0.01, 1000))
def test_round_numbers_lie_on_the_axis_and_are_few(low, length):
    ticks = chart.round_ticks(low, low + length)
    assert 4 <= len(ticks) <= 13
    assert min(ticks) >= low - 1e-4 * length
    assert max(ticks) <= low + length + 1e-4 * length
    np.testing.assert_allclose([float(shown) for shown in ticks.values()], list(ticks), atol=1e-9)


def drawn(draw):
    picture = chart.paper(120, 80)
    draw(picture)
    return chart.finished(picture)


def test_paper_is_white_and_of_its_size():
    picture = drawn(lambda picture: None)
    assert picture.shape == (80, 120, 3)
    assert (picture == 255).all()


def test_what_is_filled_is_as_dark_as_its_opacity():
    square = np.array([[20, 20], [60, 20], [60, 60], [20, 60]], float)
    picture = drawn(lambda picture: chart.fill(picture, square, RED, 0.5))
    np.testing.assert_allclose(picture[40, 40], (128, 128, 255), atol=1)
    assert (picture[40, 70] == 255).all()


def test_lines_and_dots_are_where_they_should_be():
    def draw(picture):
        chart.line(picture, np.array([[10, 30], [100, 30]], float), RED, 3)
        chart.dot(picture, np.array([60.0, 60.0]), RED)

    picture = drawn(draw)
    for x, y in ((50, 30), (60, 60)):
        np.testing.assert_allclose(picture[y, x], RED, atol=3)
    assert (picture[30, 110] == 255).all()


@pytest.mark.parametrize(("anchor", "columns"), [("start", (60, 120)), ("end", (0, 60)), ("middle", (20, 100))])
def test_words_begin_or_end_at_their_place(anchor, columns):
    picture = drawn(lambda picture: chart.words(picture, "0.25", (60, 40), anchor))
    inked = np.flatnonzero((picture < 200).any(axis=(0, 2)))
    assert columns[0] <= inked.min()
    assert inked.max() <= columns[1]
    width = chart.words(chart.paper(120, 80), "0.25", (60, 40))
    assert inked.max() - inked.min() == pytest.approx(width, abs=5)
