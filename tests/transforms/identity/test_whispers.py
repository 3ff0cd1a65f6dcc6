"""Chinese whispers: clear groups, the same every time, nobody beside whom they must stay apart from."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transforms.identity.evidence_made import all_edges, partition, people, scenes_of
from transforms.identity.apart import no_scenes
from transforms.identity.knn import NO_EDGES
from transforms.identity.whispers import whispers


def test_no_nodes_and_no_edges():
    assert whispers(0, NO_EDGES, no_scenes(0)).tolist() == []
    assert whispers(3, NO_EDGES, no_scenes(3)).tolist() == [0, 1, 2]


def test_clear_people_are_found():
    units, person = people(1, 300, dimension=64, noise=0.02)
    assert partition(whispers(300, all_edges(units, 0.9), no_scenes(300))) == partition(person)


def test_a_bridge_of_one_edge_does_not_join_two_people():
    units, person = people(2, 60, dimension=64, noise=0.02)
    edges = all_edges(units, 0.9)
    one, other = np.flatnonzero(person == person[0])[0], np.flatnonzero(person != person[0])[0]
    from transforms.identity.knn import edges_of

    bridge = edges_of(np.r_[edges.first, one], np.r_[edges.second, other], np.r_[edges.similarity, np.float32(0.9)])
    assert partition(whispers(60, bridge, no_scenes(60))) == partition(person)


@given(st.integers(0, 10_000), st.integers(1, 60))
@settings(max_examples=100, deadline=None)
def test_clusters_are_connected_and_keep_apart_what_must_stay_apart(seed, rows):
    units, _ = people(seed, rows)
    scenes = scenes_of(np.random.default_rng(seed).integers(0, max(1, rows // 3), rows))
    edges = all_edges(units, 0.6)
    found = whispers(rows, edges, scenes)
    assert scenes.pairs_within(found) == 0
    assert np.array_equal(found, whispers(rows, edges, scenes))
    linked = {*edges.first.tolist(), *edges.second.tolist()}
    assert all(len(group) == 1 for group in partition(found) if not group & linked)
