"""Rows of strangers' text as CSV that is safe to open in a spreadsheet."""

import codecs
import csv
import re
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO

_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")  # what makes a spreadsheet take a cell for a formula
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
