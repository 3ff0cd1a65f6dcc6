"""A run goes on by its folder alone: with its list, settings and Beam's options, wherever it is asked."""

import os

import pytest

from beam_pipelines import cli
from beam_pipelines.driver.record import read_record, write_record
from beam_pipelines.resume import order_of
from tests.beam_pipelines.numbers_recipe import CALLS, expected_total, total

RECIPE = "tests.beam_pipelines.numbers_recipe:RECIPE"
LIST = [*range(1, 31), 707]


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """The folder of a run, and its list beside it, that was stopped by a defect in its second job."""
    folder = tmp_path_factory.mktemp("stopped")
    (folder / "numbers.txt").write_text("\n".join(map(str, LIST)))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        jobs = ["--set", "jobs=[[double],[halve],[sum]]", "--set", "scale=3", "--set", "explode=true"]
        words = ["run", RECIPE, "--input=numbers.txt", "--output=run", *jobs, "--direct_num_workers", "1"]
        assert cli.main(words) == cli.FAILED
    return folder


def test_a_stopped_run_goes_on_from_elsewhere_and_then_is_finished(stopped, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    CALLS.clear()
    run = os.path.relpath(stopped / "run")
    assert cli.main(["resume", run, "--set", "explode=false"]) == cli.DONE
    told = f"manyfaces: going on with numbers on {stopped}/numbers.txt, with --direct_num_workers."
    assert capsys.readouterr().err.startswith(told)
    assert {stage for stage, _ in CALLS} == {"halve", "sum"}
    assert total(str(stopped / "run")) == 3 * expected_total()
    record = read_record(str(stopped / "run"))
    assert (record["beam"], record["beam_secret"]) == (["--direct_num_workers=1"], [])
    CALLS.clear()
    capsys.readouterr()
    assert cli.main(["resume", str(stopped / "run")]) == cli.DONE
    assert "this run is finished, since " in capsys.readouterr().out
    assert not CALLS
    (stopped / "numbers.txt").write_text("1 2 3")
    assert cli.main(["resume", str(stopped / "run")]) == cli.UNUSABLE
    assert "changed since this run was made: the content of --input" in capsys.readouterr().err


@pytest.mark.parametrize("record", [None, {}, {"tracks": "a curated subset has a record too"}])
def test_a_folder_that_is_no_run_says_so(tmp_path, capsys, record):
    if record is not None:
        write_record(str(tmp_path), record)
    assert cli.main(["resume", str(tmp_path)]) == cli.UNUSABLE
    assert "there is no run here (no run.json of one); `manyfaces run CONFIG --input" in capsys.readouterr().err


def test_secret_options_are_asked_for_and_others_stand_unless_they_are_given(tmp_path, capsys):
    beam = {"beam": ["--runner=FlinkRunner", "--flink_master=host:8081"], "beam_secret": ["--s3_secret_access_key"]}
    write_record(str(tmp_path), {"config": {"recipe": RECIPE}, "manifest": "/list.txt", **beam})
    assert cli.main(["resume", str(tmp_path)]) == cli.UNUSABLE
    assert "what --s3_secret_access_key said is not in run.json, since it may be secret" in capsys.readouterr().err
    order = order_of(str(tmp_path), ["scale=7"], ["--s3_secret_access_key", "x", "--flink_master=[local]"])
    assert order.beam == ("--runner=FlinkRunner", "--s3_secret_access_key", "x", "--flink_master=[local]")
    assert (order.manifest, order.run, order.config.scale) == ("/list.txt", str(tmp_path), 7)
