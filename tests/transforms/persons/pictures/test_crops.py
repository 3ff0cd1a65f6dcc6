"""Pictures of faces out of the table: which ones are taken, in which order they are read, and how small they are."""

import numpy as np
import pyarrow as pa
import pytest

from tests.person_tables import FACES, GREEN, RED, crop, write_tables
from transforms.persons.pictures.crops import read_crops, spread, thumbnails
from transforms.tables.pointers import locate

SPREAD = [
    ([], 3, []),
    ([4], 3, [4]),
    ([0, 1, 2], None, [0, 1, 2]),
    ([0, 1, 2], 3, [0, 1, 2]),
    ([0, 1, 2], 1, [0]),
    (range(10, 21), 3, [10, 15, 20]),
    (range(100), 2, [0, 99]),
]


@pytest.mark.parametrize(("rows", "most", "taken"), SPREAD)
def test_rows_are_taken_evenly_from_the_first_to_the_last(rows, most, taken):
    assert spread(np.array(rows, np.int64), most).tolist() == taken


@pytest.fixture
def pointers(folder):
    write_tables(folder)
    return folder, locate(folder, "faces", "face_id", pa.array([one.face_id for one in FACES]))


def test_each_row_comes_with_its_own_bytes(pointers):
    run, at = pointers
    wanted = np.array([6, 0, 8, 3], np.int64)
    found = dict(read_crops(run, at, wanted))
    assert found == {row: crop(FACES[row].colour) for row in wanted.tolist()}


def test_thumbnails_are_of_the_group_they_were_asked_for(pointers):
    run, at = pointers
    none, red, both = thumbnails(run, at, [np.array(rows, np.int64) for rows in ([], [0], [0, 5])], 72)
    assert none == []
    assert [one.shape for one in (*red, *both)] == [(72, 72, 3)] * 3
    for small, colour in zip((*red, *both), (RED, RED, GREEN), strict=True):
        np.testing.assert_allclose(small.mean(axis=(0, 1)), colour, atol=4)


def test_no_group_reads_nothing(folder):
    assert thumbnails(folder, locate(folder, "faces", "face_id", pa.array([], pa.string())), [], 72) == []
