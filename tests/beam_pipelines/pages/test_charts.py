import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beam_pipelines.pages import charts
from beam_pipelines.pages.charts import Lane, bins, histogram, merged, stacked, timeline
from beam_pipelines.pages.table import shown

NUMBERS = st.lists(st.floats(-1e6, 1e6, allow_nan=False), min_size=1, max_size=60)


@given(NUMBERS)
def test_every_value_is_in_a_bin_or_beside_them(values):
    found = bins(np.array(values))
    assert found.counts.sum() + found.below + found.above == len(values)
    assert np.all(np.diff(found.edges) > 0) or len(set(values)) > 1


def test_what_is_far_out_is_counted_beside():
    found = bins(np.concatenate([np.linspace(0, 1, 1000), [1e6]]))
    assert found.above >= 1
    assert found.edges[-1] < 2


def test_values_that_are_all_equal_have_bins_around():
    found = bins(np.full(3, 7.0))
    assert found.edges[0] == 6.5
    assert found.edges[-1] == 7.5


def test_a_bar_for_each_bin_with_values_and_lines_for_limits_in_sight():
    drawn = histogram("title <", bins(np.array([0.0, 0.0, 1.0])), limits=(0.5, 9.0))
    assert drawn.count("<rect") == 2
    assert drawn.count('class="mark"') == 1
    assert 'aria-label="title &lt;"' in drawn


def test_a_bar_is_as_long_as_its_share():
    drawn = stacked([("blue", 3), ("amber", 1), ("red", 0)], 4)
    assert f'class="blue" x="0" width="{charts._BAR_WIDTH * 3 / 4:g}"' in drawn
    assert "red" not in drawn


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([], []),
        ([[3, 4], [0, 1]], [(0, 1), (3, 4)]),
        ([[0, 1], [1.05, 2]], [(0, 2)]),
        ([[0, 5], [1, 2]], [(0, 5)]),
    ],
)
def test_spans_that_no_eye_tells_apart_are_one(spans, expected):
    assert merged(spans, 0.1) == expected


def test_a_timeline_has_a_lane_each_and_survives_a_video_without_length():
    lanes = [Lane("a" * 50, [[0, 1], [5, 6]]), Lane("b", [])]
    assert timeline("t", lanes, 10.0).count('class="blue"') == 2
    assert "…" in timeline("t", lanes, 10.0)
    assert timeline("t", [Lane("b", [[0, 0]])], 0.0).count("<rect") == 2


@pytest.mark.parametrize(
    ("value", "text"),
    [(1234567, "1,234,567"), (0.123456, "0.123"), (12345.6, "12,346"), (None, ""), (True, "yes"), ("x", "x")],
)
def test_numbers_as_people_read_them(value, text):
    assert shown(value) == text
