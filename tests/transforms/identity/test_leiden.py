"""Communities by the library, and the sentence where it is missing."""

import sys

import numpy as np
import pytest

from tests.transforms.identity.evidence_made import all_edges, ints, partition, people
from transforms.identity.knn import NO_EDGES, edges_of
from transforms.identity.leiden import leiden


def test_a_missing_library_is_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "graspologic_native", None)
    with pytest.raises(ImportError, match=r"pip install 'manyfaces\[leiden\]'"):
        leiden(2, NO_EDGES)


def test_no_edges():
    assert leiden(0, NO_EDGES).tolist() == []
    assert leiden(3, NO_EDGES).tolist() == [0, 1, 2]


def test_people_are_found_and_nodes_without_edges_stay_alone():
    units, person = people(1, 200, dimension=64, noise=0.02)
    edges = all_edges(units, 0.9)
    assert partition(leiden(200, edges)) == partition(person)
    assert leiden(202, edges)[200:].tolist() == [200, 201]


def test_a_community_has_more_than_half_of_its_links():
    pairs = ints(0, 1, 0, 2, 1, 2, 3, 4, 3, 5, 4, 5, 2, 3).reshape(-1, 2)  # two triangles and a bridge
    edges = edges_of(pairs[:, 0], pairs[:, 1], np.ones(len(pairs), np.float32))
    assert leiden(6, edges).tolist() == [0, 0, 0, 3, 3, 3]
