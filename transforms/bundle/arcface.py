"""A training set as insightface and MXNet's users know it: ONE `train.rec` of aligned faces, `train.idx`, `property`.

Records 1 to N are the faces, numbered by identity, so that the faces of one are a range of numbers; the label is the
identity, 0 to K-1 without gaps. Record 0 has two labels: N + 1, which is the number of the first record of an identity,
and N + 1 + K, behind the last. The record of an identity has two labels too: the number of its first face, and the one
behind its last. `property` is `K,112,112`. So insightface's MXFaceDataset and FaceImageIter read it.

The files of the bundle are written in parallel, so the faces first go to parts, RecordIO files whose records have the
number of the bundle and no label. One worker then reads each part once, a record at a time, and gives the records
their numbers and labels. The parts stay, so that after a change only those that changed are made anew.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from apache_beam.io.filesystems import FileSystems

from model_handlers.geometry import ARCFACE_SIDE
from transforms.bundle.recordio import MAX_LABEL, encode_record, header, range_header, read_records
from transforms.bundle.sink import Format, Numbers, Part, Sample, Splits, Whole
from transforms.tables.files import commit_file, open_binary

REC, IDX, PROPERTY = "train.rec", "train.idx", "property"
PARTS, SPLITS = "parts", "splits"  # folders
_HEADER = len(header(0, 0))


class PartSink:
    """Writes the faces of one bundle file."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out

    def add(self, sample: Sample) -> None:
        """Append one face."""
        self._out.write(encode_record(header(0, sample.record) + sample.image))


@contextmanager
def open_part(stem: str) -> Iterator[PartSink]:
    """Write the part of this stem."""
    with commit_file(part_file(stem)) as out:
        yield PartSink(out)


def part_file(stem: str) -> str:
    """The path of a part."""
    folder, name = FileSystems.split(stem)
    return str(FileSystems.join(folder, PARTS, f"{name}.rec"))


def part_files(stem: str, records: Numbers, identities: Numbers) -> list[str]:
    """The one file of a part."""
    return [part_file(stem)]


@dataclass(frozen=True, slots=True, eq=False)
class Numbering:
    """records (N,), ascending: the faces by their number in the bundle; that of `records[i]` in the set is i + 1.

    label (N,): identity of each face, 0 to K-1. ranges (K + 1,): the number in the set of the first face of each
    identity; the last is N + 1.
    """

    records: Numbers
    label: Numbers
    ranges: Numbers


def number(records: Numbers, identities: Numbers) -> Numbering:
    """The numbering of faces (N,), which the bundle numbers by identity.

    ValueError if there are more records than a float32 label can count.
    """
    order = np.argsort(records)
    people, first, label = np.unique(identities[order], return_index=True, return_inverse=True)
    if len(records) + len(people) + 1 > MAX_LABEL:
        raise ValueError(
            f"arcface: {len(records)} faces of {len(people)} identities are more records than a label can count, "
            f"which is exact up to {MAX_LABEL} only; take `arcface` out of bundle.sinks."
        )
    return Numbering(records[order], label.astype(np.int64), np.append(first, len(records)).astype(np.int64) + 1)


def set_files(splits: Splits) -> Iterator[str]:
    """The files of the set of all faces, and in a folder of its own of the set of each split."""
    for folder in ("", *(f"{SPLITS}/{name}/" for name in splits)):
        yield from (folder + name for name in (REC, IDX, PROPERTY))


def write_sets(folder: str, parts: Sequence[Part], splits: Splits) -> None:
    """Write the set of all faces, and of each split that of the faces of its identities."""
    records = np.concatenate([np.zeros(0, np.int64), *(part.records for part in parts)])
    identities = np.concatenate([np.zeros(0, np.int64), *(part.identities for part in parts)])
    write_set(folder, parts, number(records, identities))
    for name, chosen in splits.items():
        own = np.isin(identities, chosen)
        write_set(str(FileSystems.join(folder, SPLITS, name)), parts, number(records[own], identities[own]))


def write_set(folder: str, parts: Sequence[Part], numbering: Numbering) -> None:
    """Write `train.rec`, and then its index: that never appears before its records."""
    rec_path, idx_path, property_path = (str(FileSystems.join(folder, name)) for name in (REC, IDX, PROPERTY))
    count, people = len(numbering.records), len(numbering.ranges) - 1
    offsets = np.zeros(count + people + 1, np.int64)
    with commit_file(property_path) as out:
        out.write(f"{people},{ARCFACE_SIDE},{ARCFACE_SIDE}\n".encode())
    with commit_file(idx_path) as idx, commit_file(rec_path) as rec:
        at = 0
        for record, payload in _records(parts, numbering):
            offsets[record] = at
            at += rec.write(encode_record(payload))
        for record, offset in enumerate(offsets.tolist()):
            idx.write(b"%d\t%d\n" % (record, offset))


def _records(parts: Sequence[Part], numbering: Numbering) -> Iterator[tuple[int, bytes]]:
    """Every record of a set with its number, in the order of the file."""
    count, people = len(numbering.records), len(numbering.ranges) - 1
    yield 0, range_header(0, count + 1, count + 1 + people)
    for part in parts:
        places = np.searchsorted(numbering.records, part.records)
        known = np.isin(part.records, numbering.records, assume_unique=True)
        with open_binary(part_file(part.stem)) as file:
            for place, is_in, stored in zip(places.tolist(), known.tolist(), read_records(file), strict=True):
                if is_in:
                    yield place + 1, header(int(numbering.label[place]), place + 1) + stored[_HEADER:]
    for identity in range(people):
        first, end = numbering.ranges[identity : identity + 2].tolist()
        yield count + 1 + identity, range_header(count + 1 + identity, first, end)


FORMAT = Format(
    "arcface",
    open_part,
    part_files,
    pictures=("aligned",),
    whole=Whole(set_files, write_sets),
    most=MAX_LABEL - 2,
)
