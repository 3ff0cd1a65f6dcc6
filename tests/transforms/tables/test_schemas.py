import math
from dataclasses import fields

import numpy as np
import pyarrow as pa
import pytest

from transforms.tables import rows, schemas
from transforms.tables.shards import iter_rows, read_shard, shard_path, to_table, write_shard

ROW_TYPES = [
    rows.ListedImage,
    rows.Image,
    rows.Body,
    rows.Face,
    rows.Embedding,
    rows.Edge,
    rows.Identity,
    rows.LedgerEntry,
    rows.Retry,
]


def inner_most(arrow):
    if pa.types.is_nested(arrow):
        return inner_most(arrow.value_type)
    return {pa.float16(): np.float16, pa.float32(): np.float32}[arrow]


def example(arrow):
    """A value of an Arrow type that no default could be mistaken for."""
    if pa.types.is_string(arrow):
        return "naïve \N{CAT FACE}"
    if pa.types.is_binary(arrow):
        return b"\xff\xd8\x00"
    if pa.types.is_boolean(arrow):
        return True
    if pa.types.is_integer(arrow):
        return 7
    if pa.types.is_floating(arrow):
        return 0.25
    inner = arrow.value_type
    size = arrow.list_size if pa.types.is_fixed_size_list(arrow) else 3
    shape = (size, inner.list_size) if pa.types.is_fixed_size_list(inner) else (size,)
    return np.arange(math.prod(shape), dtype=inner_most(inner)).reshape(shape)


@pytest.mark.parametrize("row_type", ROW_TYPES)
def test_the_first_column_is_the_key_and_every_column_has_a_meaning(row_type):
    schema = schemas.arrow_schema(row_type)
    assert schema.names == [f.name for f in fields(row_type)]
    assert not schema.field(0).nullable
    assert pa.types.is_string(schema.field(0).type)
    assert all(f.metadata[b"meaning"] for f in schema)


@pytest.mark.parametrize("row_type", ROW_TYPES)
def test_rows_come_back_as_they_went(row_type, folder):
    schema = schemas.arrow_schema(row_type)
    full = row_type(**{f.name: example(f.type) for f in schema})
    empty = row_type(**{f.name: None if f.nullable else example(f.type) for f in schema})
    path = shard_path(folder, "table", "00000")
    write_shard(path, to_table([full, empty], schema))
    stored = read_shard(path).schema
    assert stored == schema
    assert [f.metadata[b"meaning"] for f in stored] == [f.metadata[b"meaning"] for f in schema]
    back = list(iter_rows(path, row_type))
    for written, read in zip([full, empty], back, strict=True):
        for f in fields(row_type):
            np.testing.assert_array_equal(getattr(written, f.name), getattr(read, f.name), f.name, strict=True)


@pytest.mark.parametrize("row_type", ROW_TYPES)
def test_no_rows_make_a_table_of_the_schema(row_type):
    schema = schemas.arrow_schema(row_type)
    assert to_table([], schema).schema == schema


def test_a_vectors_length_is_given_at_run_time(folder):
    schema = schemas.arrow_schema(rows.Embedding, vector=pa.list_(pa.float16(), 4))
    row = rows.Embedding("f", "b", "i", None, "{}", 0.9, 80.0, np.array([0.5, 1, 2, -3], np.float16), 3.8, "model")
    path = shard_path(folder, "embeddings", "00000")
    write_shard(path, to_table([row], schema))
    assert read_shard(path).schema.field("vector").type == pa.list_(pa.float16(), 4)
    (back,) = iter_rows(path, rows.Embedding)
    np.testing.assert_array_equal(back.vector, np.array([0.5, 1, 2, -3], np.float16), strict=True)


def test_a_vector_of_another_length_is_an_error():
    schema = schemas.arrow_schema(rows.Embedding, vector=pa.list_(pa.float16(), 4))
    row = rows.Embedding("f", "b", "i", None, "{}", 0.9, 80.0, np.zeros(5, np.float16), 0.0, "model")
    with pytest.raises(pa.ArrowInvalid):
        to_table([row], schema)


@pytest.mark.parametrize("row_type", ROW_TYPES)
def test_null_in_a_column_that_has_none_is_an_error(row_type, tmp_path):
    schema = schemas.arrow_schema(row_type)
    key = schema.field(0).name
    row = row_type(**{f.name: None if f.name == key else example(f.type) for f in schema})
    with pytest.raises((pa.ArrowInvalid, ValueError)):
        write_shard(str(tmp_path / "part-0.parquet"), to_table([row], schema))
    assert list(tmp_path.iterdir()) == []
