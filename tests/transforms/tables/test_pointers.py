import numpy as np
import pyarrow as pa
import pytest

from tests.transforms.bundle.synthetic_run import body_row, write_rows
from transforms.tables import lookup, pointers
from transforms.tables.pointers import RowReader, locate


def write_bodies(run: str, name: str, numbers: list[int]) -> None:
    write_rows(run, "bodies", name, [body_row(n, b"crop %d" % n, 4, 4) for n in numbers])


def found(run: str, numbers: list[int]) -> list[tuple[str, int]]:
    wanted = pa.array([f"i{n}-b0" for n in numbers], pa.large_string())
    at = locate(run, "bodies", "body_id", wanted)
    return [(at.names[shard], int(row)) for shard, row in zip(at.shard, at.row, strict=True)]


def test_nothing_wanted_of_nothing(folder):
    assert found(folder, []) == []


def test_a_missing_row_is_a_clear_error(folder):
    write_bodies(folder, "00000", [1])
    with pytest.raises(ValueError, match=r"bodies has no row for 2 of the kept faces \(first: body_id i7-b0\)"):
        found(folder, [1, 7, 8])


@pytest.mark.parametrize("at_once", [1, 3, 1 << 20])
def test_rows_are_found_in_whatever_shard_they_are(folder, monkeypatch, at_once):
    monkeypatch.setattr(lookup, "LEAST_AT_ONCE", at_once)
    write_bodies(folder, "00000", [3, 1])
    write_bodies(folder, "00001", [])
    write_bodies(folder, "r1-faces-00000", [2, 1, 9])
    assert found(folder, [9, 1, 3]) == [("r1-faces-00000", 2), ("00000", 1), ("00000", 0)]


def test_reading_by_pointer_in_any_order_and_one_pass_in_order(folder, monkeypatch):
    names = [f"{n:05d}" for n in range(12)]
    for place, name in enumerate(names):
        write_bodies(folder, name, list(range(place * 300, place * 300 + 300)))
    groups = []
    reading = pointers.pq.ParquetFile.read_row_group
    monkeypatch.setattr(
        pointers.pq.ParquetFile, "read_row_group", lambda self, i, c: groups.append(i) or reading(self, i, c)
    )
    with RowReader(folder, "bodies", ["crop"]) as reader:
        for place, name in enumerate(names):
            for row in range(0, 300, 7):
                assert reader.read(name, row) == {"crop": b"crop %d" % (place * 300 + row)}
                assert reader.read(names[0], 0) == {"crop": b"crop 0"}  # a row of another shard in between
        in_order = len(groups)
        for flat in np.random.default_rng(0).permutation(3600)[:50].tolist():
            assert reader.read(names[flat // 300], flat % 300) == {"crop": b"crop %d" % flat}
    assert in_order == 12 * 3  # each row group once
