"""The driver on a small real recipe through the real local runner."""

import json
import os
import shutil
from dataclasses import replace

import pyarrow as pa
import pytest

from beam_pipelines.driver import balance, do_job
from beam_pipelines.driver import run as run_module
from beam_pipelines.driver.order import Order
from beam_pipelines.driver.record import read_record
from beam_pipelines.driver.run import run
from beam_pipelines.errors import ConfigError, PipelineFailed, RunFailed, WorkerLost
from tests.beam_pipelines.numbers_recipe import (
    CALLS,
    CUTS,
    NUMBERS,
    RECIPE,
    NumbersConfig,
    contents,
    expected_total,
    mend,
    total,
)
from tests.object_store import new_folder
from transforms.tables.ledger import tally
from transforms.tables.shards import shard_names, shard_path

pytestmark = pytest.mark.jobs


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory) -> str:
    """The folder of a run of NUMBERS that is only read and copied."""
    folder = tmp_path_factory.mktemp("undisturbed")
    (folder / "numbers.txt").write_text("\n".join(map(str, NUMBERS)))
    run(Order(RECIPE, NumbersConfig(), str(folder / "numbers.txt"), str(folder / "run")))
    return str(folder / "run")


def times(folder: str) -> dict[str, int]:
    """When each shard was written."""
    paths = (os.path.join(at, name) for at, _, names in os.walk(folder) for name in names if name.startswith("part-"))
    return {path: os.stat(path).st_mtime_ns for path in paths}


def test_an_empty_manifest_makes_empty_tables(order, tmp_path):
    one = order()
    (tmp_path / "numbers.txt").write_text("")
    run(one)
    assert (contents(one.run)["halves"], total(one.run)) == ([], 0)
    record = read_record(one.run)
    assert [stage["rows"] for stage in record["stages"].values()] == [0, 0, 0, 0]


@pytest.mark.parametrize("mode", ["in_memory", "multi_threading"])
def test_a_run_makes_all_tables_and_says_what_came_of_it(order, mode, capsys):
    one = order(mode=mode)
    run(one)
    assert total(one.run) == expected_total()
    record = read_record(one.run)
    stages = record["stages"]
    assert list(stages) == ["manifest", "double", "halve", "sum"]
    assert stages["double"].items() >= {"kept": 23, "dropped": 3, "failed": 5, "rows": 23}.items()
    assert stages["double"]["reasons"] == {"http_404": 1, "timeout": 4, "too_small_image": 3}
    assert stages["halve"].items() >= {"kept": 21, "dropped": 0, "failed": 2, "rows": 42}.items()
    assert (record["recipe"], record["manifest"]) == ("numbers", one.manifest)
    assert record["config"]["factor"] == 2
    assert record["finished"] >= record["started"]
    assert set(record["fingerprints"]) == {"manifest", "double", "halve", "sum"}
    assert "job 1 double+halve: 31/31 items" in capsys.readouterr().err


def test_a_second_run_does_nothing(order):
    run(order())
    before, calls = times(order().run), CALLS.copy()
    run(order())
    assert times(order().run) == before
    assert calls == CALLS


LOST = [
    ["ledger/halve/part-00001"],
    ["halves/part-00001", "ledger/halve/part-00001"],
    ["doubles/part-00002", "ledger/double/part-00002", "halves/part-00002", "ledger/halve/part-00002"],
    ["ledger/double/part-00003"],  # a runner may commit a chunk downstream before it does so upstream
    ["ledger/double/part-00000", "ledger/halve/part-00000", "ledger/halve/part-00006", "sums/part-00000"],
]


@pytest.mark.parametrize("lost", LOST)
def test_an_interrupted_run_goes_on_where_it_stopped(order, undisturbed, lost):
    one = order()
    shutil.copytree(undisturbed, one.run)
    for shard in lost:
        os.unlink(os.path.join(one.run, f"{shard}.parquet"))
    before = times(one.run)
    CALLS.clear()
    run(one)
    assert contents(one.run) == contents(undisturbed)
    redone = {path.rpartition("part-")[2][:5] for path, when in times(one.run).items() if before.get(path) != when}
    lost_chunks = {shard[-5:] for shard in lost}
    assert redone - {"00000"} == lost_chunks - {"00000"}
    if all("double" not in shard for shard in lost):
        assert not any(stage == "double" for stage, _ in CALLS), "what is committed was done again"


class Killed(BaseException):
    """The process is killed."""


def test_a_run_that_is_killed_behind_any_change_of_its_record_goes_on(order, undisturbed, monkeypatch):
    write, left = run_module.write_record, 0

    def write_and_die(folder, record):
        nonlocal left
        write(folder, record)
        left -= 1
        if not left:
            raise Killed

    for number in range(1, 100):
        one, left = order(f"killed-{number}"), number
        with monkeypatch.context() as patched:
            for module in (run_module, do_job, balance):
                patched.setattr(module, "write_record", write_and_die)
            try:
                run(one)
                break
            except Killed:
                pass
        run(one)
        assert contents(one.run) == contents(undisturbed)
        assert "finished" in read_record(one.run)
    assert number > 4, "there are as many changes as stages, at least"


@pytest.mark.parametrize("cuts", CUTS)
def test_cuts_do_not_matter(order, undisturbed, cuts):
    run(order(jobs=cuts))
    assert contents(order().run) == contents(undisturbed)


def test_cuts_may_change_between_runs(order):
    run(order("whole"))
    run(order(jobs=[["double"]]))
    calls = CALLS.copy()
    run(order(jobs=CUTS[0]))
    assert {call: n for call, n in (CALLS - calls).items() if call[0] == "double"} == {}
    run(order(jobs=CUTS[1]))
    assert contents(order().run) == contents(order("whole").run)


def test_a_stale_configuration_is_refused_in_one_sentence(order):
    run(order())
    before = times(order().run)
    with pytest.raises(
        ConfigError, match=r"changed since .*: halve\.parts: 2 -> 3; give --recompute to delete and redo halve, sum, or"
    ) as error:
        run(order(halve={"parts": 3}))
    assert "\n" not in str(error.value)
    assert times(order().run) == before
    run(order())  # the run is still what it was


def test_recompute_redoes_only_what_is_stale(order):
    run(order())
    before = times(order().run)
    CALLS.clear()
    run(order(halve={"parts": 3}, recompute=True))
    assert total(order().run) == expected_total() // 2 * 3
    assert not any(stage == "double" for stage, _ in CALLS)
    kept = {path for path, when in times(order().run).items() if before.get(path) == when}
    assert kept == {path for path in before if f"{os.sep}manifest{os.sep}" in path or "double" in path}


def test_another_manifest_is_another_run(order, tmp_path):
    run(order())
    (tmp_path / "numbers.txt").write_text("1 2 3")
    with pytest.raises(ConfigError, match=r"changed .*: the content of --input; .* redo manifest, double, halve, sum"):
        run(order())
    run(order(recompute=True))
    assert total(order().run) == 24
    assert shard_names(order().run, "doubles") == ["00000"]


@pytest.mark.parametrize("recompute", [False, True])
def test_a_folder_holds_runs_of_one_recipe(order, recompute):
    run(order())
    before = times(order().run)
    other = replace(order(recompute=recompute), recipe=replace(RECIPE, name="letters"))
    with pytest.raises(ConfigError, match="a run of the recipe numbers; give the recipe letters another --output"):
        run(other)
    assert times(order().run) == before


def test_what_has_not_been_made_is_not_stale(order):
    run(order(jobs=[["double"]]))
    run(order(halve={"parts": 3}, scale=5))
    assert total(order().run) == expected_total() // 2 * 3 * 5


def test_a_table_stage_is_done_again_when_its_output_is_deleted(order):
    run(order())
    os.unlink(shard_path(order().run, "sums", "00000"))
    run(order())
    assert total(order().run) == expected_total()


def test_counts_that_do_not_balance_fail(order):
    with pytest.raises(RunFailed, match=r"counts of stage halve do not balance: 23 items entered.* 22;"):
        run(order(lose=True))
    with pytest.raises(RunFailed, match="do not balance"):
        run(order(lose=True))  # and go on failing


def test_a_table_that_is_declared_and_not_written_fails(order):
    with pytest.raises(RunFailed, match=r"the stage sum did not write never, which it declares; it must leave a"):
        run(order(forget=True))


def test_too_many_failures_fail_after_the_ledger_is_written(order):
    one = order(max_failed_share=0.1)
    with pytest.raises(RunFailed, match=r"5 of 31 items failed in stage double, more than max_failed_share 0\.1"):
        run(one)
    assert tally(one.run, "double").count("failed") == 5
    assert read_record(one.run)["stages"]["double"]["failed"] == 5
    assert "finished" not in read_record(one.run)
    with pytest.raises(RunFailed, match="5 of 31"):
        run(one)
    run(order(max_failed_share=1))
    assert total(one.run) == expected_total()


def test_too_many_bad_rows_of_the_manifest_fail_every_time(order, tmp_path):
    (tmp_path / "numbers.txt").write_text("1 x y z")
    for _ in range(2):
        with pytest.raises(RunFailed, match="3 of 4 items failed in stage manifest"):
            run(order())


def test_a_defect_of_a_stage_becomes_one_readable_sentence(order):
    with pytest.raises(PipelineFailed, match="halve is broken") as error:
        run(order(explode=True))
    assert "\n" not in str(error.value)
    assert isinstance(error.value.__cause__, Exception)
    run(order())  # what broke is mended: the run goes on
    assert total(order().run) == expected_total()


def test_temporary_files_of_a_killed_run_are_swept_and_no_others(order):
    run(order())
    folder = order().run
    left = os.path.join(folder, "doubles", ".part-00000.parquet." + "0123456789abcdef" * 2)
    mine = [os.path.join(folder, name) for name in (".gitignore", ".part-00000.parquet.bak", "notes.txt")]
    for path in (left, *mine):
        with open(path, "w") as file:
            file.write("x")
    unfinished = os.path.join(folder, "media", ".fetching." + "0123456789abcdef" * 2)
    os.makedirs(os.path.join(unfinished, "0"))
    run(order())
    assert not os.path.exists(left)
    assert not os.path.exists(unfinished)
    assert all(map(os.path.exists, mine))


@pytest.mark.parametrize("name", ["run*", "run[1]", "run?"])
def test_a_run_whose_name_is_a_pattern_is_refused(order, name):
    with pytest.raises(ConfigError, match=r"--output .*must not have any of"):
        run(order(name))


def test_a_missing_manifest_is_one_sentence(order, tmp_path):
    os.unlink(tmp_path / "numbers.txt")
    with pytest.raises(ConfigError, match=r"--input .*numbers\.txt: there is no such file\."):
        run(order())
    assert not os.path.exists(order().run)


def test_a_run_in_an_object_store_is_the_same(order):
    local, folder = order(), new_folder()
    remote = Order(RECIPE, local.config, local.manifest, folder, local.beam)
    run(local)
    run(remote)
    assert contents(folder) == contents(local.run)
    changed = Order(
        RECIPE, NumbersConfig(halve={"parts": 1}, manifest={"rows_per_shard": 31}), remote.manifest, folder, remote.beam
    )
    with pytest.raises(ConfigError, match=r": manifest\.rows_per_shard: 5 -> 31, halve\.parts: 2 -> 1; "):
        run(changed)
    run(Order(RECIPE, changed.config, remote.manifest, folder, remote.beam, recompute=True))
    assert total(folder) == expected_total() // 2
    mend(local.run)


def test_the_record_is_plain_json(order):
    run(order(jobs=[["double"]]))
    with open(os.path.join(order().run, "run.json"), encoding="utf-8") as file:
        record = json.load(file)
    assert record == read_record(order().run)
    assert record["versions"]["pyarrow"] == pa.__version__


def test_a_lost_worker_costs_a_round_and_not_the_run(order, monkeypatch, capsys):
    execute_rows = do_job.execute_rows
    losses = iter(["before", "after"])

    def lose(*given) -> None:
        if next(losses) == "after":
            execute_rows(*given)
        raise WorkerLost("a worker process was lost.")

    monkeypatch.setattr(do_job, "execute_rows", lose)
    run(order(jobs=[["double", "halve"]]))
    assert capsys.readouterr().err.count("Going on with the chunks that are left") == 2


def test_an_item_that_kills_every_worker_ends_the_run(order, monkeypatch):
    rounds = []

    def lose(*given) -> None:
        rounds.append(given)
        raise WorkerLost("a worker process was lost.")

    monkeypatch.setattr(do_job, "execute_rows", lose)
    with pytest.raises(WorkerLost):
        run(order())
    assert len(rounds) == 4


def test_a_chunk_that_two_workers_committed_differently_is_done_again(order, monkeypatch):
    found = iter([["00002"], []])
    monkeypatch.setattr(do_job, "unpaired", lambda run, stage, table, chunks: next(found))
    asked = order(jobs=[["double"]])
    run(asked)
    assert {name: n for (_, name), n in CALLS.items() if n == 2} == {f"n{n}": 2 for n in range(11, 16)}
    assert CALLS["double", "n1"] == 1
