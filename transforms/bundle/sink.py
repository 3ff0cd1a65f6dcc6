"""What every bundle format is: a context manager over a path stem that takes samples and commits its files at the end.

A sink's files appear when the block ends without an error, each whole or not at all.
"""

import json
from dataclasses import asdict, dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Meta:
    """Where a sample comes from; `key` is the id of the row that the image was cut for (body_id or face_id)."""

    key: str
    face_id: str
    body_id: str
    image_id: str
    label: str | None
    source: str  # the manifest's other columns, JSON
    width: int  # of the image as written, pixels
    height: int


@dataclass(frozen=True, slots=True)
class Sample:
    """One image of the bundle: `image` is a JPEG file, `record` its number, `identity` its class."""

    record: int
    identity: int
    image: bytes
    meta: Meta

    def describe(self) -> str:
        """The sample without its image as one line of JSON, keys sorted."""
        values = {"record": self.record, "identity": self.identity, **asdict(self.meta)}
        values["source"] = json.loads(self.meta.source)
        return json.dumps(values, sort_keys=True, ensure_ascii=False)


class Sink(Protocol):
    """Takes samples, in the order in which they are to stand in the file."""

    def add(self, sample: Sample) -> None:
        """Append one sample; ValueError if the format cannot hold it."""
