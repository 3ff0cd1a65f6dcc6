"""Samples for the tests of the sinks."""

from transforms.bundle.sink import Meta, Sample
from transforms.tables.files import open_binary


def sample(record: int, identity: int, image: bytes, key: str = "a-b0") -> Sample:
    return Sample(record, identity, image, Meta(key, "a-b0-f0", "a-b0", "a", "query", '{"page": 7}', 4, 5))


def read(path: str) -> bytes:
    with open_binary(path) as file:
        return file.read()
