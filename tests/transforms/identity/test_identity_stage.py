"""Both table stages on real pipelines: planted identities, restarts, inputs that changed."""

import csv
import os
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from tests.transforms.identity.planted import (
    ACROSS,
    DIMENSION,
    WHOLE,
    WITHIN,
    embedding,
    identities,
    planted,
    run_pipeline,
    write_embeddings,
)
from transforms.evaluation.agreement import measure
from transforms.flow.stages import made_from
from transforms.identity import identity_stage
from transforms.identity.evidence_settings import EvidenceSettings
from transforms.identity.identity_stage import (
    FindIdentities,
    find_identities,
    plan_blocks,
    read_edges,
)
from transforms.identity.settings import ClusterSettings, EdgeSettings, IdentitySettings, SplitSettings
from transforms.identity.splits_stage import split_identities
from transforms.identity.thresholds import Chosen
from transforms.tables.ledger import read_ledger, tally
from transforms.tables.rows import Body
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import (
    read_column,
    read_shard,
    shard_names,
    shard_path,
    to_table,
    write_shard,
)


def test_no_table_is_one_sentence(tmp_path):
    with pytest.raises(FileNotFoundError, match="has no table embeddings"):
        plan_blocks(str(tmp_path), IdentitySettings())


@pytest.mark.parametrize("chosen", [WITHIN, WHOLE])
def test_no_embeddings_make_empty_tables(tmp_path, chosen):
    run = str(tmp_path)
    write_embeddings(run, [], shards=1)
    run_pipeline(FindIdentities(run, chosen))
    assert len(identities(run)) == len(read_column(run, "label_map", ["cluster"])) == 0
    assert tally(run, "identity").items == 0
    write_shard(shard_path(run, "bodies", "00000"), to_table([], arrow_schema(Body)))
    run_pipeline(split_identities(SplitSettings()).transform(run))
    assert len(read_column(run, "splits", ["split"])) == 0
    assert (tmp_path / "splits" / "wb_testing.csv").read_text().strip().replace(
        '"', ""
    ) == "face_id,identity,body_id,image_id,label,source"


@pytest.mark.parametrize("chosen", [WITHIN, WHOLE])
def test_planted_identities_are_found(tmp_path, chosen):
    run = str(tmp_path)
    rows, person = planted(people=20, faces=12, labels=chosen is WITHIN)
    write_embeddings(run, rows)
    run_pipeline(FindIdentities(run, chosen))
    table = identities(run)
    assert table["face_id"].to_pylist() == sorted(row.face_id for row in rows)
    found = table["identity"].fill_null(-1).to_numpy()
    result = measure(np.where(person < 0, 1000 + np.arange(len(person)), person), found)
    assert result.pairwise.precision == 1
    assert result.pairwise.recall > 0.97
    assert found.max() == 19
    kept = found >= 0
    assert table["reason"].to_pylist() == [
        "" if k else r for k, r in zip(kept, table["reason"].to_pylist(), strict=True)
    ]
    assert (np.asarray(table["similarity"].to_pylist(), float)[kept] > 0.6).all()
    counts = tally(run, "identity")
    assert (counts.items, counts.rows, counts.by_reason["kept"]) == (len(rows), len(rows), kept.sum())
    mapping = read_column(run, "label_map", ["cluster", "merged_into", "identity"]).to_pylist()
    assert {row["identity"] for row in mapping} >= set(range(20))
    assert {row["cluster"] for row in mapping} == set(table["cluster"].drop_null().to_pylist())
    with open(tmp_path / "cleaning" / "cleaning.csv") as file:
        steps = list(csv.DictReader(file))
    columns = ["stage", "n_subjects", "n_images", "n_faces", "n_dropped", "n_small", "n_seen_together", "n_pairs"]
    assert list(steps[0]) == [*columns, "precision", "at_least", "at_most", "by_pictures", "by_pictures_at_least"]
    assert [steps[-1][name] for name in columns[:4]] == ["duplicates", "20", str(kept.sum()), str(kept.sum())]
    dropped = sum(int(step["n_dropped"]) + int(step["n_small"]) for step in steps)
    assert int(steps[0]["n_faces"]) - dropped == kept.sum()


@pytest.mark.parametrize("labels", [1, 4])
def test_dbscan_across_labels(tmp_path, labels):
    run = str(tmp_path)
    rows, person = planted(people=12, faces=9, noise=0.3, labels=False)
    rows = [replace(row, label=f"label{i % labels}", body_id=None) for i, row in enumerate(rows)]
    write_embeddings(run, rows)
    run_pipeline(FindIdentities(run, ACROSS))
    table = identities(run)
    found = table["identity"].fill_null(-1).to_numpy()
    assert found.max() == 11
    assert (found >= 0).tolist() == (person >= 0).tolist()
    assert {reason for reason in table["reason"].to_pylist() if reason} == {"noise"}
    for number in range(12):
        assert len(set(person[found == number])) == 1
    assert read_column(run, "identities", ["body_id"])["body_id"].null_count == len(rows)


def test_shards_and_blocks_change_nothing(tmp_path):
    rows, _ = planted(people=8, faces=9, seed=3)
    for chosen in (WITHIN, WHOLE):
        results = []
        for number, (shards, block) in enumerate([(1, 10_000), (5, 7)]):
            run = str(tmp_path / chosen.clusters.method / str(number))
            write_embeddings(run, rows[:: 1 if number else -1], shards)
            edges = chosen.edges.model_copy(update={"block": block})
            run_pipeline(FindIdentities(run, chosen.model_copy(update={"edges": edges})))
            faces = pa.array(sorted(row.face_id for row in rows), pa.large_string())
            found = read_edges(run, shard_names(run, "edges"), faces, 0.6)
            results.append((identities(run), found.first.tolist(), found.second.tolist(), found.similarity.tolist()))
        assert results[0] == results[1]
        assert len(results[0][1]) > 100


def test_its_steps_are_told(tmp_path, monkeypatch):
    told = []
    monkeypatch.setattr(identity_stage, "begin", lambda stage, what, total=None: told.append((what, total)))
    monkeypatch.setattr(identity_stage, "advance", lambda stage: told.append("a block"))
    rows = planted(people=6, faces=10)[0]
    write_embeddings(str(tmp_path), rows, 2)
    edges = WITHIN.edges.model_copy(update={"block": 25})
    run_pipeline(FindIdentities(str(tmp_path), WITHIN.model_copy(update={"edges": edges})))
    assert told == [
        ("finding thresholds", None),
        ("blocks of faces searched", 3),
        *["a block"] * 3,
        ("reading edges", None),
        (f"clustering and cleaning {len(rows)} faces", None),
        ("writing identities", None),
    ]


def test_restart_searches_only_what_is_missing(tmp_path, monkeypatch):
    run = str(tmp_path)
    rows, _ = planted(people=6, faces=10)
    write_embeddings(run, rows)
    run_pipeline(FindIdentities(run, WITHIN))
    before, names = identities(run), shard_names(run, "edges")
    assert len(names) == 2
    kept, lost = (shard_path(run, "edges", name) for name in names)
    stamp = os.stat(kept).st_mtime_ns
    whole = read_shard(lost)
    os.unlink(lost)
    searched = []
    real = identity_stage.search_block
    monkeypatch.setattr(identity_stage, "search_block", lambda *a: searched.append(a[1:]) or real(*a))
    run_pipeline(FindIdentities(run, WITHIN))
    assert searched == [(37, 66)]
    assert os.stat(kept).st_mtime_ns == stamp
    assert read_shard(lost) == whole
    assert identities(run) == before


def test_new_embeddings_replace_old_edges(tmp_path):
    run = str(tmp_path)
    rows, _ = planted(people=10, faces=10)
    write_embeddings(run, rows)
    run_pipeline(FindIdentities(run, WITHIN))
    assert len(shard_names(run, "edges")) == 3
    fewer = rows[:40]
    write_embeddings(run, fewer)
    run_pipeline(FindIdentities(run, WITHIN))
    assert len(shard_names(run, "edges")) == 2
    assert identities(run)["face_id"].to_pylist() == sorted(row.face_id for row in fewer)
    assert tally(run, "identity").items == 40


def test_a_vector_without_direction_fails_alone(tmp_path):
    run = str(tmp_path)
    rows, _ = planted(people=3, faces=6)
    rows += [embedding(900, np.zeros(DIMENSION)), embedding(901, np.full(DIMENSION, np.nan))]
    write_embeddings(run, rows)
    low = WITHIN.model_copy(update={"edges": EdgeSettings(min_similarity=-0.5, block=5)})
    run_pipeline(FindIdentities(run, low))
    states = {
        row["item_id"]: (row["state"], row["reason"])
        for _, table in read_ledger(run, "identity")
        for row in table.select(["item_id", "state", "reason"]).to_pylist()
    }
    assert states["i00900-b0-f0"] == states["i00901-b0-f0"] == ("failed", "bad_vector")
    assert sum(state == "kept" for state, _ in states.values()) >= 17


def test_a_face_that_stands_twice_is_an_error(tmp_path):
    run = str(tmp_path)
    row = embedding(1, np.ones(DIMENSION))
    write_embeddings(run, [row, row], shards=2)
    with pytest.raises(Exception, match="i00001-b0-f0 stands twice"):
        run_pipeline(FindIdentities(run, WITHIN))


def write_boxes(run, rows, lefts):
    """The columns of `faces` that evidence reads: a face at each of these x."""
    box = pa.array([[x, 0, x + 100, 100] for x in lefts], pa.list_(pa.float32(), 4))
    faces = pa.array([row.face_id for row in rows])
    write_shard(shard_path(run, "faces", "00000"), pa.table({"face_id": faces, "box": box}))


@pytest.mark.parametrize("method", ["connected", "average"])
def test_faces_of_one_picture_are_told_apart_where_pictures_are_evidence(tmp_path, method):
    run = str(tmp_path)
    rows, person = planted(people=4, faces=10)
    order = np.argsort(person, kind="stable")[4:]  # without the strangers
    rows = [replace(rows[i], vector=rows[i].vector, face_id=f"f{n:02d}") for n, i in enumerate(order)]
    bridge = np.sum([row.vector.astype(np.float64) for row in rows[:20]], axis=0)  # a face that is like two people
    rows = [*rows, replace(rows[0], face_id="f98", image_id="x", vector=bridge.astype(np.float16))]
    rows[10] = replace(rows[10], image_id=rows[0].image_id)
    write_embeddings(run, rows)
    write_boxes(run, rows, [0 if row.face_id != "f10" else 300 for row in rows])
    clusters = ClusterSettings(method=method, link_similarity=0.55)
    changes = {"clusters": clusters, "evidence": EvidenceSettings(pictures=True, copy_similarity=0.99)}
    chosen = WHOLE.model_copy(update=changes | {"edges": EdgeSettings(min_similarity=0.5, block=37)})
    assert find_identities(Chosen(chosen)).reads == ("embeddings", "faces")
    assert find_identities(Chosen(WHOLE)).reads == ("embeddings",)
    run_pipeline(FindIdentities(run, chosen))
    found = identities(run)["identity"].fill_null(-1).to_numpy()
    assert found[0] != found[10]
    assert len(set(found[:40].tolist())) == 4
    steps = read_column(run, "cleaning", ["stage", "n_subjects", "n_seen_together"]).to_pylist()
    assert [step["stage"] for step in steps[:2]] == ["without_evidence", "clusters"]
    assert steps[1]["n_seen_together"] == 0
    assert steps[0]["n_seen_together"] == (1 if method == "connected" else 0)


def test_what_a_user_says_by_hand_is_done_and_a_changed_file_is_a_changed_stage(tmp_path):
    run, path = str(tmp_path / "run"), tmp_path / "by_hand.csv"
    rows, _ = planted(people=3, faces=6)
    write_embeddings(run, rows)
    chosen = WHOLE.model_copy(update={"overrides": str(path)})
    path.write_text("rule,face_a,face_b,identity\n")
    before = made_from(find_identities(Chosen(chosen)))
    run_pipeline(FindIdentities(run, chosen))
    table = identities(run).to_pylist()
    firsts = {row["identity"]: row["face_id"] for row in reversed(table) if row["identity"] is not None}
    path.write_text(f"rule,face_a,face_b,identity\nmust_link,{firsts[0]},{firsts[2]},\ndrop,,,{firsts[1]}\n")
    assert made_from(find_identities(Chosen(chosen))) != before
    run_pipeline(FindIdentities(run, chosen))
    after = identities(run).to_pylist()
    assert {row["identity"] for row in after} == {0, None}
    was = {row["face_id"]: row["identity"] for row in table}
    assert all((row["reason"] == "by_hand") == (was[row["face_id"]] == 1) for row in after)
    path.write_text(f"rule,face_a,face_b\nmust_link,{firsts[0]},{firsts[2]}\ncannot_link,{firsts[2]},{firsts[0]}\n")
    with pytest.raises(Exception, match="line 3: cannot_link keeps apart what line 2 joined"):
        run_pipeline(FindIdentities(run, chosen))


def test_faces_that_are_nobodys_can_be_a_split(tmp_path):
    run = str(tmp_path)
    rows, person = planted(people=3, faces=8)
    write_embeddings(run, rows)
    run_pipeline(FindIdentities(run, WITHIN))
    bodies = [body(row.image_id, range(17)) for row in rows]
    write_shard(shard_path(run, "bodies", "00000"), to_table(bodies, arrow_schema(Body)))
    run_pipeline(split_identities(SplitSettings(unassigned="nobody")).transform(run))
    table = read_column(run, "splits", ["face_id", "identity", "split"])
    own = table.filter(pa.compute.equal(table["split"], "nobody"))
    alone = [row for row in identities(run).to_pylist() if row["reason"] in ("noise", "small_identity")]
    assert own["face_id"].to_pylist() == [row["face_id"] for row in alone]
    assert len(own) >= (person < 0).sum() > 0
    assert own["identity"].null_count == len(own)
    with open(tmp_path / "splits" / "nobody.csv") as file:
        assert [row["identity"] for row in csv.DictReader(file)] == [""] * len(own)


def body(image, visible):
    points = np.zeros((17, 3), np.float32)
    points[list(visible), 2] = 1
    box = np.zeros(4, np.float32)
    return Body(f"{image}-b0", image, None, "{}", box, box, 0.9, points, b"")


def test_splits_of_planted_identities(tmp_path):
    run = str(tmp_path)
    rows, person = planted(people=6, faces=10)
    write_embeddings(run, rows)
    run_pipeline(FindIdentities(run, WITHIN))
    testable = set(np.unique(person[person >= 0])[:3].tolist())
    bodies = [body(row.image_id, (0, 11) if p in testable else range(17)) for row, p in zip(rows, person, strict=True)]
    for shard in range(2):
        write_shard(shard_path(run, "bodies", f"{shard:05d}"), to_table(bodies[shard::2], arrow_schema(Body)))
    chosen = SplitSettings(
        qualifying_above=3, images_above=3, testing_identities=2, pool_share=1, subsets={"large": 0.75, "small": 0.25}
    )
    run_pipeline(split_identities(chosen).transform(run))
    table = read_column(run, "splits", ["face_id", "identity", "body_id", "image_id", "label", "split"])
    sets = {
        name: set(table.filter(pa.compute.equal(table["split"], name))["identity"].to_pylist())
        for name in ("wb_testing", "large", "small")
    }
    assert [len(sets[name]) for name in ("wb_testing", "large", "small")] == [2, 3, 1]
    assert not sets["wb_testing"] & (sets["large"] | sets["small"])
    person_of = {row.face_id: p for row, p in zip(rows, person.tolist(), strict=True)}
    testing = table.filter(pa.compute.equal(table["split"], "wb_testing"))
    assert {person_of[face] for face in testing["face_id"].to_pylist()} <= testable
    with open(tmp_path / "splits" / "wb_testing.csv") as file:
        listed = list(csv.DictReader(file))
    assert [row["face_id"] for row in listed] == testing["face_id"].to_pylist()
    counts = tally(run, "splits")
    kept = identities(run)["identity"].drop_null()
    assert (counts.items, counts.rows) == (len(kept), len(table))


def test_a_missing_body_is_one_sentence(tmp_path):
    run = str(tmp_path)
    rows, _ = planted(people=2, faces=5)
    write_embeddings(run, rows)
    run_pipeline(FindIdentities(run, WITHIN))
    write_shard(shard_path(run, "bodies", "00000"), to_table([], arrow_schema(Body)))
    with pytest.raises(Exception, match="the table bodies lacks i"):
        run_pipeline(split_identities(SplitSettings()).transform(run))
