"""Chunks that a stage is to do again: with the retries that took items of them, and all those took items of."""

import pytest

from transforms.tables.ledger import RETRIES, ledger_table, tally, write_ledger
from transforms.tables.reopen import reopen
from transforms.tables.rows import Duplicate, Retry
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import shard_names, shard_path, to_table, write_shard
from transforms.tables.verdicts import verdict

STAGE, TABLE = "clips", "films"
# the ledger shards from which each retry took an item; the last one belongs to another stage
TAKEN = {
    "r0001-clips-00000": ("00000", "00001"),
    "r0001-clips-00001": ("00002",),
    "r0002-clips-00000": ("r0001-clips-00001", "00003"),
    "r0003-clips-00000": ("00004",),
    "r0003-other-00000": ("00005",),
}
CHUNKS = [f"0000{number}" for number in range(7)]


@pytest.fixture
def run(folder) -> str:
    """A run that did all its chunks and retries but the one of the third attempt, which is only planned."""
    for name in [*CHUNKS, *list(TAKEN)[:3]]:
        write_ledger(folder, STAGE, name, [(verdict(f"{name}-item", ""), 1)])
        write_shard(shard_path(folder, TABLE, name), to_table([], arrow_schema(Duplicate)))
    for name, shards in TAKEN.items():
        rows = [Retry(f"{shard}-item", shard, "x", "out_of_memory") for shard in shards]
        write_shard(shard_path(folder, RETRIES, name), to_table(rows, arrow_schema(Retry)), {"counts": "{}"})
    return folder


CASES = [  # the chunks to do again; the chunks and the retries that are forgotten
    ([], [], []),
    (["00006"], ["00006"], []),
    (["00009"], [], []),
    (["00005"], ["00005"], []),
    (["00000"], ["00000", "00001"], ["r0001-clips-00000"]),
    (["00002"], ["00002", "00003"], ["r0001-clips-00001", "r0002-clips-00000"]),
    (["00003"], ["00002", "00003"], ["r0001-clips-00001", "r0002-clips-00000"]),
    (["00004", "00006"], ["00004", "00006"], ["r0003-clips-00000"]),
]


@pytest.mark.parametrize(("names", "chunks", "retries"), CASES)
def test_what_is_forgotten(run, names, chunks, retries):
    for _ in range(2):
        reopen(run, STAGE, TABLE, names)
        assert shard_names(run, ledger_table(STAGE)) == sorted({*CHUNKS, *list(TAKEN)[:3]} - {*chunks, *retries})
        assert shard_names(run, RETRIES) == sorted({*TAKEN} - {*retries})
        assert shard_names(run, TABLE) == sorted({*CHUNKS, *list(TAKEN)[:3]} - {*retries})  # chunks are overwritten
    assert tally(run, STAGE).items == tally(run, STAGE).rows


def test_a_run_without_anything(folder):
    reopen(folder, STAGE, TABLE, ["00000"])
    assert shard_names(folder, RETRIES) == []
