"""A record of a list: what a reader of any format gives, and its cells as text and as JSON."""

import base64
import json
import math
import re
from decimal import Decimal
from typing import Any

from transforms.tables.reasons import Rejected

Record = dict[str, Any]
MAX_RECORD = 10_000_000  # characters of a record, and of one cell of a parquet file
_MAX_TEXT = 100_000  # characters of a cell that is used: URL, id, label
_BROKEN = re.compile("[\ud800-\udfff]")
# bytes that were no UTF-8 come as U+DC80 to U+DCFF ("surrogateescape")
_WINDOWS = {0xDC00 + byte: bytes([byte]).decode("cp1252", "replace") for byte in range(0x80, 0x100)}


class BadRow(str):
    """Why a row cannot be read; stands in the row's place."""

    __slots__ = ()


class LeftOut(str):
    """Why a cell is not carried; stands in the cell's place."""

    __slots__ = ()


def readable(text: str) -> str:
    """The text with each byte that was no UTF-8 read as Windows-1252, which most lists that are no UTF-8 are in.

    What cannot be read so either, such as half a character of UTF-16, becomes U+FFFD.
    """
    if text.isascii() or not _BROKEN.search(text):
        return text
    return _BROKEN.sub("\ufffd", text.translate(_WINDOWS))


def is_blank(value: Any) -> bool:
    """Whether a cell holds nothing: null, blanks, or NaN, which pandas has for it."""
    if isinstance(value, str):
        return not value.strip()
    return value is None or (isinstance(value, float) and math.isnan(value))


def cell_text(record: Record, column: str | None) -> str | None:
    """The text in a column, without blanks around it; None where there is none.

    Numbers become text; Rejected `bad_row` for lists, objects and texts of more than 100,000 characters.
    """
    value = record.get(column) if column else None
    if type(value) is not str:
        if is_blank(value):
            return None
        if isinstance(value, LeftOut):
            raise Rejected("bad_row", f"the column {column!r}: {value}")
        if not isinstance(value, str | int | float | Decimal):
            raise Rejected("bad_row", f"the column {column!r} holds no text but {type(value).__name__}")
        value = str(value)
    text = value.strip()
    if len(text) > _MAX_TEXT:
        raise Rejected("bad_row", f"the column {column!r} holds {len(text)} characters")
    return readable(text) or None


def item_url(record: Record, column: str) -> str | None:
    """The URL in a column, None where there is none; Rejected `bad_row` for what is no text in the list's encoding."""
    value = record.get(column)
    if isinstance(value, str):
        if not value.isascii() and _BROKEN.search(value):
            raise Rejected("bad_row", f"the URL holds bytes that are no text: {readable(value)[:200]}")
    elif not is_blank(value):
        raise Rejected("bad_row", f"the URL is no text but {type(value).__name__}")
    return cell_text(record, column)


def other_columns(record: Record, known: tuple[str | None, ...]) -> str:
    """The columns other than the `known` as one JSON object; Rejected `bad_row` for nesting that is too deep.

    What JSON has no type for becomes text: bytes base64; NaN, infinities and cells that were left out become null.
    """
    rest = {key: None if isinstance(value, LeftOut) else value for key, value in record.items() if key not in known}
    try:
        return readable(_to_json(rest))
    except RecursionError:
        raise Rejected("bad_row", "objects that are nested too deeply") from None


def _to_json(record: Record) -> str:
    try:
        return _encode(record)
    except ValueError:  # NaN or an infinity, which JSON lacks
        return _encode(_finite(record))


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _plain(value: Any) -> Any:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)


_encode = json.JSONEncoder(ensure_ascii=False, default=_plain, allow_nan=False).encode
