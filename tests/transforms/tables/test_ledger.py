import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.object_store import new_folder
from transforms.tables.ledger import (
    RETRIES,
    ledger_table,
    read_ledger,
    retried,
    retry_attempt,
    retry_name,
    retry_names,
    retry_stage,
    tally,
    write_ledger,
)
from transforms.tables.reasons import reason
from transforms.tables.retry import plan_retry
from transforms.tables.rows import ListedImage
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import (
    read_column,
    read_footer,
    read_shard,
    shard_names,
    shard_path,
    to_table,
    write_shard,
)
from transforms.tables.verdicts import Verdict


def verdict(item: str, code: str = "") -> tuple[Verdict, int]:
    """A verdict, and 2 rows if the item was kept."""
    if not code:
        return Verdict(item, "kept"), 2
    meaning = reason(code)
    return Verdict(item, meaning.state, code, meaning.transient, "why"), 0


def test_a_stage_without_a_ledger_has_counted_nothing(folder):
    nothing = tally(folder, "download")
    assert (nothing.items, nothing.rows, nothing.by_reason) == (0, 0, {})
    assert [nothing.count(state) for state in ("kept", "dropped", "failed")] == [0, 0, 0]
    assert list(read_ledger(folder, "download")) == []


def test_an_empty_chunk_has_an_empty_ledger_shard(folder):
    write_ledger(folder, "download", "00000", [])
    assert tally(folder, "download").items == 0
    ((name, table),) = read_ledger(folder, "download")
    assert (name, table.num_rows) == ("00000", 0)


def test_items_are_counted_by_reason_and_state(folder):
    write_ledger(folder, "download", "00000", [verdict("a"), verdict("b", "http_404"), verdict("c", "too_large")])
    write_ledger(folder, "download", "00001", [verdict("d"), verdict("e", "http_404"), verdict("f", "timeout")])
    counts = tally(folder, "download")
    assert counts.by_reason == {"http_404": 2, "kept": 2, "timeout": 1, "too_large": 1}
    assert [counts.count(state) for state in ("kept", "dropped", "failed")] == [2, 1, 3]
    assert (counts.items, counts.rows) == (6, 4)


def test_entries_say_what_became_of_each_item(folder):
    write_ledger(folder, "download", "00000", [verdict("a"), verdict("b", "timeout")])
    assert read_shard(shard_path(folder, "ledger/download", "00000")).to_pylist() == [
        {"item_id": "a", "state": "kept", "reason": "", "transient": False, "detail": "", "rows": 2},
        {"item_id": "b", "state": "failed", "reason": "timeout", "transient": True, "detail": "why", "rows": 0},
    ]


@pytest.mark.parametrize("stage", ["download", "kp-rpe", "a-b-c"])
@pytest.mark.parametrize(("attempt", "number"), [(1, 0), (12, 34567)])
def test_a_retry_chunks_name_says_attempt_and_stage(stage, attempt, number):
    name = retry_name(attempt, stage, number)
    assert (retry_attempt(name), retry_stage(name)) == (attempt, stage)


def test_retry_chunks_sort_by_attempt_and_after_all_others():
    names = ["00000", "99999", retry_name(1, "z", 1), retry_name(2, "a", 0), retry_name(10, "a", 0)]
    assert sorted(names) == names


def test_a_stage_whose_name_begins_like_anothers_has_its_own_retries(folder):
    for stage in ("face", "face-mesh"):
        write_ledger(folder, stage, "00000", [verdict("a", "model_error")])
        plan_retry(folder, stage, transient_only=False, rows_per_shard=10)
    assert [len(retry_names(folder, stage)) for stage in ("face", "face-mesh", "mesh")] == [1, 1, 0]


def test_an_item_that_was_tried_again_counts_with_its_last_try(folder):
    write_ledger(folder, "download", "00000", [verdict("a"), verdict("b", "timeout"), verdict("c", "http_404")])
    plan_retry(folder, "download", transient_only=True, rows_per_shard=10)
    assert tally(folder, "download").by_reason == {"kept": 1, "timeout": 1, "http_404": 1}  # planned is not done
    (name,) = retry_names(folder, "download")
    assert retried(folder, "download") == []
    write_ledger(folder, "download", name, [verdict("b")])
    assert tally(folder, "download").by_reason == {"kept": 2, "http_404": 1}
    assert retried(folder, "download") == [name]
    for columns in (None, ["state"], ["state", "item_id"]):
        found = [
            (shard, table.column_names, table["state"].to_pylist())
            for shard, table in read_ledger(folder, "download", columns)
        ]
        assert [(shard, states) for shard, _, states in found] == [("00000", ["kept", "failed"]), (name, ["kept"])]
        assert columns is None or all(names == columns for _, names, _ in found)


codes = st.sampled_from(["", "timeout", "http_404", "no_face", "http_503"])


@st.composite
def histories(draw):
    """Chunks of verdicts, then rounds of retries; each retried item draws what becomes of it next."""
    chunks = draw(st.lists(st.lists(codes, max_size=5), min_size=1, max_size=3))
    rounds = draw(st.lists(st.tuples(st.booleans(), st.integers(1, 3), st.randoms(use_true_random=False)), max_size=4))
    return chunks, rounds


@settings(max_examples=40)
@given(histories())
def test_counts_balance_after_any_sequence_of_failures_and_retries(history):
    chunks, rounds = history
    run, last = new_folder(), {}
    for number, chunk in enumerate(chunks):
        ids = [f"{number}-{i}" for i in range(len(chunk))]
        last.update(zip(ids, chunk, strict=True))
        rows = [ListedImage(item, "http://host", None, "{}") for item in ids]
        write_shard(shard_path(run, "manifest", f"{number:05d}"), to_table(rows, arrow_schema(ListedImage)))
        write_ledger(run, "download", f"{number:05d}", list(map(verdict, ids, chunk)))
    for transient_only, rows_per_shard, random in rounds:
        failed = {
            item
            for item, code in last.items()
            if code and reason(code).state == "failed" and (reason(code).transient or not transient_only)
        }
        before = set(shard_names(run, RETRIES))
        assert plan_retry(run, "download", transient_only, rows_per_shard) == len(failed)
        again = []
        for name in sorted(set(shard_names(run, RETRIES)) - before):
            retries = read_shard(shard_path(run, RETRIES, name)).to_pylist()
            assert 0 < len(retries) <= rows_per_shard
            for retry in retries:
                # the row lies where the manifest put it, whichever try it is
                assert retry["item_id"].split("-")[0] == str(int(retry["input_shard"]))
                assert retry["reason"] == last[retry["item_id"]]
                last[retry["item_id"]] = random.choice(["", "timeout", "http_404", "no_face"])
            ids = [retry["item_id"] for retry in retries]
            again += ids
            write_ledger(run, "download", name, [verdict(item, last[item]) for item in ids])
        assert sorted(again) == sorted(failed)
    counts = tally(run, "download")
    expected = {code: list(last.values()).count(code) for code in set(last.values())}
    assert counts.by_reason == {code or "kept": n for code, n in expected.items()}
    assert counts.items == sum(
        read_footer(shard_path(run, "manifest", name))[0] for name in shard_names(run, "manifest")
    )
    assert counts.rows == 2 * expected.get("", 0)
    found = {row["item_id"]: row["reason"] for _, table in read_ledger(run, "download") for row in table.to_pylist()}
    assert found == last
    assert sum(table.num_rows for _, table in read_ledger(run, "download")) == len(last)


def test_the_ledger_of_a_stage_is_a_table(folder):
    write_ledger(folder, "download", "00000", [verdict("a")])
    assert read_column(folder, ledger_table("download"), ["item_id"]).to_pydict() == {"item_id": ["a"]}
