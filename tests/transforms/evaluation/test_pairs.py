"""Pairs are read from every form of list; rows that say none are counted."""

import gzip
import io
from contextlib import suppress

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.evaluation.pair_columns import PairColumns
from transforms.evaluation.pairs import read_pairs

TEXT = "a,b,same\nx.jpg,y.jpg,1\ny.jpg,z.jpg,0\n"
READ = [("x.jpg", "y.jpg", True), ("y.jpg", "z.jpg", False)]


def read(path, columns=None):
    found = read_pairs(str(path), columns or PairColumns())
    names = found.names.to_pylist()
    assert len(set(names)) == len(names)
    ends = ([names[place] for place in places] for places in (found.first.tolist(), found.second.tolist()))
    return list(zip(*ends, found.same.tolist(), strict=True)), found.bad_rows


def written(tmp_path, content, name="pairs.csv"):
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize("content", ["a,b,same\n", "10\n", "10\t300\n"])
def test_a_list_without_pairs(tmp_path, content):
    found = read_pairs(str(written(tmp_path, content)), PairColumns())
    assert (len(found), len(found.names), found.bad_rows) == (0, 0, 0)
    assert (found.first.dtype, found.same.dtype, found.names.type) == (np.int64, np.bool_, pa.large_string())


def test_an_empty_file(tmp_path):
    with pytest.raises(ValueError, match="the columns are none"):
        read(written(tmp_path, ""))


@pytest.mark.parametrize(
    "content",
    [
        TEXT,
        TEXT.replace(",", "\t"),
        TEXT.replace(",", ";"),
        TEXT.replace("\n", "\r\n"),
        "\ufeff" + TEXT,
        TEXT.encode("utf-16"),
        gzip.compress(TEXT.encode()),
        '"a","b","same"\n"x.jpg","y.jpg",TRUE\n y.jpg , z.jpg ,different\n',
    ],
)
def test_forms_of_text(tmp_path, content):
    assert read(written(tmp_path, content)) == (READ, 0)


@pytest.mark.parametrize(
    "kinds",
    [pa.array([True, False]), pa.array([1, 0], pa.int8()), pa.array([1.0, 0.0]), pa.array(["same", "different"])],
)
def test_parquet_of_any_type(tmp_path, kinds):
    table = pa.table({"item_1": ["x.jpg", "y.jpg"], "item_2": ["y.jpg", "z.jpg"], "more": [1, 2], "same": kinds})
    file = io.BytesIO()
    pq.write_table(table, file)
    assert read(written(tmp_path, file.getvalue(), "pairs")) == (READ, 0)


def test_numbers_as_items(tmp_path):
    pq.write_table(pa.table({"a": [7], "b": [8], "same": [True]}), tmp_path / "pairs.parquet")
    assert read(tmp_path / "pairs.parquet") == ([("7", "8", True)], 0)


def test_rows_that_say_no_pair_are_counted(tmp_path):
    rows = ["x,y,1", "x,,1", ",y,1", "x,y,maybe", "x,y,", "x,y,2", "x", "x,y,1,z", f"{'x' * 200_000},y,1", "", "z,x,No"]
    assert read(written(tmp_path, "\n".join(["a,b,same", *rows]))) == ([("x", "y", True), ("z", "x", False)], 8)


def test_the_form_of_lfw(tmp_path):
    lines = ["10\t300", "Abel\t1\t4", "Abel\t1\tBo Ek\t2", "Abel\t1\tCe\t23", "", "Abel\tx\t4", "Abel\t1", "Cé 2 12345"]
    pairs = [
        ("Abel_0001.jpg", "Abel_0004.jpg", True),
        ("Abel_0001.jpg", "Ce_0023.jpg", False),
        ("Cé_0002.jpg", "Cé_12345.jpg", True),
    ]
    assert read(written(tmp_path, "\n".join(lines), "pairs.txt")) == (pairs, 3)


def test_pairs_in_the_files_of_a_folder(tmp_path):
    folder = tmp_path / "pairs"
    folder.mkdir()
    for name, row in (("2.csv", READ[1]), ("1.csv", READ[0])):
        written(folder, f"a,b,same\n{row[0]},{row[1]},{row[2]}\n", name)
    assert read(folder) == (READ, 0)
    with pytest.raises(ValueError, match="there is no such file"):
        read(tmp_path / "nothing")


def test_a_name_of_any_length_is_one_record(tmp_path):
    content = f"a,b,same\n{'n' * 99_999},y,1\n"
    ((found,), bad) = read(written(tmp_path, content))
    assert (len(found[0]), bad) == (99_999, 0)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PK\x03\x04" + b"\0" * 99, "Excel workbook"),
        (b"PAR1 and then nothing", "damaged|cannot"),
        (gzip.compress(TEXT.encode())[:-9], "cut or damaged"),
    ],
)
def test_files_that_are_no_list(tmp_path, content, words):
    with pytest.raises(ValueError, match=words):
        read(written(tmp_path, content))


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused_in_a_sentence(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any"
    path.write_bytes(content)
    with suppress(ValueError):
        pairs, bad = read(path)
        assert len(pairs) + bad <= len(content)
