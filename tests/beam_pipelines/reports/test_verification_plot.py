"""The picture of a verification is drawn for any pairs, and its curve runs where the figures are."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beam_pipelines.reports.chart import GREY
from beam_pipelines.reports.verification_plot import DIFFERENT, SAME, write_plot
from transforms.evaluation.verification import verification


def plotted(folder, similarity, same):
    similarity, same = np.array(similarity, np.float32), np.array(same, bool)
    path = str(folder / "roc.png")
    write_plot(path, verification(similarity, same), similarity, same)
    return cv2.imread(path)


def where(picture, colour, opacity):
    paint = np.round(np.array(colour) * opacity + 255 * (1 - opacity))
    return np.argwhere((np.abs(picture.astype(int) - paint) <= 2).all(axis=2))


CASES = {
    "two pairs": ([0.9, 0.1], [1, 0]),
    "one similarity": ([0.5] * 6, [1, 0] * 3),
    "all wrong": ([0.9, 0.1], [0, 1]),
    "the ends": ([-1, 1, 1, -1], [0, 1, 0, 1]),
}


@pytest.mark.parametrize("name", CASES)
def test_any_pairs_are_drawn(tmp_path, name):
    picture = plotted(tmp_path, *CASES[name])
    assert picture.shape == (600, 1400, 3)
    assert len(where(picture, SAME, 1)) > 50


@settings(max_examples=15)
@given(st.lists(st.tuples(st.floats(-1, 1, width=32), st.booleans()), max_size=20))
def test_any_pairs_of_both_kinds_are_drawn(tmp_path_factory, pairs):
    pairs = [(0.25, True), (0.5, False), *pairs]
    assert plotted(tmp_path_factory.getbasetemp(), *zip(*pairs, strict=True)).any()


def test_the_curve_is_a_step_and_its_kinds_stand_apart(tmp_path):
    """20 of 100 same pairs are only accepted with the first of 10,000 different ones: TAR 0.8, then 1."""
    similarity = [*np.linspace(0.8, 0.9, 80), *np.linspace(0.4, 0.45, 20), 0.6, *np.linspace(0, 0.2, 9999)]
    picture = plotted(tmp_path, similarity, [1] * 100 + [0] * 10_000)
    # from left to right 1e-5 to 1 on 590 pixels; the axis from 0.7, below the interval at 0.8, to 1 on 432
    step, low, high = 76 + 590 / 5, 88 + 432 * 2 / 3, 88
    curve = where(picture[:, :700], SAME, 1)
    assert curve[:, 1].min() == pytest.approx(step, abs=3)
    assert set(curve[:, 0]) <= set(range(high - 3, high + 4))
    before = 95 + np.argwhere((np.abs(picture[95:515, 90:180].astype(int) - GREY) <= 12).all(axis=2))[:, 0]
    assert np.median(before) == pytest.approx(low, abs=2)
    histogram = [where(picture[100:500, 775:1355], colour, 0.35)[:, 1].mean() for colour in (DIFFERENT, SAME)]
    assert histogram[0] < 150 < 400 < histogram[1]


def test_what_the_pairs_cannot_tell_is_grey(tmp_path):
    few = plotted(tmp_path, [*np.linspace(0, 0.5, 50), *np.linspace(0.45, 1, 50)], [0] * 50 + [1] * 50)
    many = plotted(tmp_path, [*np.linspace(0, 0.5, 200_000), *np.linspace(0.45, 1, 50)], [0] * 200_000 + [1] * 50)
    curve = [where(picture[90:518, 80:660], SAME, 1)[:, 1].min() for picture in (few, many)]
    assert curve[0] > 250 > 10 > curve[1]
