import pyarrow as pa
import pytest

from tests.transforms.bundle.synthetic_run import identity_row, write_run
from transforms.bundle.plan import INDEX, kept_faces, write_index
from transforms.tables.rows import Identity
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import read_shard, shard_names, shard_path, to_table, write_shard


def index(run: str) -> pa.Table:
    return pa.concat_tables(read_shard(shard_path(run, INDEX, name)) for name in shard_names(run, INDEX))


def write_identities(run: str, rows: list[Identity]) -> None:
    write_shard(shard_path(run, "identities", "00000"), to_table(rows, arrow_schema(Identity)))


def test_no_identity_makes_no_file(folder):
    write_identities(folder, [])
    assert write_index(folder, 10) == 0
    write_identities(folder, [identity_row(1, None)])
    assert write_index(folder, 10) == 0
    assert shard_names(folder, INDEX) == []


def test_numbers_follow_identities_and_files_follow_the_shards(folder):
    write_run(folder, [[5, 3, 8], [1, 9, 2]], {5: 1, 3: 0, 8: None, 1: 1, 9: 0, 2: 1}, frozenset())
    assert write_index(folder, 2) == 3
    table = index(folder)
    assert table["body_id"].to_pylist() == ["i5-b0", "i3-b0", "i1-b0", "i9-b0", "i2-b0"]
    assert table["record"].to_pylist() == [4, 0, 2, 1, 3]  # by (identity, face_id): i3 i9, i1 i2 i5
    assert table["identity"].to_pylist() == [1, 0, 1, 0, 1]
    assert table["file"].to_pylist() == [0, 0, 1, 1, 2]
    assert table["label"].to_pylist() == ["query 2", "query 0", "query 1", "query 0", "query 2"]
    assert table["body_shard"].to_pylist() == table["face_shard"].to_pylist() == ["00000"] * 2 + ["00001"] * 3
    assert table["body_row"].to_pylist() == table["face_row"].to_pylist() == [0, 1, 0, 1, 2]


def test_a_face_that_stands_twice_is_refused(folder):
    write_identities(folder, [identity_row(1, 0), identity_row(1, 0)])
    with pytest.raises(ValueError, match="stands twice"):
        kept_faces(folder)


def test_records_have_no_gaps_where_numbers_of_identities_have(folder):
    write_identities(folder, [identity_row(1, 7), identity_row(2, 2), identity_row(3, 7)])
    kept = kept_faces(folder)
    assert kept["record"].to_pylist() == [0, 1, 2]
    assert kept["identity"].to_pylist() == [2, 7, 7]
