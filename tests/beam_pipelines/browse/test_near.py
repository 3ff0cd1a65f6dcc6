"""What is near to a face: by edges as by vectors, and as comparing all by hand finds it."""

import numpy as np
import pytest

from beam_pipelines.browse import near as module
from beam_pipelines.browse.near import by_edges, by_vectors
from beam_pipelines.browse.stored import Stored
from tests.beam_pipelines.browse.made_run import DEGREES, face, write_run
from tests.embedded_faces import vector_row, write_vectors


@pytest.fixture
def stored(tmp_path):
    return Stored(write_run(str(tmp_path / "run")))


def test_all_edges_of_a_face_each_once(stored):
    found = by_edges(stored, [face("a3")], 10, is_inside=True)
    expected = {"a2": 22, "a1": 26, "b0": 50, "b1": 54}
    assert found.other == [face(name) for name in expected]
    assert found.similarity == pytest.approx(np.cos(np.radians(list(expected.values()))), abs=1e-6)
    assert by_edges(stored, [face("a3")], 2, is_inside=True).other == found.other[:2]


def test_edges_that_lead_out_of_some_faces(stored):
    found = by_edges(stored, [face(f"a{n}") for n in range(4)], 10)
    assert list(zip(found.own, found.other, strict=True)) == [
        ("a3-f0", "b0-f0"),
        ("a3-f0", "b1-f0"),
        ("a2-f0", "b0-f0"),
    ]
    assert by_edges(stored, ["nobody"], 10).other == []


def test_vectors_find_the_nearest_of_all(stored):
    found = by_vectors(stored, face("b0"), 4)
    away = sorted((abs(degrees - DEGREES["b0"]), name) for name, degrees in DEGREES.items() if name != "b0")[:4]
    assert found.other == [face(name) for _, name in away]
    assert found.similarity == pytest.approx(np.cos(np.radians([angle for angle, _ in away])), abs=2e-3)


def test_vectors_that_cannot_be_compared_are_near_to_nothing(stored, monkeypatch):
    write_vectors(stored.run, "00008", [vector_row("flat-f0", "flat", (0, 0))])
    assert by_vectors(stored, "flat-f0", 4).other == []
    assert "flat-f0" not in by_vectors(stored, face("a0"), 20).other
    assert by_vectors(stored, "nobody", 4).other == []
    monkeypatch.setattr(module, "MOST_VECTORS", 9)
    assert by_vectors(stored, face("a0"), 4).other == []
