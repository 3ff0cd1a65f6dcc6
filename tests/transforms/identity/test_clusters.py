"""Clusters by every method: what it is without evidence, order, what must stay apart, poor faces, a second look."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.transforms.identity.evidence_made import all_edges, ints, partition, people, pictured, shuffled
from transforms.identity.clustering import connected, dbscan, firm, without_small
from transforms.identity.clusters import find_clusters
from transforms.identity.evidence import Evidence, no_evidence
from transforms.identity.knn import NO_EDGES, Edges
from transforms.identity.settings import ClusterSettings

METHODS = ["connected", "dbscan", "average", "whispers", "leiden"]
OLD = {"connected": lambda rows, links: connected(rows, links), "dbscan": lambda rows, links: dbscan(rows, links, 2)}


def sizes(rows):
    return np.full(rows, 120, np.float32)


def found_in(units, edges, evidence=None, poor=(), **chosen):
    rows = len(units)
    is_poor = np.isin(np.arange(rows), poor)
    told = evidence or no_evidence(rows)
    settings = ClusterSettings(**({"method": "connected", "link_similarity": 0.945} | chosen))
    return find_clusters(units, edges, sizes(rows), told, is_poor, settings)


def at(*degrees):
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def cos(degrees):
    return float(np.cos(np.radians(degrees)))


@pytest.mark.parametrize("method", METHODS)
def test_no_faces(method):
    assert found_in(np.zeros((0, 2), np.float16), NO_EDGES, method=method).tolist() == []
    assert found_in(at(0, 90), NO_EDGES, method=method).tolist() == [-1, -1]


@pytest.mark.parametrize("method", ["connected", "dbscan"])
@given(st.integers(0, 10_000), st.integers(1, 60))
@settings(max_examples=60, deadline=None)
def test_without_evidence_the_result_is_that_of_the_method(method, seed, rows):
    units, _ = people(seed, rows)
    edges, size = all_edges(units, 0.8), np.random.default_rng(seed).uniform(20, 200, rows).astype(np.float32)
    chosen = ClusterSettings(method=method, link_similarity=0.85, small_face_px=100, small_link_similarity=0.95)
    found = find_clusters(units, edges, size, no_evidence(rows), np.zeros(rows, bool), chosen)
    links = firm(edges.where(edges.similarity >= np.float32(0.85)), size, chosen)
    assert found.tolist() == without_small(OLD[method](rows, links), 2).tolist()


@pytest.mark.parametrize("method", METHODS)
@given(st.integers(0, 10_000), st.integers(2, 60))
@example(3125, 40)  # the second row of a group went, at the second look, where its first row must not be
@example(2251, 52)
@settings(max_examples=60, deadline=None)
def test_what_must_stay_apart_does_and_what_is_alike_is_together(method, seed, rows):
    units, _ = people(seed, rows)
    evidence, poor = pictured(seed, rows), np.flatnonzero(np.random.default_rng(seed).random(rows) < 0.2)
    look = {"similarity": 0.6, "margin": 0.0}
    found = found_in(units, all_edges(units, 0.5), evidence, poor, method=method, link_similarity=0.6, second_look=look)
    assert evidence.scenes().pairs_within(found) == 0
    for name in set(found[found >= 0].tolist()):
        assert found[name] == name  # called by its first row
    alike = evidence.alike
    assert all((found[row] == found[alike[row]]) or -1 in (found[row], found[alike[row]]) for row in range(rows))


@pytest.mark.parametrize("method", ["connected", "dbscan", "average"])
@given(st.integers(0, 10_000), st.integers(2, 50))
@settings(max_examples=60, deadline=None)
def test_clusters_do_not_depend_on_order(method, seed, rows):
    units, _ = people(seed, rows)
    order = np.random.default_rng(seed).permutation(rows)
    evidence, poor = pictured(seed, rows), np.flatnonzero(np.random.default_rng(seed).random(rows) < 0.2)
    chosen = {"method": method, "link_similarity": 0.7}
    here = found_in(units, all_edges(units, 0.7), evidence, poor, **chosen)
    there = found_in(
        units[order], all_edges(units[order], 0.7, 7), shuffled(evidence, order), np.argsort(order)[poor], **chosen
    )
    assert partition(here) == {frozenset(order[list(group)].tolist()) for group in partition(there)}


@pytest.mark.parametrize("method", METHODS)
def test_poor_faces_join_nobody_but_are_attached(method):
    units = at(0, 5, 20, 35, 40, 90, 95)
    edges = all_edges(units, cos(21))
    chosen = {"method": method, "link_similarity": cos(21)}
    assert found_in(units, edges, poor=[2, 5, 6], **chosen).tolist() == [0, 0, 0, 3, 3, -1, -1]
    bridged = found_in(units, edges, **chosen | {"method": "connected"})
    assert bridged.tolist() == [0, 0, 0, 0, 0, 5, 5]


def test_a_poor_face_makes_no_identity_out_of_copies_of_it():
    evidence = Evidence(ints(0, 0, 2), ints(-1, -1, -1), ints(), ints())
    assert found_in(at(0, 0, 90), NO_EDGES, evidence, [0, 1]).tolist() == [-1, -1, -1]
    assert found_in(at(0, 0, 90), NO_EDGES, evidence, [0]).tolist() == [0, 0, -1]


@pytest.mark.parametrize(
    ("similarity", "margin", "last"),
    [(1, 0, -1), (cos(26), 0, 0), (cos(24), 0, -1), (cos(26), 0.09, 0), (cos(26), 0.2, -1)],
)
def test_a_second_look_needs_a_near_centre_and_a_margin(similarity, margin, last):
    units = at(0, 10, 70, 72, 30)  # 30 is 25 from the centre of the first two, 41 from that of the others
    found = found_in(
        units, all_edges(units, 0.3), link_similarity=cos(15), second_look={"similarity": similarity, "margin": margin}
    )
    assert found.tolist() == [0, 0, 2, 2, last]


def test_a_second_look_keeps_apart_two_faces_of_one_picture():
    units = at(0, 10, 30, 31)
    evidence = Evidence(np.arange(4), ints(-1, -1, 7, 7), ints(), ints())
    chosen = {"link_similarity": cos(15), "second_look": {"similarity": 0.5}}
    assert found_in(units, all_edges(units, 0.3), evidence, **chosen).tolist() == [0, 0, 0, -1]


@pytest.mark.parametrize("method", METHODS[:-1])  # a star is no community
def test_a_great_many_copies_of_one_vector_are_one_cluster(method):
    rows = 200_000
    units = np.ones((rows, 4), np.float16)
    first = np.arange(rows - 1, dtype=np.int32)
    hub = Edges(np.zeros(rows - 1, np.int32), first + 1, np.ones(rows - 1, np.float32))  # to the first, as kNN has it
    assert partition(found_in(units, hub, method=method)) == {frozenset(range(rows))}
