"""What `manyfaces doctor` says of a machine that has everything, and of those that do not."""

import json
import runpy
from pathlib import Path

import pytest
import setuptools

from beam_pipelines import cli
from beam_pipelines.doctor import packages
from beam_pipelines.doctor.finding import size
from beam_pipelines.doctor.machine import look_at_machine, onnx_devices

ROOT = Path(__file__).parents[3]
ONLY_FOR_US = {"dev", "frameworks"}


@pytest.fixture
def told(capsys):
    """What `doctor` says of recipes, as JSON, with its exit code and its errors."""

    def ask(*words):
        code = cli.main(["doctor", *words, "--json"])
        out, err = capsys.readouterr()
        return code, json.loads(out), err

    return ask


def lacking(monkeypatch, *modules):
    found = packages.is_there
    monkeypatch.setattr(packages, "is_there", lambda module: module not in modules and found(module))


def by_name(section):
    return {finding["what"]: finding for finding in section}


def test_every_extra_of_the_package_is_told_of(monkeypatch):
    given = {}
    monkeypatch.setattr(setuptools, "setup", given.update)
    runpy.run_path(str(ROOT / "setup.py"))
    assert set(packages.EXTRAS) == set(given["extras_require"]) - ONLY_FOR_US


def test_this_environment_can_run_the_cpu_profile(told):
    code, found, err = told("webbody", "face_generation")
    assert (code, found["ready"], err) == (cli.DONE, True, "")
    assert set(by_name(found["recipes"])) == {"webbody", "face_generation"}
    assert by_name(found["extras"])["video"]["state"] == "yes"
    assert "yt-dlp" in by_name(found["extras"])["video"]["told"]
    assert {"Python", "system", "cores", "memory", "disk here", "cache of models"} == set(by_name(found["machine"]))
    assert {"GPU", "Java", "ffmpeg"} < set(by_name(found["programs"]))


def test_the_table_says_what_can_be_done_next(capsys):
    assert cli.main(["doctor", "anonymize_images"]) == cli.DONE
    out = capsys.readouterr().out
    assert "anonymize_images" in out
    assert out.endswith("or see one at work: `manyfaces demo`.\n")


@pytest.mark.parametrize(
    ("module", "recipe", "mend"),
    [("faiss", "webbody", "manyfaces[cpu]"), ("av", "face_clips", "manyfaces[cpu,video]")],
)
def test_what_a_recipe_lacks_is_one_command(told, monkeypatch, module, recipe, mend):
    lacking(monkeypatch, module)
    code, found, err = told(recipe)
    assert (code, found["ready"]) == (cli.UNUSABLE, False)
    assert err.splitlines()[1:] == [f"  {recipe}: pip install '{mend}'"]


def test_a_recipe_for_images_needs_nothing_of_videos(told, monkeypatch):
    lacking(monkeypatch, "av", "yt_dlp")
    code, found, _ = told("webbody")
    assert code == cli.DONE
    assert by_name(found["extras"])["video"]["state"] == "no"


def test_models_that_are_not_cached_are_named_with_the_command_that_fetches_them(told, monkeypatch, tmp_path):
    monkeypatch.setenv("MANYFACES_CACHE", str(tmp_path / "new"))
    code, found, _ = told("anonymize_images")
    (recipe,) = found["recipes"]
    assert (code, recipe["state"]) == (cli.DONE, "yes")
    assert recipe["told"].startswith("0 of 1 models cached, 0 bytes; fetched when it runs: ")
    assert recipe["mend"].startswith("manyfaces models fetch ")
    assert list(tmp_path.iterdir()) == []


def test_a_cache_that_cannot_be_written_is_lacking(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MANYFACES_CACHE", str(tmp_path / "file" / "cache"))
    cache = next(finding for finding in look_at_machine() if finding.what == "cache of models")
    assert (cache.state, cache.mend) == ("lacks", "export MANYFACES_CACHE=FOLDER, one that you may write to")


def test_an_unknown_recipe_is_refused_with_the_nearest(capsys):
    assert cli.main(["doctor", "webodby"]) == cli.UNUSABLE
    assert capsys.readouterr().err == "manyfaces: doctor: there is no recipe 'webodby'; did you mean 'webbody'?\n"


def test_frameworks_are_asked_for_their_devices_only_when_wanted(told):
    assert "devices" not in told("anonymize_images")[1]
    devices = by_name(told("anonymize_images", "--ask")[1]["devices"])
    assert "CPUExecutionProvider" in devices["onnxruntime"]["told"]


def test_the_files_of_onnx_runtime_say_what_it_runs_on():
    import onnxruntime

    on_gpu = "CUDAExecutionProvider" in onnxruntime.get_available_providers()
    assert onnx_devices()[0] == ("yes" if on_gpu else "no")


@pytest.mark.parametrize(
    ("count", "told"), [(0, "0 bytes"), (999, "999 bytes"), (7_312_000, "7.3 MB"), (51e9, "51 GB"), (2e15, "2000.0 TB")]
)
def test_sizes_are_told_for_people(count, told):
    assert size(count) == told
