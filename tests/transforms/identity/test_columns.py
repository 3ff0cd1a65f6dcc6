"""Columns as arrays, and files of strangers."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from transforms.identity.columns import as_codes, as_matrix, as_text, usable, validation_centres


def vectors(rows, arrow_type):
    return pa.array([None if row is None else np.asarray(row, np.float16) for row in rows], arrow_type)


FIXED, OPEN = pa.list_(pa.float16(), 2), pa.list_(pa.float16())


@pytest.mark.parametrize("arrow_type", [FIXED, OPEN])
def test_matrix_of_no_one_and_several_chunks(arrow_type):
    chunk = vectors([[1, 2], [3, 4], [5, 6]], arrow_type)
    assert as_matrix(pa.chunked_array([], arrow_type)).shape == (0, 1)
    assert as_matrix(pa.chunked_array([chunk])).dtype == np.float16
    joined = as_matrix(pa.chunked_array([chunk.slice(1), vectors([], arrow_type), chunk.slice(0, 2)]))
    assert joined.tolist() == [[3, 4], [5, 6], [1, 2], [3, 4]]


@pytest.mark.parametrize("rows", [[[1, 2], None], [[1, 2], [3]], [[], []]])
def test_vectors_that_cannot_be_compared(rows):
    with pytest.raises(ValueError, match="vector"):
        as_matrix(pa.chunked_array([vectors(rows, OPEN)]))


def test_codes_and_text():
    column = pa.chunked_array([["b", None], ["a", "b"]], pa.string())
    codes = as_codes(column)
    assert codes[1] == -1
    assert codes[0] == codes[3] != codes[2]
    assert as_text(column).to_pylist() == ["b", None, "a", "b"]
    assert as_codes(pa.chunked_array([], pa.string())).tolist() == []


def test_usable():
    rows = np.array([[0, 0], [np.nan, 1], [np.inf, 1], [1e-7, 0], [-1, 1]], np.float16)
    assert usable(rows).tolist() == [False, False, False, True, True]


def test_validation_centres_of_both_kinds(tmp_path):
    np.save(tmp_path / "v.npy", np.array([[3.0, 4.0]]))
    assert np.allclose(validation_centres(str(tmp_path / "v.npy"), 2), [[0.6, 0.8]])
    table = pa.table({"identity": ["b", "a", "b"], "vector": vectors([[1, 0], [5, 5], [0, 1]], OPEN)})
    pq.write_table(table, tmp_path / "v.parquet")
    assert np.allclose(validation_centres(str(tmp_path / "v.parquet"), 2), np.full((2, 2), 0.5**0.5), atol=1e-3)


def _pickled(path):
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("no.npy", lambda path: None),
        ("text.npy", lambda path: path.write_text("hello")),
        ("pickle.npy", _pickled),
        ("ints.npy", lambda path: np.save(path, np.ones((2, 2), int))),
        ("long.npy", lambda path: np.save(path, np.ones((2, 3)))),
        ("nan.npy", lambda path: np.save(path, np.full((2, 2), np.nan))),
        ("text.parquet", lambda path: path.write_text("hello")),
        ("columns.parquet", lambda path: pq.write_table(pa.table({"identity": ["a"]}), path)),
        ("null.parquet", lambda path: pq.write_table(pa.table({"identity": [None], "vector": [[1.0, 2.0]]}), path)),
        ("words.parquet", lambda path: pq.write_table(pa.table({"identity": ["a"], "vector": [["x", "y"]]}), path)),
    ],
)
def test_bad_validation_files_are_one_sentence(tmp_path, name, write):
    write(tmp_path / name)
    with pytest.raises(ValueError, match="validation_identities"):
        validation_centres(str(tmp_path / name), 2)
