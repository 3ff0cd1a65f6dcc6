"""How a row type, a dataclass, says what columns its table has: Arrow type, unit and meaning beside each field."""

from dataclasses import field, fields
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa

Row = TypeVar("Row")

F32 = np.ndarray[Any, np.dtype[np.float32]]
I32 = np.ndarray[Any, np.dtype[np.int32]]
Vector = np.ndarray[Any, np.dtype[np.floating[Any]]]

BOX = pa.list_(pa.float32(), 4)
POINT2 = pa.list_(pa.float32(), 2)
POINT3 = pa.list_(pa.float32(), 3)


def column(arrow: pa.DataType, meaning: str, nullable: bool = False) -> Any:
    """A dataclass field that knows its Arrow type and its meaning."""
    return field(metadata={"arrow": arrow, "meaning": meaning, "nullable": nullable})


def arrow_schema(row_type: type, **types: pa.DataType) -> pa.Schema:
    """The Arrow schema of a row type; `types` replaces column types known at run time only (a vector's length)."""
    return pa.schema(
        pa.field(
            f.name,
            types.get(f.name, f.metadata["arrow"]),
            nullable=f.metadata["nullable"],
            metadata={"meaning": f.metadata["meaning"]},
        )
        for f in fields(row_type)
    )


def key_name(row_type: type) -> str:
    """The key column of a row type: its first field."""
    return fields(row_type)[0].name


def derived(row_type: type[Row], parent: Any, **own: Any) -> Row:
    """A row of this type made of another one: fields of its own, and all others as the parent has them."""
    rest = {f.name: getattr(parent, f.name) for f in fields(row_type) if f.name not in own}  # type: ignore[arg-type]
    return row_type(**own, **rest)
