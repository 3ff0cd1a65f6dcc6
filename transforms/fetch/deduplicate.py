"""The optional stage `deduplicate`: images with the same bytes are one item."""

import apache_beam as beam
import numpy as np
import pyarrow as pa

from transforms.fetch.repeats import Hashes, HashList, repeated
from transforms.tables.flow import Verdict
from transforms.tables.ledger import write_whole_ledger
from transforms.tables.schemas import Duplicate, arrow_schema
from transforms.tables.shards import iter_tables, shard_path, to_table, write_shard

STAGE = "deduplicate"
_ONLY = "00000"


def duplicates(hashes: Hashes) -> dict[int, int]:
    """The rows of (n,2) that equal an earlier row, each with the first row that it equals."""
    halves = hashes[repeated(hashes), 0]
    first: dict[bytes, int] = {}
    rows = np.flatnonzero(np.isin(hashes[:, 0], halves)).tolist()
    found = ((row, first.setdefault(hashes[row].tobytes(), row)) for row in rows)
    return {row: original for row, original in found if row != original}


def read_images(run: str) -> tuple[pa.ChunkedArray, dict[int, int]]:
    """The ids of the images, and for the number of each that is a duplicate that of the first like it."""
    ids, hashes = [], HashList()
    for table in iter_tables(run, "images", ["image_id", "sha256"]):
        ids.append(table["image_id"].combine_chunks())
        for sha256 in table["sha256"].to_pylist():
            hashes.append(sha256)
    return pa.chunked_array(ids, pa.string()), duplicates(hashes.take())


def compare(run: str) -> None:
    """Write the table `duplicates` and the ledger of the stage."""
    image_id, original = read_images(run)
    rows = [Duplicate(image_id[row].as_py(), image_id[first].as_py()) for row, first in original.items()]
    write_shard(shard_path(run, "duplicates", _ONLY), to_table(rows, arrow_schema(Duplicate)))

    def told(row: int, image: str) -> tuple[Verdict, int]:
        if row not in original:
            return Verdict(image, "kept"), 0
        detail = f"as {image_id[original[row]].as_py()}"
        return Verdict(image, "dropped", "duplicate_content", False, detail), 0

    write_whole_ledger(run, STAGE, image_id, told)


class DropDuplicates(beam.PTransform):
    """Table `images` -> table `duplicates`: those that a following stage leaves out; the first of equals stays.

    One worker holds ids and hashes: about 90 bytes an image, and some 250 more for each that is a duplicate.
    """

    def __init__(self, run: str) -> None:
        super().__init__()
        self._run = run

    def expand(self, pipeline: beam.Pipeline) -> beam.PCollection:
        """One element does it all."""
        return pipeline | "Run" >> beam.Create([self._run]) | "Compare hashes" >> beam.Map(compare)
