"""Opening a list that is text: unpacked if it is packed, decoded by its mark, and cut into lines of bounded length."""

import bz2
import codecs
import gzip
import io
import lzma
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import pyarrow as pa

from transforms.fetch.lists.record import MAX_RECORD
from transforms.tables.files import open_binary

PARQUET = b"PAR1"
Line = tuple[int, str | None]  # its number from 1, and the line with its end; None for one that is too long
MAX_GROWTH = 200  # times its size that a packed list unpacks to, where that is more than LARGE; text has 5 to 20
LARGE = 2**30  # bytes
_UNPACK: dict[bytes, tuple[str, Callable[[Any], Any]]] = {
    b"\x1f\x8b": ("gzip", lambda file: gzip.GzipFile(fileobj=file)),
    b"BZh": ("bzip2", bz2.BZ2File),
    b"\xfd7zXZ\0": ("xz", lzma.LZMAFile),
    b"\x28\xb5\x2f\xfd": ("zstd", lambda file: pa.CompressedInputStream(pa.PythonFile(file, mode="r"), "zstd")),
}
_DAMAGED = (OSError, EOFError, zlib.error, lzma.LZMAError)
_NO_LIST = {
    b"PK\x03\x04": "a zip archive or an Excel workbook; unpack it, or save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook; save the sheet as CSV",
    b"ARROW1": "an Arrow (Feather) file; write it as parquet",
    b"Obj\x01": "an Avro file; write it as parquet",
    b"ORC": "an ORC file; write it as parquet",
    b"\x89HDF": "an HDF5 file; write it as parquet",
    b"SQLite f": "an SQLite database; write the table as CSV",
}
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}  # in this order: UTF-32's little-endian mark begins with UTF-16's
# a unit of UTF-16 or UTF-32 that is no character becomes a lone surrogate, as a byte that is no UTF-8 does
codecs.register_error("manyfaces.lone", lambda error: ("\udfff", error.end))  # type: ignore[attr-defined]


class _Unpacked(io.RawIOBase):
    """The bytes of a packed list; ValueError if it is cut or damaged, or unpacks to much more than a list does."""

    def __init__(self, file: BinaryIO, name: str, unpack: Callable[[Any], Any]) -> None:
        size = file.seek(0, io.SEEK_END)
        file.seek(0)
        self._stream, self._name, self._count = unpack(file), name, 0
        self._most = max(LARGE, MAX_GROWTH * size)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            data = self._stream.read(len(buffer))
        except _DAMAGED as error:
            raise ValueError(f"the {self._name} file is cut or damaged ({error}); fetch or make it again.") from error
        self._count += len(data)
        if self._count > self._most:
            raise ValueError(f"the {self._name} file unpacks to more than {self._most} bytes; no list does.")
        buffer[: len(data)] = data
        return len(data)


@contextmanager
def open_text(path: str) -> Iterator[io.TextIOWrapper]:
    """The text of a list; ends of lines are as they are, and what cannot be decoded are lone surrogates."""
    with open_binary(path) as file:
        stream: Any = file
        head = first_bytes(file)
        packed = next((how for magic, how in _UNPACK.items() if head.startswith(magic)), None)
        if packed:
            stream = io.BufferedReader(_Unpacked(file, *packed), 1 << 16)
            head = stream.peek(8)[:8]
        if head.startswith(PARQUET):
            raise ValueError("this is a parquet file, packed or with the name of text; unpack it, or name it .parquet.")
        for magic, what in _NO_LIST.items():
            if head.startswith(magic):
                raise ValueError(f"this is {what}.")
        encoding = _encoding(head)
        errors = "surrogateescape" if encoding.startswith("utf-8") else "manyfaces.lone"
        yield io.TextIOWrapper(stream, encoding=encoding, errors=errors, newline="")


def first_bytes(file: BinaryIO) -> bytes:
    """The first eight bytes of a file, which is then at its start again."""
    head = file.read(8)
    file.seek(0)
    return head


def _encoding(head: bytes) -> str:
    marked = next((encoding for mark, encoding in _MARKS.items() if head.startswith(mark)), None)
    if marked or len(head) < 4:
        return marked or "utf-8"
    zeros = [byte == 0 for byte in head[:4]]  # two letters of ASCII without a mark?
    if zeros == [False, True, False, True]:
        return "utf-16-le"
    return "utf-16-be" if zeros == [True, False, True, False] else "utf-8"


def physical_lines(text: io.TextIOBase) -> Iterator[Line]:
    """The lines, which end in LF, CRLF or CR; no more than MAX_RECORD characters of a line are in memory."""
    number = 0
    while line := text.readline(MAX_RECORD):
        number += 1
        if len(line) == MAX_RECORD and line[-1] not in "\r\n":
            while (rest := text.readline(MAX_RECORD)) and rest[-1] not in "\r\n":
                pass
            yield number, None
        else:
            yield number, line
