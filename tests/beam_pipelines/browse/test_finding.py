"""Rows with a word, from a row on, and where to go on when rows or time are enough."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beam_pipelines.browse.finding import find_rows, searchable
from beam_pipelines.browse.stored import Stored
from transforms.tables.shards import shard_path, write_shard

TEXTS = ["Ada", "bob", None, "a.c", "ada lovelace", "", "ABC"] * 3


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    run = str(tmp_path_factory.mktemp("finding"))
    for shard, start in enumerate((0, 5, 16)):
        rows = range(start, (5, 16, len(TEXTS))[shard])
        columns = {"label": pa.array([TEXTS[row] for row in rows]), "identity": pa.array(list(rows), pa.int64())}
        write_shard(shard_path(run, "t", f"{shard:05d}"), pa.table(columns))
    return Stored(run)


@given(word=st.sampled_from(["ada", "A", ".", "zzz", "b", "(", "%"]), start=st.integers(0, 21), most=st.integers(1, 5))
def test_pages_of_what_is_found_are_all_that_there_is(stored, word, start, most):
    expected = [row for row, text in enumerate(TEXTS) if row >= start and text and word.lower() in text.lower()]
    rows, place = [], start
    while place is not None:
        found = find_rows(stored, "t", ["label"], word, place, most, 60)
        rows, place = rows + found.rows, found.go_on
        assert len(found.rows) == most or place is None
    assert rows == expected


def test_a_number_is_the_whole_number(stored):
    assert find_rows(stored, "t", ["identity"], "1", 0, 50, 60).rows == [1]
    assert find_rows(stored, "t", ["identity", "label"], "17", 0, 50, 60).rows == [17]


def test_no_time_is_enough_for_a_batch_and_the_rest_is_told(stored):
    found, rows = find_rows(stored, "t", ["label"], "bob", 0, 50, 0), []
    while found.go_on is not None:
        rows += found.rows
        found = find_rows(stored, "t", ["label"], "bob", found.go_on, 50, 0)
    assert rows + found.rows == [1, 8, 15]


def test_columns_of_a_search():
    text = pa.string()
    schema = pa.schema([("face_id", text), ("url", text), ("note", text), ("label", text), ("side_id", pa.int32())])
    assert searchable(schema) == ["face_id", "url", "label"]
