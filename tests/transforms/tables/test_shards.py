import os
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from transforms.tables.files import commit_file, commit_finished, delete_folder, exists, open_binary
from transforms.tables.rows import Image, ListedImage
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import (
    ROWS_PER_GROUP,
    filter_shard,
    iter_rows,
    iter_tables,
    read_column,
    read_footer,
    read_footers,
    read_shard,
    shard_names,
    shard_path,
    to_table,
    write_shard,
)


@dataclass(frozen=True)
class File:
    key: str
    file: bytes


SCHEMA = arrow_schema(ListedImage)


def sources(n: int) -> list[ListedImage]:
    return [ListedImage(f"id{i}", f"http://host/{i}.jpg", None if i % 2 else "cat", "{}") for i in range(n)]


def write(folder, table, name, n, **metadata):
    write_shard(shard_path(folder, table, name), to_table(sources(n), SCHEMA), metadata)


def test_a_missing_table_has_no_shards(folder):
    assert shard_names(folder, "manifest") == []
    assert shard_names(folder, "ledger/download") == []
    assert list(iter_tables(folder, "manifest")) == []
    with pytest.raises(FileNotFoundError, match="has no table manifest"):
        read_column(folder, "manifest", ["url"])


def test_an_empty_shard_is_a_shard(folder):
    write(folder, "manifest", "00000", 0)
    path = shard_path(folder, "manifest", "00000")
    assert exists(path)
    assert read_footer(path) == (0, {})
    assert read_shard(path).schema == SCHEMA
    assert list(iter_rows(path, ListedImage)) == []


@pytest.mark.parametrize("rows", [1, ROWS_PER_GROUP, 3 * ROWS_PER_GROUP + 1])
def test_rows_are_streamed_in_order_and_files_lie_in_small_groups(folder, rows):
    path = shard_path(folder, "files", "00000")
    schema = pa.schema([pa.field("key", pa.string()), pa.field("file", pa.binary())])
    write_shard(path, to_table([File(f"id{i}", b"\xff" * i) for i in range(rows)], schema))
    assert list(iter_rows(path, File)) == [File(f"id{i}", b"\xff" * i) for i in range(rows)]
    with open_binary(path) as file:
        footer = pq.read_metadata(pa.PythonFile(file, mode="r"))
    assert footer.num_row_groups == -(-rows // ROWS_PER_GROUP)


@pytest.mark.parametrize(
    ("kind", "dtype", "cells"),
    [
        (pa.list_(pa.int64()), None, [[], [0], [2**24 + 1, 2**53 + 1]]),
        (pa.list_(pa.list_(pa.float64(), 2)), None, [[[0.0, 12_345.678901]], None]),
        (pa.list_(pa.float16(), 2), "float16", [[0.5, 1.0]]),
        (pa.list_(pa.list_(pa.float32(), 2)), "float32", [[], [[0.25, 1.0]]]),
    ],
)
def test_lists_of_vectors_become_arrays_and_others_keep_their_numbers_exactly(tmp_path, kind, dtype, cells):
    @dataclass(frozen=True)
    class Row:
        cell: Any

    path = shard_path(str(tmp_path), "lists", "00000")
    write_shard(path, to_table([Row(cell) for cell in cells], pa.schema([pa.field("cell", kind)])))
    found = [row.cell for row in iter_rows(path, Row)]
    assert [cell.tolist() if isinstance(cell, np.ndarray) else cell for cell in found] == cells
    assert {cell.dtype.name for cell in found if isinstance(cell, np.ndarray)} == ({dtype} if dtype else set())


def test_shards_of_one_table_only_are_listed_sorted(folder):
    for table, name in [("a", "r1-a-00000"), ("a", "00010"), ("a", "00002"), ("ab", "00001"), ("a/b", "00007")]:
        write(folder, table, name, 1)
    with commit_file(shard_path(folder, "a", "x").replace("part-x.parquet", "_SUCCESS")) as out:
        out.write(b"")
    assert shard_names(folder, "a") == ["00002", "00010", "r1-a-00000"]
    assert shard_names(folder, "a/b") == ["00007"]


def test_footers_have_what_was_written_beside_the_rows(folder):
    write(folder, "manifest", "00000", 3, counts='{"kept": 3}', rows="3")
    write(folder, "manifest", "00001", 2)
    assert read_footer(shard_path(folder, "manifest", "00000")) == (3, {"counts": '{"kept": 3}', "rows": "3"})
    assert read_footers(folder, "manifest", []) == []
    assert read_footers(folder, "manifest", ["00001", "00000"]) == [
        (2, {}),
        (3, {"counts": '{"kept": 3}', "rows": "3"}),
    ]


def test_columns_of_all_shards_come_in_shard_order(folder):
    write(folder, "manifest", "00001", 1)
    write(folder, "manifest", "00000", 2)
    assert read_column(folder, "manifest", ["image_id"]).to_pydict() == {"image_id": ["id0", "id1", "id0"]}
    assert [table.num_rows for table in iter_tables(folder, "manifest", ["url"])] == [2, 1]


def test_a_column_that_is_not_there_is_an_error(folder):
    write(folder, "manifest", "00000", 1)
    with pytest.raises(KeyError, match="image"):
        list(iter_rows(shard_path(folder, "manifest", "00000"), Image))


def test_a_file_that_fails_half_way_never_appears(folder):
    path = shard_path(folder, "manifest", "00000")

    def fail_half_way():
        with commit_file(path) as out:
            out.write(b"half")
            raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        fail_half_way()
    assert not exists(path)
    assert shard_names(folder, "manifest") == []
    write(folder, "manifest", "00000", 2)
    with pytest.raises(ValueError, match="no more"):
        fail_half_way()
    assert read_footer(path)[0] == 2  # what was committed before stays


def test_a_finished_file_gets_its_name(folder, tmp_path):
    source = tmp_path / "finished"
    for content in (b"one", b"two"):
        source.write_bytes(content)
        commit_finished(str(source), f"{folder}/deep/file.bin")
        with open_binary(f"{folder}/deep/file.bin") as file:
            assert file.read() == content


def test_nothing_but_the_shard_is_left_on_disk(tmp_path):
    write(str(tmp_path), "manifest", "00000", 1)
    write(str(tmp_path), "manifest", "00000", 2)
    assert os.listdir(tmp_path / "manifest") == ["part-00000.parquet"]


def test_readers_see_the_old_or_the_new_file_while_one_is_written(tmp_path):
    path = str(tmp_path / "run.json")
    for content in (b"old", b"new"):
        with commit_file(path) as out:
            out.write(content)
            out.flush()
            if content == b"new":
                assert open_binary(path).read() == b"old"
    assert open_binary(path).read() == b"new"


def test_a_file_of_the_folder_one_stands_in(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with commit_file("faces.csv") as out:
        out.write(b"face_id")
    assert (tmp_path / "faces.csv").read_bytes() == b"face_id"


@pytest.mark.parametrize("name", ["shard.parquet.gz", "records.bz2"])
def test_names_never_make_a_file_compressed(folder, name):
    path = f"{folder}/{name}"
    with commit_file(path) as out:
        out.write(b"plain")
    assert open_binary(path).read() == b"plain"


def test_deleting_a_folder_deletes_it_and_nothing_beside_it(folder):
    delete_folder(f"{folder}/a")  # not there yet
    for table in ("a", "a/b", "ab"):
        write(folder, table, "00000", 1)
    delete_folder(f"{folder}/a")
    assert [shard_names(folder, table) for table in ("a", "a/b", "ab")] == [[], [], ["00000"]]


def test_deleting_takes_glob_characters_literally(tmp_path):
    for name in ("run1", "run*", "run[1]"):
        write(str(tmp_path / name), "a", "00000", 1)
    delete_folder(str(tmp_path / "run*" / "a"))
    delete_folder(str(tmp_path / "run[1]" / "a"))
    assert [(tmp_path / name / "a").exists() for name in ("run1", "run*", "run[1]")] == [True, False, False]


@pytest.mark.parametrize("rows", [0, 1, ROWS_PER_GROUP + 2])
def test_a_shard_loses_rows_and_keeps_its_columns_and_footer(folder, rows):
    path = shard_path(folder, "images", "0")
    schema = pa.schema([("key", pa.string()), ("file", pa.binary())])
    write_shard(path, pa.table([list(map(str, range(rows))), [b"x"] * rows], schema=schema), {"verdicts": "digest"})
    before = read_shard(path)

    def stays(table):
        assert table.column_names == ["key"]
        return pa.array([int(key) % 2 == 0 for key in table["key"].to_pylist()], pa.bool_())

    assert filter_shard(path, stays, ["key"]) == rows // 2
    after = read_shard(path)
    assert after.equals(before.filter(pa.array([row % 2 == 0 for row in range(rows)], pa.bool_())))
    assert after.schema.equals(before.schema, check_metadata=True)
    assert read_footer(path) == (rows - rows // 2, {"verdicts": "digest"})
    assert filter_shard(path, stays, ["key"]) == 0


def test_a_shard_of_which_no_row_goes_is_not_written(tmp_path):
    path = shard_path(str(tmp_path), "manifest", "0")
    write_shard(path, to_table(sources(3), SCHEMA))
    before = os.stat(path).st_ino
    assert filter_shard(path, lambda table: pa.array([True] * len(table)), ["image_id"]) == 0
    assert os.stat(path).st_ino == before
