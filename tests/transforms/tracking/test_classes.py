import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.tracking.classes import TOP, class_statistics, likeliest


def flat(*frames: dict[int, float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Frames as class -> probability, as the flat lists of a table."""
    counts = np.array([len(frame) for frame in frames], np.int32)
    classes = np.array([number for frame in frames for number in frame], np.int32)
    return counts, classes, np.array([value for frame in frames for value in frame.values()], np.float32)


def test_a_single_frame_is_its_own_mean():
    found = class_statistics(*flat({7: 0.5, 3: 0.25}), np.array([0.5], np.float32))
    assert found.classes.tolist() == [7, 3]
    assert found.means.tolist() == [0.5, 0.25]
    assert found.weighted_means.tolist() == [0.25, 0.125]
    assert found.deviations.tolist() == [0, 0]


def test_a_class_counts_as_zero_where_a_frame_does_not_tell_it():
    found = class_statistics(*flat({1: 0.8}, {1: 0.4, 2: 0.6}), np.ones(2))
    assert found.classes.tolist() == [1, 2]
    assert found.means == pytest.approx([0.6, 0.3])
    assert found.deviations == pytest.approx([0.2, 0.3])


def test_the_order_is_that_of_the_weighted_means():
    found = class_statistics(*flat({1: 0.9}, {2: 0.8}), np.array([0.1, 1.0]))
    assert found.classes.tolist() == [2, 1]
    assert found.weighted_means == pytest.approx([0.4, 0.045])


def test_of_equal_classes_the_smaller_number_comes_first():
    assert class_statistics(*flat({9: 0.5, 4: 0.5}), np.ones(1)).classes.tolist() == [4, 9]


probability = st.floats(0.015625, 1, width=32)
frames_of = st.lists(st.dictionaries(st.integers(0, 30), probability, min_size=1, max_size=20), min_size=1, max_size=8)


@given(frames_of, st.integers(0, 2**32 - 1))
def test_the_statistics_are_those_of_the_whole_table(frames, seed):
    weights = np.random.default_rng(seed).uniform(0.1, 1, len(frames))
    table = np.zeros((len(frames), 31))
    for row, frame in zip(table, frames, strict=True):
        row[list(frame)] = list(frame.values())
    found = class_statistics(*flat(*frames), weights)
    weighted = table * weights[:, None]
    assert len(found.classes) == min(TOP, (table > 0).any(axis=0).sum())
    assert found.means == pytest.approx(table.mean(axis=0)[found.classes], abs=1e-6)
    assert found.deviations == pytest.approx(table.std(axis=0)[found.classes], abs=1e-3)
    assert found.weighted_means == pytest.approx(weighted.mean(axis=0)[found.classes], abs=1e-6)
    assert found.weighted_deviations == pytest.approx(weighted.std(axis=0)[found.classes], abs=1e-3)
    left = np.delete(weighted.mean(axis=0), found.classes)
    assert found.weighted_means.min() >= left.max(initial=0) - 1e-6


@given(frames_of)
def test_the_likeliest_class_of_each_frame(frames):
    classes, probabilities = likeliest(*flat(*frames))
    assert probabilities.tolist() == [max(frame.values()) for frame in frames]
    firsts = [next(number for number, value in frame.items() if value == max(frame.values())) for frame in frames]
    assert classes.tolist() == firsts
