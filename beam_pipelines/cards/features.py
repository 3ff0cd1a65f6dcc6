"""The types of columns as Hugging Face `datasets` names them in the head of a dataset card."""

from collections.abc import Iterable
from typing import Any

import pyarrow as pa

Feature = dict[str, Any]

_IMAGE = "image"  # bytes of a picture file: `datasets` decodes them, whatever the parquet file calls them
_NAMES = {  # where Arrow's own name is another
    pa.large_string(): "string",
    pa.float16(): "float16",
    pa.float32(): "float32",
    pa.float64(): "float64",
}


def features(fields: Iterable[pa.Field]) -> list[Feature]:
    """The columns in order, each with `name` and its type.

    Every binary column holds picture files. Lists are written as `sequence`, which all versions of `datasets` read.
    """
    return [{"name": field.name, **_feature(field.type)} for field in fields]


def _feature(kind: pa.DataType) -> Feature:
    if pa.types.is_binary(kind):
        return {"dtype": _IMAGE}
    if pa.types.is_struct(kind):
        return {"struct": features(kind)}
    if pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind):
        inner = _feature(kind.value_type)
        length = {"length": kind.list_size} if pa.types.is_fixed_size_list(kind) else {}
        return {"sequence": inner["dtype"] if set(inner) == {"dtype"} else inner, **length}
    return {"dtype": _NAMES.get(kind, str(kind))}
