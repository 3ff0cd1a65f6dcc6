"""The optional stage `deduplicate`: images with the same bytes are one item."""

from collections.abc import Iterator

import apache_beam as beam

from transforms.tables.flow import Verdict
from transforms.tables.ledger import write_ledger
from transforms.tables.schemas import Duplicate, arrow_schema
from transforms.tables.shards import iter_tables, shard_path, to_table, write_shard

SHARD = "00000"


def duplicates(hashes: Iterator[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """`(image_id, sha256)` in -> `(image_id, id of the first image with that hash, itself included)` out."""
    first: dict[bytes, str] = {}
    for image_id, sha256 in hashes:
        yield image_id, first.setdefault(bytes.fromhex(sha256), image_id)


class _Compare(beam.DoFn):
    def __init__(self, run: str) -> None:
        self._run = run

    def process(self, _: None) -> None:
        rows: list[Duplicate] = []
        verdicts: list[tuple[Verdict, int]] = []
        for image_id, original in duplicates(self._hashes()):
            if original == image_id:
                verdicts.append((Verdict(image_id, "kept"), 0))
            else:
                rows.append(Duplicate(image_id, original))
                verdicts.append((Verdict(image_id, "dropped", "duplicate_content", False, f"as {original}"), 0))
        write_shard(shard_path(self._run, "duplicates", SHARD), to_table(rows, arrow_schema(Duplicate)))
        write_ledger(self._run, "deduplicate", SHARD, verdicts)

    def _hashes(self) -> Iterator[tuple[str, str]]:
        for table in iter_tables(self._run, "images", ["image_id", "sha256"]):
            yield from zip(table["image_id"].to_pylist(), table["sha256"].to_pylist(), strict=True)


class DropDuplicates(beam.PTransform):
    """Table `images` -> table `duplicates`: those that a following stage leaves out; the first of equals stays.

    One worker holds the hashes: about 150 bytes an image.
    """

    def __init__(self, run: str) -> None:
        super().__init__()
        self._run = run

    def expand(self, pipeline: beam.Pipeline) -> beam.PCollection:
        """One element does it all."""
        return pipeline | "One comparison" >> beam.Create([None]) | "Compare hashes" >> beam.ParDo(_Compare(self._run))
