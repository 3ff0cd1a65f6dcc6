"""The table of methods: each finds people who are plainly told apart, and the parts tell what they promise."""

from importlib.util import find_spec

import numpy as np
import pytest

from benchmarks.clusterers import OURS, PEERS, Graph, ours
from benchmarks.face_sets import make
from benchmarks.method_parts import PICTURES, cluster, find_edges, source_labels, thresholds
from benchmarks.methods import LIBRARIES
from transforms.evaluation.agreement import measure
from transforms.identity.knn import find_edges as all_edges
from transforms.identity.knn import one_group, unit


@pytest.mark.parametrize("method", [*OURS, *PEERS])
def test_every_method_finds_people_who_are_far_apart(method):
    if method in LIBRARIES and not find_spec(LIBRARIES[method]):
        pytest.skip(f"{LIBRARIES[method]} is not installed")
    random = np.random.default_rng(0)
    person = random.permutation(np.repeat(np.arange(30), 6))
    units = unit(random.normal(size=(30, 64))[person] + 0.3 * random.normal(size=(180, 64)))
    graph = Graph(units, all_edges(units, one_group(180), 20, 0.1, 64))
    found = PEERS[method]()(graph, 0.7) if method in PEERS else ours(method, graph, 0.7)
    assert measure(person, found).pairwise.f1 > 0.99


def test_the_parts_of_a_set_tell_of_it(tmp_path):
    faces = make("arcface-mf2", 1500, 1, tmp_path)
    found = thresholds(faces)
    assert 0 < found["floor"] < found["groups"] < found["most"] < 0.9
    edges = find_edges(faces)
    assert edges["recall"] == 1  # so few are searched exactly
    assert 10 < edges["edges"] <= 64
    assert source_labels(faces)["best"][0] == pytest.approx(0.65**2, abs=0.1)
    told = cluster("average", faces)
    assert told["best"][0] > 0.97
    assert told["auto"][0] <= told["best"][0] + 0.005  # not all links are tried
    assert told["precision"] > 0.95
    assert 0 <= told["at least"] <= told["estimated"] <= 1
    assert "estimated" not in cluster(PICTURES, faces)
    assert "auto" not in cluster("scikit-learn DBSCAN", faces)
