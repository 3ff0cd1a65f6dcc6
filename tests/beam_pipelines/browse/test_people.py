"""People out of the table `identities`: their faces, orders and pictures."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beam_pipelines.browse.people import ORDERS, read_people
from beam_pipelines.browse.stored import Stored
from tests.beam_pipelines.browse.made_run import DEGREES, face, write_run
from tests.labelled_run import write_table
from transforms.tables.rows import Identity


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    return read_people(Stored(write_run(str(tmp_path_factory.mktemp("people") / "run"))))


def test_faces_of_an_identity_come_from_near_its_centre_to_far(people):
    assert people.numbers.tolist() == [0, 1, 7]
    names = [[people.face_id[row].as_py() for row in people.faces_of(number).tolist()] for number in (0, 1, 7, 3, 99)]
    assert names == [[face(f"a{n}") for n in range(4)], ["b0-f0", "b1-f0"], ["c0-f0", "c1-f0"], [], []]


def test_orders(people):
    found = {order: people.numbers[people.in_order(order)].tolist() for order in ORDERS}
    assert found == {"largest": [0, 1, 7], "smallest": [1, 7, 0], "least alike": [7, 1, 0]}
    assert people.mean_similarity() == pytest.approx([1 - 42 / 4000, 1 - 164 / 2000, 1 - 306 / 2000], abs=1e-6)


@given(names=st.lists(st.sampled_from([*map(face, DEGREES), "nobody", ""]), max_size=20))
def test_rows_of_faces(people, names):
    known = people.face_id.to_pylist()
    expected = [known.index(name) if name in known else -1 for name in names]
    assert people.rows_of(names).tolist() == expected
    assert [people.row_of(name) for name in names] == expected


def test_a_picture_is_that_of_the_face(people, tmp_path):
    stored = Stored(write_run(str(tmp_path / "run")))
    again = read_people(stored)
    faces = stored.take("faces", again.picture.tolist(), ["face_id"])["face_id"].to_pylist()
    assert faces == again.face_id.to_pylist()


def test_nobody_is_no_error(tmp_path):
    write_table(str(tmp_path), "identities", Identity, [])
    people = read_people(Stored(str(tmp_path)))
    assert len(people.in_order("largest")) == len(people.mean_similarity()) == len(people.faces_of(0)) == 0
    assert people.rows_of(["a"]).tolist() == [-1]
    assert people.picture.dtype == np.int64
