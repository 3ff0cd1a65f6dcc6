"""A timeline: bars where somebody is seen and nowhere else, however short or wrong the spans; ticks at round times."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.images.drawing import GAP
from transforms.persons.pictures.lines import SIDE, TITLE, WORDS, Line
from transforms.persons.pictures.timeline import RAIL, bars, ticks, timeline

COLOUR = (10, 90, 170)
BARS = [
    ([], 10, []),
    ([(0, 10)], 10, range(10)),
    ([(0, 1), (4, 6)], 10, [0, 4, 5]),
    ([(2.4, 2.5)], 10, [2]),
    ([(9.99, 10)], 10, [9]),
    ([(12, 15)], 10, [9]),
    ([(-3, 1)], 10, [0]),
    ([(0, 5)], 1000, [0]),
]


@pytest.mark.parametrize(("spans", "seconds", "pixels"), BARS)
def test_bars_are_where_the_spans_are(spans, seconds, pixels):
    assert np.flatnonzero(bars(spans, seconds, 10)).tolist() == list(pixels)


@given(st.floats(0.001, 1e6), st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), max_size=5), st.integers(1, 700))
def test_a_bar_is_as_long_as_its_time_to_within_a_pixel(seconds, shares, width):
    for share in shares:
        start, end = sorted(share)
        found = bars([(start * seconds, end * seconds)], seconds, width)
        assert found.any()
        assert abs(found.sum() - (end - start) * width) <= 1.5
        assert np.diff(np.flatnonzero(found)).max(initial=1) == 1


@pytest.mark.parametrize(
    ("seconds", "found"),
    [
        (0.1, [0]),
        (4, [0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4]),
        (28, [0, 5, 10, 15, 20, 25]),
        (7200, [0, 900, 1800, 2700, 3600, 4500, 5400, 6300, 7200]),
    ],
)
def test_ticks_stand_at_round_times(seconds, found):
    assert ticks(seconds) == found


@given(st.floats(0.001, 1e7))
def test_ticks_are_few_and_within_the_video(seconds):
    assert 1 <= len(ticks(seconds)) <= 9
    assert ticks(seconds)[-1] <= seconds


def test_a_row_has_its_face_and_its_bars_in_its_colour():
    face = np.full((SIDE, SIDE, 3), (0, 0, 255), np.uint8)
    lines = [Line(("5.0 s",), [face], COLOUR, [(0, 2.5), (7.5, 10)]), Line(("0.1 s",), [face], (1, 2, 3), [(5, 5.1)])]
    made = timeline("film", "", lines, 10)
    left, middle = WORDS + SIDE + 2 * GAP, TITLE + SIDE // 2
    assert made.shape[1] > left + RAIL
    assert (made[middle, WORDS : WORDS + SIDE] == (0, 0, 255)).all()
    seen = (made[middle, left : left + RAIL] == COLOUR).all(axis=1)
    assert np.flatnonzero(seen).tolist() == [*range(RAIL // 4), *range(3 * RAIL // 4, RAIL)]
    below = (made[middle + SIDE + GAP, left : left + RAIL] == (1, 2, 3)).all(axis=1)
    assert np.flatnonzero(below).tolist() == list(range(RAIL // 2, round(RAIL * 0.51)))
    assert (made[TITLE + 2 * (SIDE + GAP) + 8 :, left : left + RAIL] < 200).any()  # the times


@pytest.mark.parametrize("seconds", [0, 10])
def test_without_a_line_there_is_an_axis_alone(seconds):
    made = timeline("film", "0 persons", [], seconds)
    assert made.shape[1] > RAIL
    assert TITLE < made.shape[0] < TITLE + SIDE
