"""Each item has the direction of its face, a video the mean of its faces; items without one say why."""

import numpy as np
import pyarrow as pa
import pytest

from tests import video_rows
from tests.embedded_faces import vector_row, write_pictures, write_vectors
from transforms.evaluation.item_vectors import HAS_VECTOR, REASONS, item_vectors
from transforms.identity.knn import unit

VECTORS = {"p": (3, 4, 0), "q": (0, 0, 2), "r": (1, 1, 1), "s": (0, 0, 0), "t": (np.nan, 1, 0), "u": (np.inf, 1, 0)}


def found(run, names):
    vectors = item_vectors(run, pa.array(names, pa.large_string()))
    state = [REASONS.get(one, "") for one in vectors.state.tolist()]
    return state, vectors.unit, vectors.face_id.to_pylist()


@pytest.fixture
def run(tmp_path) -> str:
    return write_pictures(str(tmp_path / "run"), VECTORS, no_face=["v"], no_vector=["w"])


def test_no_items(run):
    vectors = item_vectors(run, pa.array([], pa.large_string()))
    assert (vectors.state.shape, vectors.unit.shape[0], len(vectors.face_id)) == ((0,), 0, 0)


def test_every_item_has_a_direction_or_a_reason(run):
    names = ["q.jpg", "p", "p-f0", "nobody", "v", "w", "s", "t", "u"]
    state, units, faces = found(run, names)
    assert state == ["", "", "", "not_in_run", "no_face", "no_vector", *["unusable_vector"] * 3]
    np.testing.assert_array_equal(units[:3], unit(np.array([VECTORS["q"], VECTORS["p"], VECTORS["p"]], np.float16)))
    assert not units[3:].any()
    assert faces == ["q-f0", "p-f0", "p-f0", None, None, "w-f0", "s-f0", "t-f0", "u-f0"]


def test_nothing_is_found(run):
    state, units, _ = found(run, ["w", "nobody"])
    assert state == ["no_vector", "not_in_run"]
    assert not units.any()


@pytest.mark.parametrize("shards", [1, 3, 6])
def test_how_the_table_is_cut_changes_nothing(tmp_path, shards):
    run = write_pictures(str(tmp_path / "run"), VECTORS, shards=shards)
    state, units, _ = found(run, ["r", "q", "p"])
    assert state == [""] * 3
    np.testing.assert_array_equal(units, unit(np.array([VECTORS[name] for name in "rqp"], np.float16)))


def test_a_video_is_the_mean_direction_of_the_largest_faces_of_its_frames(tmp_path):
    run = str(tmp_path / "run")
    video_rows.write_manifest(run, ["v", "w"])
    large = np.array([0, 0, 90, 90], np.float32)
    boxes = {"v-n1-f0": large, "v-n1-f1": large / 2, "v-n2-f0": large / 3, "v-n3-f0": large / 9, "w-n1-f0": large}
    faces = [video_rows.face(name[0], int(name[3]), int(name[6]), box=box) for name, box in boxes.items()]
    video_rows.write_faces(run, "00000", faces)
    vectors = {"v-n1-f0": (8, 0), "v-n1-f1": (-5, 0), "v-n2-f0": (0, 2), "v-n3-f0": (0, 0), "w-n1-f0": (1, 3)}
    rows = [vector_row(face, face[:4], vector) for face, vector in vectors.items()]
    write_vectors(run, "00000", rows[:2])
    write_vectors(run, "00001", rows[2:])
    state, units, faces = found(run, ["v", "w", "v-n1-f0", "v-n1-f1"])
    assert state == [""] * 4
    expected = np.array([(1, 1), (1, 3), (1, 0), (-1, 0)], np.float32)
    np.testing.assert_allclose(units, expected / np.linalg.norm(expected, axis=1, keepdims=True), rtol=1e-6)
    assert faces == ["v-n1-f0", "w-n1-f0", "v-n1-f0", "v-n1-f1"]


def test_opposite_faces_of_a_video_have_no_mean(tmp_path):
    run = str(tmp_path / "run")
    video_rows.write_manifest(run, ["v"])
    video_rows.write_faces(run, "00000", [video_rows.face("v", number) for number in (1, 2)])
    write_vectors(run, "00000", [vector_row(f"v-n{n}-f0", f"v-n{n}", (0, x)) for n, x in ((1, 4), (2, -2))])
    assert found(run, ["v"])[0] == ["unusable_vector"]


def test_vectors_of_two_models_cannot_be_compared(tmp_path):
    run = write_pictures(str(tmp_path / "run"), {"p": (1, 0)}, no_vector=["q"], shards=1)
    write_vectors(run, "00001", [vector_row("q-f0", "q", (1, 0, 0))])
    with pytest.raises(ValueError, match="several lengths"):
        found(run, ["p", "q"])


def test_the_state_of_a_name_that_means_several_items(tmp_path):
    run = write_pictures(str(tmp_path / "run"), {"p": (1, 0), "q": (0, 1)})
    assert found(run, ["p.jpg"])[0] == [""]
    assert set(REASONS.values()).isdisjoint({""})
    assert HAS_VECTOR not in REASONS
