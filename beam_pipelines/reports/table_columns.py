"""Which columns of a table are written out for other programs: those that are asked for, or the light ones."""

from collections.abc import Collection, Sequence

import pyarrow as pa

from beam_pipelines.errors import ConfigError
from model_handlers.named import nearest

_MOST_NUMBERS = 64  # in a cell of a light column: boxes, landmarks and keypoints are light, meshes and vectors are not


def is_light(kind: pa.DataType) -> bool:
    """Whether a cell is short: no bytes, and of a list of numbers so many at most, as its type says."""
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return False
    numbers = 1
    while pa.types.is_fixed_size_list(kind):
        numbers, kind = numbers * kind.list_size, kind.value_type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return bool(pa.types.is_string(kind.value_type))
    return numbers <= _MOST_NUMBERS


def light_columns(schema: pa.Schema) -> list[str]:
    """The columns that are written to CSV where none are named."""
    return [field.name for field in schema if is_light(field.type)]


def check_columns(target: str, wanted: Sequence[str], schema: pa.Schema, beside: Collection[str]) -> None:
    """ConfigError for a column that neither the table nor the manifest (`beside`) has, or that CSV cannot hold."""
    known = [*schema.names, *beside]
    for name in wanted:
        if name not in known:
            raise ConfigError(f"--columns {name}: there is no such column; {nearest(name, known)}")
        if name in schema.names and pa.types.is_binary(schema.field(name).type) and target.endswith(".csv"):
            raise ConfigError(f"--columns {name}: this column holds files, which CSV cannot; write to FILE.parquet.")
    if len(set(wanted)) < len(wanted):
        raise ConfigError("--columns: a column is named twice; name each once.")
