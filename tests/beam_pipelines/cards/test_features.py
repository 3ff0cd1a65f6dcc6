"""Types of columns as a dataset card names them."""

from dataclasses import is_dataclass

import pyarrow as pa
import pytest

from beam_pipelines.cards.features import features
from transforms.tables import cover_rows, person_rows, rows, track_rows, video_rows
from transforms.tables.schemas import arrow_schema

CASES = {
    pa.string(): {"dtype": "string"},
    pa.large_string(): {"dtype": "string"},
    pa.bool_(): {"dtype": "bool"},
    pa.int32(): {"dtype": "int32"},
    pa.float32(): {"dtype": "float32"},
    pa.binary(): {"dtype": "image"},
    pa.timestamp("us"): {"dtype": "timestamp[us]"},
    pa.list_(pa.float64()): {"sequence": "float64"},
    pa.list_(pa.float16(), 3): {"sequence": "float16", "length": 3},
    pa.list_(pa.list_(pa.float32(), 3), 17): {"sequence": {"sequence": "float32", "length": 3}, "length": 17},
    pa.list_(pa.list_(pa.float32(), 4)): {"sequence": {"sequence": "float32", "length": 4}},
    pa.struct([("a", pa.int64())]): {"struct": [{"name": "a", "dtype": "int64"}]},
}
ROWS = [
    one
    for module in (cover_rows, person_rows, rows, track_rows, video_rows)
    for one in vars(module).values()
    if isinstance(one, type) and is_dataclass(one)
]


@pytest.mark.parametrize(("kind", "feature"), CASES.items(), ids=map(str, CASES))
def test_a_type_has_the_name_of_datasets(kind, feature):
    assert features([pa.field("x", kind)]) == [{"name": "x", **feature}]


@pytest.mark.frameworks
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.__name__)
def test_datasets_understands_the_columns_of_every_table_and_reads_their_rows(row):
    from datasets import Features
    from datasets.table import table_cast

    schema = arrow_schema(row)
    made = Features._from_yaml_list(features(schema))
    assert list(made) == schema.names
    assert table_cast(schema.empty_table(), made.arrow_schema).num_rows == 0
    for field in schema:
        assert pa.types.is_struct(made.arrow_schema.field(field.name).type) == pa.types.is_binary(field.type)
