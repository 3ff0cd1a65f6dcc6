"""Runs that take no more of their manifest once a limit is reached."""

import json
import os
import shutil

import pytest

from beam_pipelines.driver.record import read_record
from beam_pipelines.driver.run import run
from tests.beam_pipelines.numbers_recipe import NUMBERS, contents, mend
from transforms.tables.retry import plan_retry
from transforms.tables.shards import read_footers, shard_names, shard_path

pytestmark = pytest.mark.jobs


def taken(folder: str) -> set[str]:
    """The shards of the manifest that were not left out by the limit."""
    counts = {name: json.loads(told["counts"]) for name, told in footers(folder, "ledger/double")}
    return {name for name, reasons in counts.items() if set(reasons) != {"over_size_limit"}}


def footers(folder: str, table: str):
    names = shard_names(folder, table)
    return [(name, told) for name, (_, told) in zip(names, read_footers(folder, table, names), strict=True)]


# seven chunks, two a wave; they make 10, 6, 6, 8, 6, 6 and 0 halves
LIMITS = [(None, 7), (0, 0), (1, 2), (16, 2), (17, 4), (30, 4), (31, 6), (42, 6), (43, 7)]


@pytest.mark.parametrize(("most", "chunks"), LIMITS)
def test_a_run_takes_no_more_of_its_manifest_when_its_limit_is_reached(order, capsys, most, chunks):
    one = order(most=most)
    run(one)
    assert taken(one.run) == {f"{n:05d}" for n in range(chunks)}
    counts = read_record(one.run)["stages"]["double"]
    dropped = max(0, len(NUMBERS) - 5 * chunks)
    assert counts["reasons"].get("over_size_limit", 0) == dropped
    assert sum(counts[state] for state in ("kept", "dropped", "failed")) == len(NUMBERS)
    assert (f"{dropped} more items are not taken" in capsys.readouterr().err) == bool(dropped)


@pytest.mark.parametrize("lost", [["00002"], ["00003"], ["00002", "00003"], ["00005", "00006"], ["00001", "00004"]])
def test_an_interrupted_run_with_a_limit_takes_the_same_items(order, lost):
    whole, one = order("whole", most=20), order(most=20)
    run(whole)
    shutil.copytree(whole.run, one.run)
    for shard in lost:
        for table in ("doubles", "ledger/double", "halves", "ledger/halve"):
            os.unlink(shard_path(one.run, table, shard))
    run(one)
    assert taken(one.run) == taken(whole.run)
    assert contents(one.run) == contents(whole.run)


def test_a_larger_limit_takes_up_what_was_left_out(order):
    run(order(most=1))
    run(order(most=31))
    run(order("whole", most=31))
    assert contents(order().run) == contents(order("whole").run)


def test_a_retry_is_no_matter_of_the_limit(order):
    one = order(most=1)
    run(one)
    mend(one.run)
    assert plan_retry(one.run, "double", transient_only=False, rows_per_shard=5) == 1
    run(one)
    assert taken(one.run) >= {"00000", "00001"}
    assert read_record(one.run)["stages"]["double"]["reasons"] == {"over_size_limit": 21, "too_small_image": 1}
