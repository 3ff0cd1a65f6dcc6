"""What `manyfaces plan` says is left to do."""

import os
from dataclasses import replace

import pytest

from beam_pipelines.driver.jobs import cut_jobs
from beam_pipelines.driver.left import DONE, left
from beam_pipelines.driver.order import Order
from beam_pipelines.driver.record import read_record
from beam_pipelines.driver.run import run
from beam_pipelines.driver.staleness import account, changed_stages, stale_stages
from tests.beam_pipelines.numbers_recipe import RECIPE, NumbersConfig
from transforms.fetch.lists.files import list_digest
from transforms.tables.retry import plan_retry

pytestmark = pytest.mark.jobs


@pytest.fixture
def order(tmp_path):
    """A run of 31 numbers, in seven chunks."""
    manifest = tmp_path / "numbers.txt"
    manifest.write_text("\n".join(map(str, range(1, 32))))
    return Order(RECIPE, NumbersConfig(), str(manifest), str(tmp_path / "run"))


def plan(order: Order) -> dict[str, str]:
    stages = RECIPE.stages(order.config, order.run)
    settings = order.config.manifest
    record, new = read_record(order.run), account(stages, list_digest(order.manifest), settings)
    stale = stale_stages(order.run, stages, changed_stages(record, new))
    return left(order.run, cut_jobs(stages, order.config.jobs), record, new["fingerprints"], stale)


def test_of_a_new_run_all_is_left(order):
    waits = {"double": "waits for manifest", "halve": "waits for double", "sum": "waits for halve"}
    assert plan(order) == {"manifest": "to do", **waits}


def test_of_a_finished_run_nothing_is_left(order):
    run(order)
    assert plan(order) == dict.fromkeys(("manifest", "double", "halve", "sum"), DONE)


LOST = [
    (["halve"], ["00002"], {"halve": "4 items in 1 chunks", "sum": "waits for halve"}),
    (["double", "halve"], ["00000", "00006"],
     {"double": "6 items in 2 chunks", "halve": "waits for double", "sum": "waits for halve"}),
]  # fmt: skip


@pytest.mark.parametrize(("stages", "names", "expected"), LOST)
def test_chunks_that_are_not_committed_are_left_and_what_is_behind_them_waits(order, stages, names, expected):
    run(order)
    for stage in stages:
        for name in names:
            os.unlink(os.path.join(order.run, "ledger", stage, f"part-{name}.parquet"))
    assert plan(order) == {**dict.fromkeys(("manifest", "double", "halve", "sum"), DONE), **expected}


def test_a_table_stage_is_left_when_it_has_made_nothing(order):
    run(order)
    os.unlink(os.path.join(order.run, "sums", "part-00000.parquet"))
    assert plan(order) == {"manifest": DONE, "double": DONE, "halve": DONE, "sum": "to do"}


def test_a_retry_is_left_to_do(order):
    run(order)
    assert plan_retry(order.run, "double", False, 10) == 4
    assert plan(order) == {
        "manifest": DONE, "double": "4 items in 1 chunks", "halve": "waits for double", "sum": "waits for halve",
    }  # fmt: skip


def test_other_settings_are_told_before_a_run_is_refused(order):
    run(order)
    other = replace(order, config=NumbersConfig(scale=3))
    assert plan(other)["sum"] == "made with other settings: --recompute redoes it"
    other = replace(order, config=NumbersConfig(factor=3))
    told = plan(other)
    assert told["manifest"] == DONE
    assert [told[name].startswith("made with other settings") for name in ("double", "halve", "sum")] == [True] * 3
