"""Counting tracks, videos and classes in parts."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.curation.tracks.counts import added, by_bucket, counted, entropy, of_known_classes

ROWS = st.lists(
    st.tuples(st.integers(0, 300), st.integers(0, 4), st.sampled_from(["", "cat", "cat\0", "dog"])), max_size=60
)


def in_buckets(parts):
    found = {}
    for part in parts:
        if part:
            lots, videos, names = zip(*part, strict=True)
            arrays = np.array(lots, np.uint64), np.array(videos, np.uint64), np.array(names, object)
            for bucket, seen in by_bucket(*arrays):
                found.setdefault(bucket, []).append(seen)
    return added(counted(some) for some in found.values())


def test_nothing_is_counted_of_nothing():
    assert (added([]).tracks, len(added([]).videos)) == (0, 0)


@given(ROWS, st.integers(1, 4))
def test_each_track_counts_once_however_the_rows_are_parted(rows, parts):
    counts = in_buckets([rows[part::parts] for part in range(parts)])
    once = {}
    for lot, _, name in rows:
        once[lot] = min(name, once.get(lot, name))
    assert (counts.tracks, counts.repeated) == (len(once), len(rows) - len(once))
    assert dict(counts.classes) == {name: list(once.values()).count(name) for name in sorted(set(once.values()))}


ENTROPIES = [([], 0), ([7], 0), ([0, 7, 0], 0), ([1, 1], 1), ([5, 5, 5, 5], 2), ([1, 3], 2 - 0.75 * math.log2(3))]


@pytest.mark.parametrize(("counts", "bits"), ENTROPIES)
def test_entropy_is_in_bits(counts, bits):
    assert entropy(counts) == pytest.approx(bits)


def test_an_unknown_class_is_none():
    assert of_known_classes({"": 4, "cat": 2}) == {"cat": 2}
