"""How large the footer of a parquet file says its columns are, before anything of them is read.

Read here and not by pyarrow, whose objects for the columns of a row group end the process where their statistics do not
fit (25.0: an exception of C++ that nothing catches). The footer is a struct of Thrift's compact protocol:
https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md, its fields are those of
https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift.
"""

import io
from dataclasses import dataclass
from typing import Any, BinaryIO

_MAX_FOOTER = 64 * 2**20  # bytes
_TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = 1, 2, 3, 7, 8, 9, 10, 11, 12
_INTEGERS = (4, 5, 6)


@dataclass(frozen=True, slots=True)
class Chunk:
    """A column in a row group: its values (of lists each), its bytes unpacked and as they are in the file."""

    values: int
    unpacked: int
    packed: int


@dataclass(frozen=True, slots=True)
class RowGroup:
    """A row group: its rows and the columns in it."""

    rows: int
    chunks: tuple[Chunk, ...]


def row_groups(file: BinaryIO) -> list[RowGroup]:
    """The row groups of a parquet file; ValueError if its footer cannot be read."""
    size = file.seek(0, io.SEEK_END)
    file.seek(max(size - 8, 0))
    length = int.from_bytes(file.read(8)[:4], "little")
    if length > min(_MAX_FOOTER, size - 8):
        raise ValueError(f"the parquet file of {size} bytes announces a footer of {length} bytes.")
    file.seek(size - 8 - length)
    try:
        footer = _Fields(file.read(length)).struct()
        return [_row_group(group) for group in footer[4]]
    except (IndexError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError("the footer of the parquet file is damaged.") from error


def _row_group(group: dict[int, Any]) -> RowGroup:
    sizes = [column[3] for column in group[1]]
    return RowGroup(int(group[3]), tuple(Chunk(int(one[5]), int(one[6]), int(one[7])) for one in sizes))


class _Fields:
    """A reader of Thrift's compact protocol; text is skipped."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def struct(self) -> dict[int, Any]:
        """The fields of a struct by their number."""
        fields: dict[int, Any] = {}
        number = 0
        while head := self._byte():
            number = number + (head >> 4) if head >> 4 else self._integer()
            kind = head & 15
            fields[number] = kind == _TRUE if kind in (_TRUE, _FALSE) else self._value(kind)
        return fields

    def _byte(self) -> int:
        self._at += 1
        return self._data[self._at - 1]

    def _varint(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value
            if shift > 63:
                raise IndexError("an integer of more than 64 bits")

    def _integer(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)

    def _value(self, kind: int) -> Any:
        if kind in (_TRUE, _FALSE, _BYTE):
            return self._byte()
        if kind in _INTEGERS:
            return self._integer()
        if kind in (_DOUBLE, _BINARY):
            length = 8 if kind == _DOUBLE else self._varint()
            self._at += length
            return None
        if kind in (_LIST, _SET):
            head = self._byte()
            count = head >> 4 if head >> 4 < 15 else self._varint()
            return [self._value(head & 15) for _ in range(count)]
        if kind == _MAP:
            count = self._varint()
            kinds = self._byte() if count else 0
            return [(self._value(kinds >> 4), self._value(kinds & 15)) for _ in range(count)]
        if kind == _STRUCT:
            return self.struct()
        raise IndexError(f"no kind of value: {kind}")
