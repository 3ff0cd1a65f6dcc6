"""What every format of a bundle is: something that takes samples, and says which files it makes of them."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from functools import partial
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray


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


Numbers = NDArray[np.int64]
Splits = Mapping[str, Numbers]  # name -> the identities of the split
Picture = Literal["body", "face", "aligned"]  # aligned: the face at its place in ArcFace's square of 112 pixels


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """What stands under one stem: the numbers (N,) and classes (N,) of its samples, in the file's order."""

    stem: str
    records: Numbers
    identities: Numbers


@dataclass(frozen=True, slots=True)
class Whole:
    """What a format makes of all that it has written, once everything is there.

    files(splits): the paths of these files below the format's folder.
    write(folder, parts, splits): writes them, each whole or not at all; `parts` are all parts of the bundle, in order.
    """

    files: Callable[[Splits], Iterable[str]]
    write: Callable[[str, Sequence[Part], Splits], None]


@dataclass(frozen=True, slots=True)
class Format:
    """A way to write samples. They go to paths that begin with a `stem`, `<folder>/<name>`: a part of the bundle.

    name: of its folder, below those of bodies and faces; no other format of a bundle has it.
    open(stem): takes the samples of one part. Each file that it writes appears whole or not at all; one that
    holds several samples appears when the block ends without an error.
    files(stem, records, identities): all paths that it writes for the samples with these numbers (N,) and classes (N,).
    Whatever else is found in its folder is deleted, so that nothing of an earlier bundle stays.
    pictures: what of a person it writes. cut: its parts have bundle.samples_per_file samples, else they are the
    bundle's files. whole: what it makes of all parts. most: samples that it can hold.
    """

    name: str
    open: Callable[[str], AbstractContextManager[Sink]]
    files: Callable[[str, Numbers, Numbers], Iterable[str]]
    pictures: tuple[Picture, ...] = ("body", "face")
    cut: bool = False
    whole: Whole | None = None
    most: int | None = None


def beside(*suffixes: str) -> Callable[[str, Numbers, Numbers], list[str]]:
    """The `files` of a format that writes `<stem><suffix>` for each suffix, whatever the samples."""
    return partial(_suffixed, suffixes)


def _suffixed(suffixes: tuple[str, ...], stem: str, records: Numbers, identities: Numbers) -> list[str]:
    return [stem + suffix for suffix in suffixes]
