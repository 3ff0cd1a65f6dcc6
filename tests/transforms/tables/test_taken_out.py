"""Ledgers and retries without what was removed: counts, footers and what entries say."""

import json

import pytest

from transforms.tables.ledger import RETRIES, ledger_table, tally, write_ledger
from transforms.tables.lineage import as_sets
from transforms.tables.retry import plan_retry
from transforms.tables.rows import Duplicate
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import read_footer, read_shard, shard_path, to_table, write_shard
from transforms.tables.taken_out import settle_rows, take_out_entries, take_out_of_manifest, take_out_retries
from transforms.tables.verdicts import Verdict, verdict

GONE = {"image_id": ["a", "x"], "url": ["http://h/a.jpg"]}


def entries(run, stage, name="0"):
    return read_shard(shard_path(run, ledger_table(stage), name)).to_pylist()


def test_a_stage_without_a_ledger_has_nothing_to_take_out(tmp_path):
    sets = as_sets(GONE)
    assert take_out_entries(str(tmp_path), "download", "image_id", sets) == 0
    assert take_out_retries(str(tmp_path), "download", "image_id", sets) == 0
    assert take_out_of_manifest(str(tmp_path), "manifest", "image_id", GONE) == 0
    assert settle_rows(str(tmp_path), "download", "images", "image_id") == 0


def test_entries_of_items_that_are_gone_are_there_no_more(folder):
    write_ledger(
        folder, "download", "0", [(Verdict("a", "kept"), 1), (Verdict("b", "kept"), 2)], {"verdicts": "digest"}
    )
    write_ledger(folder, "download", "1", [(verdict("x", "timeout"), 0)])
    write_ledger(folder, "download", "2", [(verdict("c", "timeout"), 0)])
    assert take_out_entries(folder, "download", "image_id", as_sets(GONE)) == 2
    assert [entry["item_id"] for entry in entries(folder, "download")] == ["b"]
    assert read_footer(shard_path(folder, ledger_table("download"), "0")) == (
        1,
        {"counts": '{"kept": 1}', "rows": "2", "verdicts": "digest"},
    )
    assert tally(folder, "download").by_reason == {"kept": 1, "timeout": 1}
    assert take_out_entries(folder, "download", "image_id", as_sets(GONE)) == 0
    assert take_out_entries(folder, "download", "face_id", as_sets({"image_id": ["b"]})) == 0


def test_an_item_has_the_rows_that_are_left_and_is_removed_if_none_is(tmp_path):
    run = str(tmp_path)
    told = [
        (Verdict("a", "kept"), 2),
        (Verdict("b", "kept"), 1),
        (verdict("c", "no_face"), 0),
        (Verdict("d", "kept"), 1),
    ]
    write_ledger(run, "find", "0", told)
    rows = [Duplicate("n1", "a"), Duplicate("n2", "d")]
    write_shard(shard_path(run, "found", "0"), to_table(rows, arrow_schema(Duplicate)))
    assert settle_rows(run, "find", "found", "original_id") == 2
    assert [(e["item_id"], e["state"], e["reason"], e["rows"]) for e in entries(run, "find")] == [
        ("a", "kept", "", 1),
        ("b", "dropped", "removed", 0),
        ("c", "dropped", "no_face", 0),
        ("d", "kept", "", 1),
    ]
    assert tally(run, "find").rows == 2
    assert settle_rows(run, "find", "found", "original_id") == 0


@pytest.mark.parametrize(
    ("entry", "after"),
    [
        (Verdict("a", "kept"), ("~row-1", "removed", "")),
        (Verdict("b", "kept"), ("b", "", "")),
        (verdict("~row-1", "duplicate_url", "http://h/a.jpg"), ("~row-1", "removed", "")),
        (verdict("~row-1", "merged_spans", "http://h/a.jpg"), ("~row-1", "removed", "")),
        (verdict("~row-1", "duplicate_url", "http://h/b.jpg"), ("~row-1", "duplicate_url", "http://h/b.jpg")),
        (verdict("~row-1", "duplicate_id", "a"), ("~row-1", "duplicate_id", "")),
        (verdict("~row-1", "bad_row", "999 spans of http://h/a.jpg"), ("~row-1", "bad_row", "")),
        (verdict("~row-1", "bad_row", "a broken row"), ("~row-1", "bad_row", "a broken row")),
    ],
)
def test_rows_of_the_list_are_told_by_their_numbers(tmp_path, entry, after):
    run = str(tmp_path)
    write_ledger(run, "manifest", "0", [(Verdict("z", "kept"), 1)])
    write_ledger(run, "manifest", "1", [(entry, int(entry.state == "kept"))])
    take_out_of_manifest(run, "manifest", "image_id", GONE)
    (found,) = entries(run, "manifest", "1")
    assert (found["item_id"], found["reason"], found["detail"]) == after
    assert sum(tally(run, "manifest").by_reason.values()) == 2
    assert take_out_of_manifest(run, "manifest", "image_id", GONE) == 0


def test_retries_lose_items_with_their_counts(folder):
    told = [(verdict("a", "timeout"), 0), (verdict("b", "timeout"), 0), (verdict("x", "http_404"), 0)]
    write_ledger(folder, "download", "0", told)
    assert plan_retry(folder, "download", transient_only=False, rows_per_shard=9) == 3
    assert take_out_retries(folder, "download", "image_id", as_sets(GONE)) == 2
    path = shard_path(folder, RETRIES, "r0001-download-00000")
    assert read_shard(path)["item_id"].to_pylist() == ["b"]
    assert json.loads(read_footer(path)[1]["counts"]) == {"timeout": 1}
