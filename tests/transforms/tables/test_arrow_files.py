import pyarrow as pa
import pyarrow.dataset as ds
import pytest

from transforms.tables.arrow_files import reading
from transforms.tables.shards import shard_path, write_shard

TABLE = pa.table({"id": ["a", "b", "c"], "value": [1, 2, 3]})


@pytest.fixture
def paths(folder):
    found = [shard_path(folder, "numbers", name) for name in ("00000", "00001")]
    for path, start in zip(found, (0, 2), strict=True):
        write_shard(path, TABLE.slice(start, 2))
    return found


def test_no_files_are_no_rows(folder):
    assert ds.dataset([], format="parquet", filesystem=reading(), schema=TABLE.schema).count_rows() == 0


def test_a_dataset_reads_the_columns_and_rows_that_are_asked_for(paths):
    table = ds.dataset(paths, format="parquet", filesystem=reading())
    assert table.to_table().equals(TABLE)
    assert table.to_table(columns=["id"], filter=ds.field("value") > 1)["id"].to_pylist() == ["b", "c"]
    assert table.count_rows() == 3


def test_a_file_that_is_not_there_is_said_to_be_missing(paths):
    with pytest.raises(FileNotFoundError):
        ds.dataset([*paths, f"{paths[0]}.gone"], format="parquet", filesystem=reading()).to_table()


def test_nothing_can_be_written(paths):
    with pytest.raises(NotImplementedError, match="only read"):
        reading().delete_file(paths[0])
