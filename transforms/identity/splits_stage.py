"""Stage splits: clean identities and their bodies -> the faces of every split."""

from collections.abc import Iterator
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from apache_beam.io.filesystems import FileSystems

from transforms.flow.one_worker import on_one_worker
from transforms.flow.stages import TableStage
from transforms.identity.columns import as_codes, as_text
from transforms.identity.settings import SplitSettings
from transforms.identity.splits import Mask, Split, draw_splits, images_per_identity, qualifies, split_names
from transforms.tables.csv_cells import write_csv
from transforms.tables.files import commit_file
from transforms.tables.ledger import write_whole_ledger
from transforms.tables.lookup import places
from transforms.tables.rows import SplitFace
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import read_column, read_shard, shard_names, shard_path, write_shard
from transforms.tables.verdicts import verdict

STAGE = "splits"
_ONLY = "00000"
NOBODYS = ["noise", "small_identity"]  # reasons of faces that nothing is wrong with but that they are few
_COLUMNS = ["face_id", "identity", "body_id", "image_id", "label", "source"]


def split_identities(settings: SplitSettings) -> TableStage:
    """The stage splits: the table `splits`, and beside its shards a CSV of each split."""
    return TableStage(
        name=STAGE,
        reads=("identities", "bodies"),
        writes=(STAGE,),
        transform=on_one_worker(write_splits, settings),
        settings={"splits": settings},
        follows="identity",
        mend=partial(write_lists, settings=settings),
    )


def qualifying_bodies(run: str, body_id: pa.Array, min_visibility: float) -> Mask:
    """Whether each body (N,) qualifies its image for testing. ValueError if `bodies` has not all of them."""
    qualifying = [np.zeros(0, bool)]

    def ids() -> Iterator[pa.Array]:
        for name in shard_names(run, "bodies"):
            table = read_shard(shard_path(run, "bodies", name), ["body_id", "keypoints"])
            points = table["keypoints"].combine_chunks().flatten().flatten().to_numpy().reshape(-1, 17, 3)
            qualifying.append(qualifies(points, min_visibility))
            yield as_text(table["body_id"])

    place = places(body_id, ids())
    if (place < 0).any():
        missing = body_id[int(np.argmin(place))].as_py()
        raise ValueError(
            f"{run}: the table bodies lacks {missing}, whose face has an identity; run the stage bodies again."
        )
    return np.concatenate(qualifying)[place]


def split_rows(faces: pa.Table, splits: list[Split]) -> list[pa.Table]:
    """The rows of `splits` for each split; faces are the kept rows of `identities`."""
    identity = faces["identity"].to_numpy()
    schema = arrow_schema(SplitFace)
    tables = []
    for split in splits:
        own = faces.filter(pa.array(np.isin(identity, split.identities)))
        own = own.append_column("split", pa.array([split.name] * len(own), pa.string()))
        tables.append(own.select(schema.names).cast(schema))
    return tables


def write_lists(run: str, settings: SplitSettings) -> None:
    """Commit the CSV of each split, of what the table has."""
    table = read_shard(shard_path(run, "splits", _ONLY))
    for name in split_names(settings):
        with commit_file(FileSystems.join(run, "splits", f"{name}.csv")) as out:
            write_csv(table.filter(pc.equal(table["split"], name)).drop_columns("split"), out)


def unassigned_rows(faces: pa.Table, name: str) -> pa.Table:
    """The rows of `splits` for the faces that are nobody's; faces are rows of `identities`."""
    own = faces.filter(pc.is_in(faces["reason"], value_set=pa.array(NOBODYS)))
    own = own.append_column("split", pa.array([name] * len(own), pa.string()))
    schema = arrow_schema(SplitFace)
    return own.select(schema.names).cast(schema)


def write_splits(run: str, settings: SplitSettings) -> int:
    """Draw the splits and commit the table, the lists and the ledger; returns the rows of the table."""
    every = read_column(run, "identities", [*_COLUMNS, "reason"])
    faces = every.filter(every["identity"].is_valid()).combine_chunks()
    identity, image = faces["identity"].to_numpy(), as_codes(faces["image_id"])
    count = int(identity.max(initial=-1)) + 1
    good = qualifying_bodies(run, as_text(faces["body_id"]), settings.min_visibility)
    images = images_per_identity(identity, image, count)
    splits = draw_splits(images, images_per_identity(identity[good], image[good], count), settings)
    tables = split_rows(faces, splits)
    if settings.unassigned is not None:
        tables.append(unassigned_rows(every, settings.unassigned))
    write_shard(shard_path(run, "splits", _ONLY), pa.concat_tables(tables))
    write_lists(run, settings)
    rows = sum((np.isin(identity, split.identities).astype(int) for split in splits), np.zeros(len(faces), int))
    write_whole_ledger(
        run,
        STAGE,
        faces["face_id"],
        lambda row, face: (verdict(face, "" if rows[row] else "in_no_split"), int(rows[row])),
    )
    return sum(len(table) for table in tables)
