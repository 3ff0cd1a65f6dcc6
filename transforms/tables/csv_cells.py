"""The one writer of CSV: strangers' text in it is safe to open in a spreadsheet."""

import codecs
import csv
import json
import re
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa

# what makes a spreadsheet take a cell for a formula; in East Asia the wide forms too
_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_BATCH_ROWS = 4096
_SHORT = {pa.float32(): np.float32, pa.float16(): np.float16}  # which are written with as many digits as they hold
_HARMLESS = re.compile(r"[\w./-]*", re.ASCII)  # nothing in it calls or computes: an id that begins with a dash stays


def safe_cell(value: Any) -> Any:
    """The value as a CSV cell; text that a spreadsheet would compute gets an apostrophe before it (OWASP's advice).

    Ids and paths (letters, digits, `_ . / -`) stay as they are, whatever they begin with, so that they can be joined.
    """
    if isinstance(value, str) and value.startswith(_STARTS) and not _HARMLESS.fullmatch(value):
        return f"'{value}"
    return value


def csv_rows(out: BinaryIO) -> Callable[[Sequence[Any]], None]:
    """A function that writes a row to the file: UTF-8, RFC 4180, None is an empty cell."""
    # lines end with both characters, the default, since only then a cell with one of them is quoted
    writer = csv.writer(codecs.getwriter("utf-8")(out))
    return lambda row: writer.writerow([safe_cell(value) for value in row])


def write_csv(table: pa.Table, out: BinaryIO) -> None:
    """Write a table with a header; lists and objects are JSON, and float32 has no more digits than it holds."""
    write = csv_rows(out)
    write(table.column_names)
    for batch in table.to_batches(_BATCH_ROWS):
        for row in zip(*map(_cells, batch.columns), strict=True):
            write(row)


def _cells(column: pa.Array) -> list[Any]:
    values = column.to_pylist()
    if pa.types.is_nested(column.type):
        return [None if value is None else json.dumps(value, ensure_ascii=False, default=str) for value in values]
    if column.type in _SHORT:
        short = _SHORT[column.type]
        return [None if value is None else str(short(value)) for value in values]
    return values  # type: ignore[no-any-return]
