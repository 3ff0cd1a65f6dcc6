import pytest

from transforms.tables.ledger import RETRIES, retry_names, write_ledger
from transforms.tables.reasons import reason
from transforms.tables.retry import plan_retry, retried_rows
from transforms.tables.shards import read_column, read_shard, shard_names, shard_path
from transforms.tables.verdicts import Verdict


def ledger(run: str, name: str, **codes: str) -> None:
    verdicts = []
    for item, code in codes.items():
        if code:
            meaning = reason(code)
            verdicts.append((Verdict(item, meaning.state, code, meaning.transient), 0))
        else:
            verdicts.append((Verdict(item, "kept"), 1))
    write_ledger(run, "download", name, verdicts)


def planned(run: str) -> list[dict[str, str]]:
    return [
        retry
        for name in retry_names(run, "download")
        for retry in read_shard(shard_path(run, RETRIES, name)).to_pylist()
    ]


def test_a_run_without_a_ledger_has_nothing_to_retry(folder):
    assert plan_retry(folder, "download", transient_only=False, rows_per_shard=10) == 0
    assert shard_names(folder, RETRIES) == []


def test_kept_and_dropped_items_are_not_tried_again(folder):
    ledger(folder, "00000", a="", b="too_large", c="opted_out")
    assert plan_retry(folder, "download", transient_only=False, rows_per_shard=10) == 0
    assert shard_names(folder, RETRIES) == []


@pytest.mark.parametrize(("transient_only", "items"), [(False, ["b", "c", "d"]), (True, ["b", "d"])])
def test_failed_items_are_tried_again(folder, transient_only, items):
    ledger(folder, "00000", a="", b="timeout")
    ledger(folder, "00001", c="http_404", d="http_503", e="no_face")
    assert plan_retry(folder, "download", transient_only, rows_per_shard=10) == len(items)
    assert read_column(folder, RETRIES, ["item_id"]).to_pydict() == {"item_id": items}


def test_a_retry_is_cut_into_chunks(folder):
    ledger(folder, "00000", **{f"i{n}": "timeout" for n in range(5)})
    assert plan_retry(folder, "download", transient_only=False, rows_per_shard=2) == 5
    assert shard_names(folder, RETRIES) == ["r0001-download-00000", "r0001-download-00001", "r0001-download-00002"]
    assert [retry["item_id"] for retry in planned(folder)] == ["i0", "i1", "i2", "i3", "i4"]


def test_what_is_planned_and_not_done_is_not_planned_twice(folder):
    ledger(folder, "00000", a="timeout")
    assert plan_retry(folder, "download", transient_only=False, rows_per_shard=1) == 1
    assert plan_retry(folder, "download", transient_only=False, rows_per_shard=1) == 0
    assert len(planned(folder)) == 1


def test_a_plan_that_was_interrupted_is_finished_by_the_next(folder):
    ledger(folder, "00000", a="timeout", b="timeout")
    plan_retry(folder, "download", transient_only=False, rows_per_shard=1)
    from transforms.tables.shards import FileSystems

    FileSystems.delete([shard_path(folder, RETRIES, "r0001-download-00001")])  # as if killed between the two writes
    ledger(folder, "r0001-download-00000", a="")
    assert plan_retry(folder, "download", transient_only=False, rows_per_shard=1) == 1
    assert planned(folder)[-1]["item_id"] == "b"


def test_a_second_retry_replaces_the_first_and_reads_where_the_row_lies(folder):
    ledger(folder, "00007", a="timeout", b="timeout")
    plan_retry(folder, "download", transient_only=False, rows_per_shard=10)
    ledger(folder, "r0001-download-00000", a="http_404", b="")
    assert plan_retry(folder, "download", transient_only=False, rows_per_shard=10) == 1
    assert planned(folder)[-1] == {
        "item_id": "a",
        "shard": "r0001-download-00000",
        "input_shard": "00007",
        "reason": "http_404",
    }
    ledger(folder, "r0002-download-00000", a="")
    assert plan_retry(folder, "download", transient_only=False, rows_per_shard=10) == 0


def test_a_retry_chunk_names_the_rows_by_input_shard(folder):
    ledger(folder, "00000", a="timeout", b="", c="timeout")
    ledger(folder, "00001", d="timeout")
    plan_retry(folder, "download", transient_only=False, rows_per_shard=10)
    rows = retried_rows(folder, "r0001-download-00000")
    assert list(rows.items()) == [("00000", {"a", "c"}), ("00001", {"d"})]
