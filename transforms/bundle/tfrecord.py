"""TFRecord files of tf.train.Example, written without TensorFlow.

A record is its length (uint64), the masked CRC-32C of those 8 bytes, the bytes, and their masked CRC-32C, all
little-endian (TensorFlow, core/lib/io/record_writer.cc). An Example is a protobuf message `Features{map<string,
Feature>}`, whose wire format is small enough to write by hand; features stand in the order of their names.
"""

import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import BinaryIO

from google_crc32c import value as crc32c

from transforms.bundle.shard_list import shard_list
from transforms.bundle.sink import Format, Sample, beside
from transforms.tables.files import commit_file

_MASK_DELTA = 0xA282EAD8
_ONE_BYTE = [bytes([value]) for value in range(0x80)]


def masked_crc(data: bytes) -> int:
    """CRC-32C rotated right by 15 bits plus a constant, so that a CRC over data with CRCs in it stays useful."""
    crc: int = crc32c(data)
    return ((crc >> 15 | crc << 17) + _MASK_DELTA) & 0xFFFFFFFF


def encode_record(payload: bytes) -> bytes:
    """The bytes of one record."""
    length = struct.pack("<Q", len(payload))
    return b"".join(
        (length, struct.pack("<I", masked_crc(length)), payload, struct.pack("<I", masked_crc(payload))),
    )


def encode_example(features: Mapping[str, bytes | int]) -> bytes:
    """A serialised tf.train.Example: bytes become a BytesList, whole numbers >= 0 an Int64List, of one value each."""
    entries = (
        _field(1, _field(1, name.encode()) + _field(2, _feature(value))) for name, value in sorted(features.items())
    )
    return _field(1, b"".join(entries))


def _feature(value: bytes | int) -> bytes:
    if isinstance(value, bytes):
        return _field(1, _field(1, value))  # Feature.bytes_list = 1, BytesList.value = 1
    return _field(3, _field(1, _varint(value)))  # Feature.int64_list = 3, Int64List.value = 1, packed


def _field(number: int, content: bytes) -> bytes:
    """A length-delimited field: tag (number, wire type 2), length, content."""
    return b"".join((_varint(number << 3 | 2), _varint(len(content)), content))


def _varint(value: int) -> bytes:
    if value < 0x80:  # nearly all of them
        return _ONE_BYTE[value]
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


class TFRecordSink:
    """Writes one Example a sample, with TensorFlow's customary names of features."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out

    def add(self, sample: Sample) -> None:
        """Append one Example."""
        meta = sample.meta
        features: dict[str, bytes | int] = {
            "image/encoded": sample.image,
            "image/format": b"jpeg",
            "image/height": meta.height,
            "image/width": meta.width,
            "image/class/label": sample.identity,
            "record": sample.record,
            "face_id": meta.face_id.encode(),
            "body_id": meta.body_id.encode(),
            "image_id": meta.image_id.encode(),
            "label": (meta.label or "").encode(),
            "source": meta.source.encode(),
        }
        self._out.write(encode_record(encode_example(features)))


@contextmanager
def open_tfrecord(stem: str) -> Iterator[TFRecordSink]:
    """Write `<stem>.tfrecord`."""
    with commit_file(f"{stem}.tfrecord") as out:
        yield TFRecordSink(out)


FORMAT = Format("tfrecord", open_tfrecord, beside(".tfrecord"), cut=True, whole=shard_list(".tfrecord"))
