"""The pictures of faces, as they stand in the run's table `faces`."""

from collections.abc import Iterator, Sequence

import numpy as np

from model_handlers.interface import Array
from transforms.images.drawing import thumbnail
from transforms.persons.appearances import I64
from transforms.tables.pointers import Pointers, RowReader


def spread(rows: I64, most: int | None) -> I64:
    """At most so many of these rows (M,), evenly from the first to the last; None: all."""
    if most is None or len(rows) <= most:
        return rows
    return rows[np.linspace(0, len(rows) - 1, most).round().astype(np.int64)]


def read_crops(run: str, crops: Pointers, rows: I64) -> Iterator[tuple[int, bytes]]:
    """Each of these rows with its picture, a JPEG file, in the order in which they stand in the table."""
    order = np.lexsort((crops.row[rows], crops.shard[rows]))
    with RowReader(run, "faces", ["crop"]) as reader:
        for row in rows[order].tolist():
            yield row, reader.read(crops.names[crops.shard[row]], int(crops.row[row]))["crop"]


def thumbnails(run: str, crops: Pointers, groups: Sequence[I64], side: int) -> list[list[Array]]:
    """The pictures (side,W,3) BGR of each group of rows."""
    rows = np.unique(np.concatenate([np.zeros(0, np.int64), *groups]))
    small = {row: thumbnail(crop, side) for row, crop in read_crops(run, crops, rows)}
    return [[small[row] for row in group.tolist()] for group in groups]
