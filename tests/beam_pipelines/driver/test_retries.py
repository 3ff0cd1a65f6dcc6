"""Retries through the real local runner: only what failed is done again, and it flows on."""

import os

import pytest

from beam_pipelines.driver.record import read_record
from beam_pipelines.driver.run import run
from tests.beam_pipelines.numbers_recipe import CALLS, CUTS, contents, expected_total, mend, total
from transforms.tables.ledger import tally
from transforms.tables.retry import plan_retry
from transforms.tables.shards import shard_names, shard_path

pytestmark = pytest.mark.jobs


def test_a_retry_does_the_failed_items_only_and_they_flow_on(order):
    run(order())
    mend(order().run)
    CALLS.clear()
    assert plan_retry(order().run, "double", transient_only=False, rows_per_shard=3) == 5
    assert plan_retry(order().run, "halve", transient_only=False, rows_per_shard=3) == 2
    run(order())
    assert {item for stage, item in CALLS if stage == "double"} == {"n7", "n14", "n21", "n28", "n707"}
    assert {item for stage, item in CALLS if stage == "halve"} == {"n7", "n14", "n21", "n28", "n707", "n11", "n22"}
    assert total(order().run) == expected_total(without_failures=True)
    stages = read_record(order().run)["stages"]
    assert [stages[name]["failed"] for name in ("double", "halve")] == [0, 0]
    assert (stages["double"]["kept"], stages["halve"]["rows"]) == (28, 56)
    CALLS.clear()
    run(order())
    assert not CALLS


@pytest.mark.parametrize("cuts", CUTS)
def test_a_retry_gives_what_a_run_without_failures_gives(order, cuts):
    mend(order("whole").run)
    run(order("whole"))
    run(order(jobs=cuts))
    mend(order().run)
    for stage in ("double", "halve"):
        plan_retry(order().run, stage, transient_only=False, rows_per_shard=2)
    run(order(jobs=cuts))
    assert contents(order().run) == contents(order("whole").run)


def test_only_transient_failures_are_retried_if_so_asked(order):
    run(order())
    mend(order().run)
    assert plan_retry(order().run, "double", transient_only=True, rows_per_shard=10) == 4
    assert plan_retry(order().run, "halve", transient_only=True, rows_per_shard=10) == 0
    run(order())
    assert tally(order().run, "double").by_reason == {"http_404": 1, "kept": 27, "too_small_image": 3}


def test_what_fails_again_can_be_tried_again(order):
    run(order())
    first = contents(order().run)
    for _ in range(2):
        assert plan_retry(order().run, "double", transient_only=False, rows_per_shard=10) == 5
        assert plan_retry(order().run, "halve", transient_only=False, rows_per_shard=10) == 2
        run(order())
        assert contents(order().run) == first
    mend(order().run)
    for stage, failed in (("double", 5), ("halve", 2)):
        assert plan_retry(order().run, stage, transient_only=False, rows_per_shard=10) == failed
    run(order())
    assert total(order().run) == expected_total(without_failures=True)


def test_what_a_retry_kept_may_fail_and_be_retried_further_on(order, tmp_path):
    (tmp_path / "numbers.txt").write_text("77 1")
    one = order(max_failed_share=1)
    run(one)
    mend(one.run)
    plan_retry(one.run, "double", transient_only=False, rows_per_shard=10)
    run(order(max_failed_share=1, jobs=[["double"]]))
    os.unlink(one.run + ".mended")
    run(one)
    assert tally(one.run, "halve").by_reason == {"kept": 1, "model_error": 1}
    mend(one.run)
    assert plan_retry(one.run, "halve", transient_only=False, rows_per_shard=10) == 1
    run(one)
    assert total(one.run) == 4 * 78


def test_an_interrupted_retry_goes_on(order):
    run(order())
    mend(order().run)
    plan_retry(order().run, "double", transient_only=False, rows_per_shard=2)
    run(order())
    whole = contents(order().run)
    for table in ("halves", "ledger/halve", "sums"):
        for name in shard_names(order().run, table):
            if name.startswith("r0001") or table == "sums":
                os.unlink(shard_path(order().run, table, name))
    run(order())
    assert contents(order().run) == whole
