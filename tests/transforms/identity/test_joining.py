"""Components in which nobody stands who must stay apart."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transforms.identity.evidence_made import all_edges, ints, partition, people, scenes_of
from transforms.identity.apart import SeenTogether, no_scenes
from transforms.identity.clustering import connected
from transforms.identity.joining import connected_apart, join_in_order
from transforms.identity.knn import NO_EDGES, Edges


def chain(*similarity):
    count = len(similarity)
    return Edges(np.arange(count, dtype=np.int32), np.arange(1, count + 1, dtype=np.int32), np.float32(similarity))


def test_no_nodes():
    assert connected_apart(0, NO_EDGES, no_scenes(0)).tolist() == []
    assert join_in_order(0, NO_EDGES, SeenTogether(ints(), ints())).tolist() == []


@pytest.mark.parametrize(
    ("similarity", "expected"),
    [
        ((0.9, 0.8, 0.7), [0, 0, 0, 3]),  # 0 and 3 are in one picture: the weakest link gives way
        ((0.7, 0.8, 0.9), [0, 1, 1, 1]),
        ((0.8, 0.8, 0.8), [0, 0, 0, 3]),  # equal ones by row
    ],
)
def test_the_weakest_link_of_a_forbidden_chain_is_left_out(similarity, expected):
    assert connected_apart(4, chain(*similarity), scenes_of([1, 2, 3, 1])).tolist() == expected


def test_joining_stops_when_few_enough_are_left():
    assert join_in_order(4, chain(0.7, 0.9, 0.8), SeenTogether(ints(), ints()), 2).tolist() == [0, 1, 1, 1]


@given(st.integers(0, 10_000), st.integers(1, 60))
@settings(max_examples=100, deadline=None)
def test_what_is_apart_stays_apart_and_the_rest_is_connected(seed, rows):
    units, _ = people(seed, rows)
    edges = all_edges(units, 0.7)
    scenes = scenes_of(np.random.default_rng(seed).integers(0, max(1, rows // 2), rows))
    found, free = connected_apart(rows, edges, scenes), connected(rows, edges)
    assert scenes.pairs_within(found) == 0
    assert all(len(set(free[found == name])) == 1 for name in set(found.tolist()))
    whole = ~scenes.broken(free)
    assert np.array_equal(found[whole], free[whole])
    assert partition(connected_apart(rows, edges, no_scenes(rows))) == partition(free)
