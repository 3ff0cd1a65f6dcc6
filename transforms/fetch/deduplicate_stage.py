"""Stage deduplicate: images with the same bytes are one item."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.fetch.lists.repeats import Hashes, HashList, repeated
from transforms.flow.one_worker import on_one_worker
from transforms.flow.stages import TableStage
from transforms.flow.table_steps import begin
from transforms.tables.ledger import read_ledger, write_whole_ledger
from transforms.tables.rows import Duplicate
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import iter_tables, shard_path, to_table, write_shard
from transforms.tables.verdicts import Verdict

STAGE = "deduplicate"
DUPLICATES = "duplicates"
_ONLY = "00000"


def drop_duplicates() -> TableStage:
    """The stage deduplicate: the table `duplicates` has what a following stage leaves out; the first of equals stays.

    Where more images have come in, what stayed before comes first, as the following stages have taken it.
    One worker holds ids and hashes: about 90 bytes an image, and some 250 more for each that is a duplicate.
    """
    return TableStage(name=STAGE, reads=("images",), writes=(DUPLICATES,), transform=on_one_worker(compare))


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
    image_id = pa.chunked_array(ids, pa.string())
    stayed = [table.filter(pc.equal(table["state"], "kept"))["item_id"] for _, table in read_ledger(run, STAGE)]
    if not stayed:
        return image_id, duplicates(hashes.take())
    earlier = pa.concat_arrays([chunk for column in stayed for chunk in column.chunks])
    is_new = ~pc.is_in(image_id, value_set=earlier).to_numpy()
    order = np.argsort(is_new, kind="stable")
    found = duplicates(hashes.take()[order]).items()
    return image_id, dict(sorted((int(order[row]), int(order[first])) for row, first in found))


def compare(run: str) -> None:
    """Write the table `duplicates` and the ledger of the stage."""
    begin(STAGE, "reading hashes")
    image_id, original = read_images(run)
    begin(STAGE, f"writing {len(image_id):,} verdicts")
    rows = [Duplicate(image_id[row].as_py(), image_id[first].as_py()) for row, first in original.items()]
    write_shard(shard_path(run, DUPLICATES, _ONLY), to_table(rows, arrow_schema(Duplicate)))

    def told(row: int, image: str) -> tuple[Verdict, int]:
        if row not in original:
            return Verdict(image, "kept"), 0
        detail = f"as {image_id[original[row]].as_py()}"
        return Verdict(image, "dropped", "duplicate_content", False, detail), 0

    write_whole_ledger(run, STAGE, image_id, told)
