"""What a run has that other programs open: its tables with their columns, and the tar files of its bundle."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.io.filesystems import FileSystems

from transforms.anonymizing.hiding import hides_faces
from transforms.bundle.keypoints import KEYPOINTS
from transforms.flow.stages import Stage
from transforms.tables.shards import open_arrow, shard_names, shard_path

MANIFEST = "manifest"


@dataclass(frozen=True, slots=True)
class Described:
    """A table of a run: its name, such as `bundle/keypoints`, and its columns as its first shard has them."""

    name: str
    schema: pa.Schema

    @property
    def config(self) -> str:
        """Its name where no slash may stand."""
        return self.name.replace("/", "_")

    @property
    def files(self) -> str:
        """Its shards, as a pattern below the run."""
        return f"{self.name}/part-*.parquet"

    @property
    def pictures(self) -> list[str]:
        """The columns that hold picture files."""
        return [field.name for field in self.schema if pa.types.is_binary(field.type)]


def describe(run: str, stages: Sequence[Stage]) -> list[Described]:
    """The tables that the run has, in the order of its stages; one footer of each is read.

    Of a run that covers faces, tables with the pictures as they were are left out.
    """
    names = dict.fromkeys([MANIFEST, *(table for stage in stages for table in stage.tables), KEYPOINTS])
    found = []
    for name in names:
        shards = shard_names(run, name)
        if shards:
            with open_arrow(shard_path(run, name, shards[0])) as file:
                found.append(Described(name, pq.read_schema(file)))
    hidden = hides_faces(table for stage in stages for table in stage.tables)
    return [one for one in found if not (hidden and one.pictures)]


def main_table(tables: Sequence[Described]) -> str:
    """The table that is meant where none is named: the last one with pictures, or else the last one."""
    with_pictures = [table.name for table in tables if table.pictures]
    return (with_pictures or [table.name for table in tables])[-1]


def tar_folders(run: str) -> list[str]:
    """The folders of the bundle, such as `faces`, whose pictures are there as WebDataset."""
    found = FileSystems.match([FileSystems.join(run, "bundle", "*", "webdataset", "*.tar")])[0].metadata_list
    return sorted({one.path.split("/")[-3] for one in found})
