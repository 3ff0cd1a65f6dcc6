"""MXNet RecordIO: `.rec`, `.idx` and `.lst`, as `mxnet.recordio.MXIndexedRecordIO` reads them.

The format, little-endian: each part is the magic number, a word of 3 bits of flag and 29 bits of length, the bytes, and
zeros up to a multiple of 4. A record is one part (flag 0), or several where its bytes hold the magic number at a
multiple of 4: it is cut there (flags 1 first, 2 middle, 3 last) and the magic itself is left out (dmlc-core,
src/recordio.cc). A record of images starts with IRHeader: flag uint32, label float32, id uint64, id2 uint64.
"""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO
from urllib.parse import quote

from transforms.bundle.sink import Format, Sample, beside
from transforms.tables.files import commit_file

MAGIC = struct.pack("<I", 0xCED7230A)
MAX_LENGTH = (1 << 29) - 1  # bytes of a record; dmlc refuses longer ones
MAX_LABEL = 1 << 24  # whole numbers above this are not exact in float32


def header(identity: int, record: int) -> bytes:
    """The 24 bytes of IRHeader(flag 0, identity, record, 0); ValueError if the identity is not exact in float32."""
    if not 0 <= identity <= MAX_LABEL:
        raise ValueError(
            f"recordio: identity {identity} cannot be a RecordIO label, which is exact from 0 to {MAX_LABEL} only; "
            "take `recordio` out of bundle.sinks or bundle fewer identities."
        )
    return struct.pack("<IfQQ", 0, identity, record, 0)


def range_header(record: int, first: int, end: int) -> bytes:
    """The bytes of IRHeader(flag 2, [first, end], record, 0): two labels stand behind the header, float32."""
    return struct.pack("<IfQQff", 2, 0, record, 0, first, end)


def encode_record(payload: bytes) -> bytes:
    """The bytes of one record; ValueError above MAX_LENGTH."""
    if len(payload) > MAX_LENGTH:
        raise ValueError(f"recordio: a record of {len(payload)} bytes is above the format's limit of {MAX_LENGTH}.")
    pieces = _split(payload)
    last = len(pieces) - 1
    parts = []
    for place, piece in enumerate(pieces):
        flag = 0 if last == 0 else 1 if place == 0 else 3 if place == last else 2
        parts += [MAGIC, struct.pack("<I", flag << 29 | len(piece)), piece]
    return b"".join((*parts, bytes(-len(pieces[-1]) % 4)))


def _split(payload: bytes) -> list[bytes]:
    """The payload cut at every magic number that stands at a multiple of 4, without those."""
    pieces, start, found = [], 0, payload.find(MAGIC)
    while found >= 0:
        if found % 4 == 0:
            pieces.append(payload[start:found])
            start = found + 4
        found = payload.find(MAGIC, found + 1)
    return [*pieces, payload[start:]]


def read_records(file: BinaryIO) -> Iterator[bytes]:
    """The records that `encode_record` wrote, one after another; ValueError where the file is damaged."""
    pieces: list[bytes] = []
    while start := file.read(8):
        if len(start) < 8 or start[:4] != MAGIC:
            raise ValueError("recordio: the file is damaged: no record begins where one should.")
        word = int.from_bytes(start[4:], "little")
        flag, length = word >> 29, word & MAX_LENGTH
        piece = file.read(length + -length % 4)
        if len(piece) < length:
            raise ValueError("recordio: the file is damaged: its last record is cut short.")
        pieces.append(piece[:length])
        if flag in (0, 3):
            yield MAGIC.join(pieces)
            pieces = []


class RecordIOSink:
    """Writes records, the index `record<tab>offset` and the list `record<tab>label<tab>name`."""

    def __init__(self, rec: BinaryIO, idx: BinaryIO, lst: BinaryIO) -> None:
        self._rec, self._idx, self._lst = rec, idx, lst
        self._offset = 0

    def add(self, sample: Sample) -> None:
        """Append one record; in the list, what is no plain character of a path is percent-encoded."""
        encoded = encode_record(header(sample.identity, sample.record) + sample.image)
        self._rec.write(encoded)
        self._idx.write(f"{sample.record}\t{self._offset}\n".encode())
        self._lst.write(f"{sample.record}\t{sample.identity:.6f}\t{quote(sample.meta.key)}.jpg\n".encode())
        self._offset += len(encoded)


@contextmanager
def open_recordio(stem: str) -> Iterator[RecordIOSink]:
    """Write `<stem>.rec`, then `<stem>.lst` and `<stem>.idx`: an index never appears before its records."""
    with commit_file(f"{stem}.idx") as idx, commit_file(f"{stem}.lst") as lst, commit_file(f"{stem}.rec") as rec:
        yield RecordIOSink(rec, idx, lst)


FORMAT = Format("recordio", open_recordio, beside(".rec", ".idx", ".lst"))
