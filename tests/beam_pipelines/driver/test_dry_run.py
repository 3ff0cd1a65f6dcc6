"""What a dry run writes, and that it asks no one."""

import json
import socket
import urllib.request

import pytest

from beam_pipelines import cli, config
from beam_pipelines.driver.dry_run import NOTE, describe
from beam_pipelines.driver.order import Order
from beam_pipelines.errors import ConfigError

pytestmark = pytest.mark.jobs

DATAFLOW = [
    "models.device=cuda", "dataflow.project=ours", "dataflow.region=europe-west4",
    "dataflow.temp_location=gs://bucket/temporary", "dataflow.cpu.image=here/cpu", "dataflow.gpu.image=here/cuda",
]  # fmt: skip
FILES = ["1-download", "2-bodies+faces+embeddings", "3-identity", "4-bundle+splits"]


@pytest.fixture
def no_network(monkeypatch):
    """Any attempt to reach another machine, or this one, fails."""

    def refuse(*_, **__):
        raise AssertionError("a dry run asked the network")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def order(*beam, recipe="webbody", overrides=DATAFLOW, run="gs://bucket/run"):
    recipe, settings = config.load(recipe, list(overrides))
    return Order(recipe, settings, "list.csv", run, beam)


def test_the_fixture_refuses(no_network):
    with pytest.raises(AssertionError, match="asked the network"):
        urllib.request.urlopen("http://127.0.0.1:9")


def test_a_dry_run_for_dataflow_writes_requests_and_pipelines_and_asks_no_one(no_network, tmp_path):
    found = describe(order("--runner=DataflowRunner"), str(tmp_path))
    assert [one.machine for one in found] == ["n2-standard-4", "g2-standard-8", "n2-standard-4", "n2-standard-4"]
    assert [bool(one.gpu) for one in found] == [False, True, False, False]
    assert [one.image for one in found] == ["here/cpu", "here/cuda", "here/cpu", "here/cpu"]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        f"{name}.{kind}.json" for name in FILES for kind in ("job", "pipeline")
    )
    for one, name in zip(found, FILES, strict=True):
        request = json.loads((tmp_path / f"{name}.job.json").read_text())
        pipeline = json.loads((tmp_path / f"{name}.pipeline.json").read_text())
        assert request["type"] == "JOB_TYPE_BATCH"
        assert request["environment"]["workerPools"][0]["workerHarnessContainerImage"] == one.image
        assert request["environment"]["sdkPipelineOptions"]["options"]["dry_run"] is False
        steps = [step for step in pipeline["components"]["transforms"].values() if not step.get("subtransforms")]
        assert len(steps) == one.steps > 5
        hints = [each.get("resourceHints", {}) for each in pipeline["components"]["environments"].values()]
        assert [list(each) for each in hints if each] == ([["beam:resources:accelerator:v1"]] if one.gpu else [])


@pytest.mark.parametrize(
    ("recipe", "with_gpu"),
    [
        ("face_generation", [True, False, True, False, False]),
        ("face_clips", [False, True, False]),
        ("object_tracks", [False, True, False, False, False, False]),
        ("person_clustering", [True, True, False, False]),
    ],
)
def test_jobs_with_models_alone_have_a_gpu(no_network, tmp_path, recipe, with_gpu):
    found = describe(order("--runner=DataflowRunner", recipe=recipe), str(tmp_path))
    assert [bool(one.gpu) for one in found] == with_gpu
    assert [one.image == "here/cuda" for one in found] == with_gpu


@pytest.mark.parametrize("runner", ["DirectRunner", "FlinkRunner", "PrismRunner"])
def test_for_other_runners_it_writes_the_pipelines(no_network, tmp_path, runner):
    found = describe(order(f"--runner={runner}", overrides=(), run="run"), str(tmp_path))
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(f"{name}.pipeline.json" for name in FILES)
    assert all(one.steps > 5 for one in found)


def test_what_could_not_run_is_refused_and_nothing_is_written(tmp_path):
    with pytest.raises(ConfigError, match=r"dataflow\.project"):
        describe(order("--runner=DataflowRunner", overrides=()), str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_the_command_shows_a_table_and_says_that_the_chunks_are_not_listed(no_network, tmp_path, capsys):
    sets = [part for value in DATAFLOW for part in ("--set", value)]
    command = ["run", "webbody", "--output", "gs://bucket/run", "--dry-run", str(tmp_path), *sets]
    assert cli.main([*command, "--runner", "DataflowRunner"]) == cli.DONE
    told = capsys.readouterr().out
    assert NOTE in told
    assert "g2-standard-8" in told
    assert f"{tmp_path}/4-bundle+splits.job.json" in told
