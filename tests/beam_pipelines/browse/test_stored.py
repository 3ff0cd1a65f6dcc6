"""Rows by their numbers, out of shards and row groups of all sizes, and no more of a table than they need."""

import os

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beam_pipelines.browse import stored as module
from beam_pipelines.browse.refused import Refused
from beam_pipelines.browse.stored import Stored
from transforms.tables.shards import shard_path, write_shard

SIZES, GROUP = (7, 0, 12, 1), 5  # rows of the shards, and of their row groups
ROWS = sum(SIZES)


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    run, start = str(tmp_path_factory.mktemp("stored")), 0
    for shard, size in enumerate(SIZES):
        numbers = pa.array(range(start, start + size), pa.int64())
        path = shard_path(run, "numbers", f"{shard:05d}")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        pq.write_table(pa.table({"number": numbers, "text": numbers.cast(pa.string())}), path, row_group_size=GROUP)
        start += size
    return Stored(run)


@given(rows=st.lists(st.integers(0, ROWS - 1), max_size=30))
def test_rows_come_in_the_order_in_which_they_are_asked_for(stored, rows):
    found = stored.take("numbers", rows, ["text", "number"])
    assert found.column_names == ["text", "number"]
    assert found["number"].to_pylist() == rows
    assert found["text"].to_pylist() == [str(row) for row in rows]


@given(row=st.integers(0, ROWS - 1))
def test_a_row_has_a_place_in_a_shard(stored, row):
    shard, place = stored.index("numbers").place(row)
    assert stored.cell("numbers", shard, place, "number") == row


def test_only_the_row_groups_of_the_rows_are_read(stored, monkeypatch):
    read = []
    usual = pq.ParquetFile.read_row_group
    monkeypatch.setattr(
        pq.ParquetFile, "read_row_group", lambda self, group, **how: read.append(group) or usual(self, group, **how)
    )
    assert stored.take("numbers", [18, 17, 0], ["number"])["number"].to_pylist() == [18, 17, 0]
    assert read == [0, 2]


def test_a_row_group_that_is_too_large_is_refused(stored, monkeypatch):
    monkeypatch.setattr(module, "_MOST_BYTES", 40)
    with pytest.raises(Refused, match="choose fewer columns"):
        stored.take("numbers", [0], ["number", "text"])


def test_a_table_that_grows_or_changes_is_counted_again(folder):
    stored = Stored(folder)
    assert (stored.names(), stored.has("numbers")) == ([], False)
    for rows, name in ((3, "00000"), (4, "00001"), (2, "00000")):
        write_shard(shard_path(folder, "numbers", name), pa.table({"number": pa.array(range(rows), pa.int64())}))
        stored.index("numbers")
    assert stored.index("numbers").rows == 6
    assert stored.names() == ["numbers"]
    assert stored.take("numbers", [1, 2], ["number"])["number"].to_pylist() == [1, 0]
