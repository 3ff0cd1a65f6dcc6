"""Arrow's values as Python's, the same whatever is installed, without an error for any of them.

Times are ISO 8601 (those with a zone in UTC, years beyond 9999 and nanoseconds as NumPy writes them), durations are
seconds, decimals text. Bytes that are text become text, others base64. Text that is no UTF-8 has lone surrogates.
"""

import base64
from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from transforms.fetch.lists.record import MAX_RECORD, LeftOut

_UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}  # in a second
_DAY = 86_400
_EPOCH = datetime(1970, 1, 1)
_EARLIEST = -62_135_596_800  # seconds: the first of year 1
_LATEST = 253_402_300_799  # the last of year 9999
_MAX_VALUES = 1_000_000  # of one nested cell
_TEXT = (types.is_string, types.is_large_string, types.is_string_view)
_BYTES = (types.is_binary, types.is_large_binary, types.is_binary_view, types.is_fixed_size_binary)
_CONTROL = frozenset(range(32)) - {9, 10, 13}


class _TooLarge(Exception):
    pass


def cells(column: pa.Array, used: bool, name: str, left_out: Counter[str]) -> list[Any]:
    """The values of a column; bytes of a `used` one are text in any case. LeftOut, counted, for those too large."""
    values = _values(column, used)
    for place, value in enumerate(values):
        if isinstance(value, str) and (isinstance(value, LeftOut) or len(value) > MAX_RECORD):
            values[place] = value if isinstance(value, LeftOut) else LeftOut(f"{len(value)} characters")
            left_out[name] += 1
    return values


def _values(column: pa.Array, used: bool) -> list[Any]:
    kind = column.type
    if isinstance(column, pa.ExtensionArray):
        return _values(column.storage, used)
    if types.is_dictionary(kind):
        return _of_dictionary(column, used)
    if types.is_null(kind) or types.is_boolean(kind) or types.is_integer(kind) or types.is_floating(kind):
        return column.to_pylist()  # type: ignore[no-any-return]
    if _is_text(kind) or _is_bytes(kind):
        return _texts(column, used)
    return [_nested(scalar) for scalar in column]


def _of_dictionary(column: pa.DictionaryArray, used: bool) -> list[Any]:
    """Each value of the dictionary is made once, and only those that are there."""
    there = pc.unique(column.indices.drop_null())
    values = dict(zip(there.to_pylist(), _values(column.dictionary.take(there), used), strict=True))
    return [None if place is None else values[place] for place in column.indices.to_pylist()]


def _is_text(kind: pa.DataType) -> bool:
    return any(is_kind(kind) for is_kind in _TEXT)


def _is_bytes(kind: pa.DataType) -> bool:
    return any(is_kind(kind) for is_kind in _BYTES)


def _texts(column: pa.Array, used: bool) -> list[Any]:
    if _is_text(column.type):
        try:
            return column.to_pylist()  # type: ignore[no-any-return]
        except UnicodeDecodeError:
            column = column.cast(pa.large_binary())
            used = True  # it is text, if broken
    return [None if value is None else _text_of(value, used) for value in column.to_pylist()]


def _text_of(value: bytes, is_text: bool) -> str:
    if is_text:
        return value.decode("utf-8", "surrogateescape")
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return base64.b64encode(value).decode()
    return text if _CONTROL.isdisjoint(value) else base64.b64encode(value).decode()


def _nested(scalar: pa.Scalar) -> Any:
    try:
        return _plain(scalar, [_MAX_VALUES, MAX_RECORD])
    except _TooLarge:
        return LeftOut(f"more than {_MAX_VALUES} values or {MAX_RECORD} characters")


def _plain(scalar: pa.Scalar, left: list[int]) -> Any:
    """A scalar of any type; `left` are the values and characters that may still come."""
    kind = scalar.type
    if not scalar.is_valid:
        return None
    if types.is_dictionary(kind) or isinstance(scalar, pa.ExtensionScalar):
        return _plain(scalar.value, left)
    if types.is_map(kind) or (types.is_nested(kind) and not types.is_struct(kind)):
        if types.is_union(kind):
            return _plain(scalar.value, left)
        return [_plain(item, left) for item in _counted(scalar.values, left)]
    if types.is_struct(kind):
        names = [kind.field(place).name for place in range(kind.num_fields)]
        return {name: _plain(scalar[place], left) for place, name in enumerate(names)}
    value = _leaf(scalar)
    if isinstance(value, str):
        left[1] -= len(value)
        if left[1] < 0:
            raise _TooLarge
    return value


def _counted(values: Any, left: list[int]) -> Any:
    left[0] -= len(values)
    if left[0] < 0:
        raise _TooLarge
    return values


def _leaf(scalar: pa.Scalar) -> Any:
    kind = scalar.type
    if _is_text(kind) or _is_bytes(kind):
        buffer = scalar.as_buffer()
        return _text_of(buffer.to_pybytes(), _is_text(kind))
    if types.is_temporal(kind):
        return _time(scalar)
    if types.is_decimal(kind):
        return str(scalar.as_py())
    value = scalar.as_py()
    return value if isinstance(value, bool | int | float) else str(value)


def _time(scalar: pa.Scalar) -> Any:
    kind = scalar.type
    if types.is_interval(kind):
        return str(scalar.as_py())
    value = scalar.value
    if types.is_date(kind):
        days = value if types.is_date32(kind) else value // (_DAY * 1000)
        return _date(days)
    unit = _UNITS[kind.unit]
    if types.is_duration(kind):
        return value / unit
    if types.is_time(kind):
        return _moment(value % (_DAY * unit), kind.unit)[11:]
    return _moment(value, kind.unit) + ("+00:00" if kind.tz else "")


def _date(days: int) -> str:
    if _EARLIEST <= days * _DAY <= _LATEST:
        return (date(1970, 1, 1) + timedelta(days)).isoformat()
    return str(np.datetime64(days, "D"))


def _moment(value: int, unit: str) -> str:
    """ISO 8601 of so many units since 1970: to the microsecond as `datetime` writes it, where it can."""
    seconds, rest = divmod(value, _UNITS[unit])
    microseconds = rest * 10**6 // _UNITS[unit]
    if not _EARLIEST <= seconds <= _LATEST or microseconds * _UNITS[unit] != rest * 10**6:
        return str(np.array(value, np.int64).view(f"datetime64[{unit}]"))
    return (_EPOCH + timedelta(seconds=seconds, microseconds=microseconds)).isoformat()
