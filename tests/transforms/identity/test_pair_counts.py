"""Histograms of similarities count every pair of a sampled face once, in any order and in any number of blocks."""

import numpy as np
import pytest

from tests.transforms.identity.people import people
from transforms.identity import pair_counts
from transforms.identity.pair_counts import BINS, EDGES, chosen_rows, count_pairs


def test_nobody_has_no_pairs():
    counted = count_pairs(np.zeros((0, 4), np.float32))
    assert (counted.faces, len(counted), counted.counts.shape) == (0, 0, (0, BINS))


def test_one_face_has_no_other():
    counted = count_pairs(np.eye(4, dtype=np.float32)[:1])
    assert counted.counts.sum() == 0
    assert counted.best.tolist() == [-1]


@pytest.mark.parametrize(("queries", "others"), [(128, 8192), (7, 11), (1, 1)])
def test_all_pairs_are_counted(queries, others, monkeypatch):
    monkeypatch.setattr(pair_counts, "_QUERIES", queries)
    monkeypatch.setattr(pair_counts, "_OTHERS", others)
    units, _ = people([3] * 20)
    counted = count_pairs(units)
    similarity = units.astype(np.float64) @ units.T.astype(np.float64)
    np.fill_diagonal(similarity, -2)
    rows = chosen_rows(units, len(units))
    expected = np.histogram(similarity[similarity > -2], EDGES)[0]
    assert counted.counts.sum(axis=1).tolist() == [59] * 60
    # a similarity at the edge of a bin may be rounded into the next
    assert np.abs(np.cumsum(counted.counts.sum(axis=0)) - np.cumsum(expected)).max() <= 2
    assert counted.best == pytest.approx(similarity[rows].max(axis=1), abs=1e-5)


def test_copies_are_in_the_last_bin_and_opposites_in_the_first():
    units = np.array([[1, 0], [1, 0], [-1, 0]], np.float32)
    total = count_pairs(units).counts.sum(axis=0)
    assert (total[-1], total[0], total.sum()) == (2, 4, 6)


def test_the_sample_is_of_vectors_and_not_of_rows():
    units, _ = people([4] * 50)
    order = np.random.default_rng(1).permutation(len(units))
    assert np.array_equal(units[chosen_rows(units, 30)], units[order][chosen_rows(units[order], 30)])
    some, all_ = count_pairs(units, 30), count_pairs(units)
    assert (len(some), len(all_), some.faces) == (30, 200, 200)
    assert np.array_equal(some.counts, all_.counts[:30])


def test_a_list_that_grows_keeps_its_sample():
    units, _ = people([1] * 400)
    before = {row.tobytes() for row in units[:300][chosen_rows(units[:300], 100)]}
    after = {row.tobytes() for row in units[chosen_rows(units, 100)]}
    assert len(before & after) > 60
