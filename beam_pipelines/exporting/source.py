"""What an export reads: a run, one of its tables with pictures, and which rows of it."""

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from beam_pipelines.exporting.chosen import IDENTITY, Chosen, batches, chosen
from transforms.images.sniff import sniff

TRAIN = "train"  # what a set without splits is called where it must have a name
_SUFFIXES = {"jpeg": ".jpg"}


@dataclass(frozen=True, slots=True)
class Source:
    """A table with pictures in the column `picture`; `key` is its first column.

    splits: of the run, each exported by itself; without any, all kept identities, or with `everything` all rows.
    """

    run: str
    table: str
    key: str
    picture: str
    splits: tuple[str, ...] = ()
    everything: bool = False

    def parts(self) -> list[str | None]:
        """The splits, or None once for the one set without them."""
        return list(self.splits) or [None]

    def chosen(self, split: str | None) -> Chosen | None:
        """The rows of a split, as of `chosen`."""
        return chosen(self.run, self.key, split)

    @property
    def of_people(self) -> bool:
        """Whether a picture is of one person, so that it may have an identity; whole images show several."""
        return self.key != "image_id"

    def batches(self, split: str | None) -> Iterator[pa.Table]:
        """The rows of a split, as of `batches`; those of whole images have no identity."""
        for rows in batches(self.run, self.table, self.key, self.chosen(split), self.everything):
            has_one = self.of_people or IDENTITY not in rows.column_names
            yield rows if has_one else rows.drop_columns(IDENTITY)


def suffix(picture: bytes) -> str:
    """The end of a picture's file name, by what the picture is; Rejected for bytes that are none."""
    name = sniff(picture)
    return _SUFFIXES.get(name, f".{name}")
