"""The stage identity in a run that grew: numbers stay, only what is new is searched for, and kills change nothing."""

import os
from contextlib import contextmanager

import pyarrow as pa
import pytest

from tests.transforms.identity.planted import (
    ACROSS,
    SCHEMA,
    WHOLE,
    WITHIN,
    identities,
    planted,
    run_pipeline,
)
from transforms.identity import identity_stage
from transforms.identity.identity_stage import (
    FindIdentities,
    plan_blocks,
)
from transforms.tables.files import commit_file
from transforms.tables.ledger import tally
from transforms.tables.shards import (
    filter_shard,
    read_column,
    read_shard,
    shard_names,
    shard_path,
    to_table,
    write_shard,
)


def add_embeddings(run, name, rows):
    write_shard(shard_path(run, "embeddings", name), to_table(rows, SCHEMA))


def partition(run):
    """The faces of each identity, without its number."""
    found = {}
    for row in identities(run).to_pylist():
        found.setdefault(row["identity"], set()).add(row["face_id"])
    dropped = found.pop(None, set())
    return {frozenset(faces) for faces in found.values()}, dropped


def without_numbers(run):
    """The rows of `identities` but for the numbers."""
    rows = identities(run).to_pylist()
    return [{name: cell for name, cell in row.items() if name != "identity"} for row in rows]


@pytest.mark.parametrize("chosen", [WITHIN, WHOLE, ACROSS], ids=["within", "whole", "across"])
@pytest.mark.parametrize("k", [0, 8])
def test_grown_in_steps_is_as_from_scratch_and_numbers_stay(tmp_path, chosen, k):
    chosen = chosen.model_copy(update={"edges": chosen.edges.model_copy(update={"k": k, "block": 64})})
    rows, _ = planted(people=18, faces=9, seed=5)
    run, whole = str(tmp_path / "run"), str(tmp_path / "whole")
    add_embeddings(whole, "000000", rows)
    run_pipeline(FindIdentities(whole, chosen))
    was = {}
    for step, name in enumerate(("000000", "000001", "r0001-embeddings-00000")):
        add_embeddings(run, name, rows[step::3])
        run_pipeline(FindIdentities(run, chosen))
        now = {row["face_id"]: row["identity"] for row in identities(run).to_pylist()}
        changed = read_column(run, "identity_changes", ["time", "kind", "from_identity", "into_identity"]).to_pylist()
        moved = {(was[face], now[face]) for face in was if was[face] is not None and now[face] not in (None, was[face])}
        told = {(row["from_identity"], row["into_identity"]) for row in changed
                if row["time"] == step and row["kind"] in ("merged", "split")}  # fmt: skip
        assert moved == told
        was = now
    assert partition(run) == partition(whole)
    assert without_numbers(run) == without_numbers(whole)
    assert len(shard_names(run, "identity_changes")) == 3
    assert tally(run, "identity").by_reason == tally(whole, "identity").by_reason


def test_edges_that_are_known_are_not_searched_for_again(tmp_path):
    run = str(tmp_path)
    rows, _ = planted(people=10, faces=10, seed=2)
    add_embeddings(run, "0", rows[:70])
    run_pipeline(FindIdentities(run, WHOLE))
    first = {name: os.stat(shard_path(run, "edges", name)).st_mtime_ns for name in shard_names(run, "edges")}
    add_embeddings(run, "1", rows[70:])
    run_pipeline(FindIdentities(run, WHOLE))
    names = shard_names(run, "edges")
    assert names == ["00000", "00001", "001-00000", "001-00001", "001-00002"]
    assert {name: os.stat(shard_path(run, "edges", name)).st_mtime_ns for name in first} == first
    new = {row.face_id for row in rows[70:]}
    for name in names[2:]:
        table = read_shard(shard_path(run, "edges", name))
        assert all(
            new & set(pair) for pair in zip(*(table[end].to_pylist() for end in ("face_a", "face_b")), strict=True)
        )


class Killed(Exception):
    """Stands for the end of the process."""


@pytest.mark.parametrize(
    "table", ["label_map", "identity_changes", "identities", "ledger/identity", "edges/rounds.json"]
)
def test_a_stage_that_is_killed_while_it_writes_ends_with_the_same_numbers(tmp_path, monkeypatch, table):
    rows, _ = planted(people=12, faces=9, seed=4)
    undisturbed, run = str(tmp_path / "undisturbed"), str(tmp_path / "run")
    for folder in (undisturbed, run):
        add_embeddings(folder, "0", rows[:50])
        run_pipeline(FindIdentities(folder, WHOLE))
        add_embeddings(folder, "1", rows[50:])
    run_pipeline(FindIdentities(undisturbed, WHOLE))
    real = commit_file

    @contextmanager
    def killed(path):
        if table in path:
            raise Killed
        with real(path) as out:
            yield out

    with monkeypatch.context() as patch:
        for module in ("tables.shards", "identity.rounds", "identity.identity_tables"):
            patch.setattr(f"transforms.{module}.commit_file", killed)
        search_all = identity_stage.SearchBlock(run, WHOLE)
        assert len([name for block in plan_blocks(run, WHOLE) for name in search_all.process(block)]) > 2
        with pytest.raises(Killed):
            list(identity_stage.WriteIdentities(run, WHOLE).process(0))
    run_pipeline(FindIdentities(run, WHOLE))
    for name in ("identities", "identity_changes", "label_map", "edges"):
        assert [read_shard(shard_path(run, name, shard)) for shard in shard_names(run, name)] == [
            read_shard(shard_path(undisturbed, name, shard)) for shard in shard_names(undisturbed, name)
        ], name


def test_numbers_of_identities_that_went_are_not_given_again(tmp_path):
    run = str(tmp_path)
    rows, person = planted(people=6, faces=8, seed=1)
    of = {n: [row for row, p in zip(rows, person.tolist(), strict=True) if p == n] for n in range(6)}
    add_embeddings(run, "0", of[0] + of[1])
    run_pipeline(FindIdentities(run, WHOLE))
    path = shard_path(run, "identities", "00000")
    filter_shard(path, lambda part: pa.compute.not_equal(part["identity"].fill_null(-1), 1), ["identity"])
    left = set(read_shard(path)["face_id"].to_pylist())
    add_embeddings(run, "0", [row for row in of[0] + of[1] if row.face_id in left])
    add_embeddings(run, "1", of[2])
    run_pipeline(FindIdentities(run, WHOLE))
    assert set(identities(run)["identity"].to_pylist()) - {None} == {0, 2}
    told = read_column(run, "identity_changes", ["kind", "from_identity", "into_identity", "faces"]).to_pylist()
    assert told == [{"kind": "new", "from_identity": None, "into_identity": 2, "faces": 8}]
