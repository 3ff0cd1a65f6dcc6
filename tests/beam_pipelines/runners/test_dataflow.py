"""The configuration's section `dataflow` as Beam's options, and what is refused before a job is sent."""

import importlib.util
import re

import pytest
from apache_beam.options.pipeline_options import (
    DebugOptions,
    GoogleCloudOptions,
    SetupOptions,
    StandardOptions,
    WorkerOptions,
)
from pydantic import ValidationError

from beam_pipelines.driver.jobs import cut_jobs
from beam_pipelines.errors import ConfigError
from beam_pipelines.runners import dataflow
from beam_pipelines.runners.dataflow import DataflowSettings, job_name
from tests.beam_pipelines.numbers_recipe import NumbersConfig, stages
from transforms.flow.stages import Job

RUN = "gs://bucket/runs/mine"
WHERE = {"project": "ours", "region": "europe-west4", "temp_location": "gs://bucket/temporary"}
GIVEN = ["--runner=DataflowRunner"]
DISKS = "compute.googleapis.com/projects//zones//diskTypes/"


def a_job() -> Job:
    return cut_jobs(stages(NumbersConfig()), NumbersConfig().jobs)[0]


def made(on_gpu=False, given=(), run=RUN, **settings):
    pools = {"cpu": {"image": "cpu"}, "gpu": {"image": "gpu"}}
    return dataflow.options(DataflowSettings(**WHERE | pools | settings), [*GIVEN, *given], run, a_job(), on_gpu)


# settings, gpu, view, option, value
OPTIONS = [
    ({}, False, GoogleCloudOptions, "project", "ours"),
    ({}, False, GoogleCloudOptions, "region", "europe-west4"),
    ({}, False, GoogleCloudOptions, "temp_location", "gs://bucket/temporary"),
    ({}, False, GoogleCloudOptions, "service_account_email", None),
    ({"service_account": "w@p.iam"}, False, GoogleCloudOptions, "service_account_email", "w@p.iam"),
    ({}, False, GoogleCloudOptions, "flexrs_goal", None),
    ({"cpu": {"image": "cpu", "capacity": "flex"}}, False, GoogleCloudOptions, "flexrs_goal", "COST_OPTIMIZED"),
    ({"cpu": {"image": "cpu", "capacity": "flex"}}, True, GoogleCloudOptions, "flexrs_goal", None),
    ({"service_options": ("a", "b=c")}, False, GoogleCloudOptions, "dataflow_service_options", ["a", "b=c"]),
    ({}, False, WorkerOptions, "sdk_container_image", "cpu"),
    ({}, True, WorkerOptions, "sdk_container_image", "gpu"),
    ({}, False, WorkerOptions, "machine_type", "n2-standard-4"),
    ({}, True, WorkerOptions, "machine_type", "g2-standard-8"),
    ({}, True, WorkerOptions, "disk_type", f"{DISKS}pd-balanced"),
    ({"cpu": {"image": "i", "disk_type": "pd-ssd"}}, False, WorkerOptions, "disk_type", f"{DISKS}pd-ssd"),
    ({"cpu": {"image": "i", "disk_gb": 70}}, False, WorkerOptions, "disk_size_gb", 70),
    ({"gpu": {"image": "i", "max_workers": 3}}, True, WorkerOptions, "max_num_workers", 3),
    ({"network": "ours"}, False, WorkerOptions, "network", "ours"),
    ({}, False, WorkerOptions, "use_public_ips", None),
    ({"public_ips": False}, False, WorkerOptions, "use_public_ips", False),
    ({}, False, DebugOptions, "number_of_worker_harness_threads", None),
    ({}, True, DebugOptions, "number_of_worker_harness_threads", 8),
    ({}, False, DebugOptions, "experiments", None),
    ({}, True, DebugOptions, "experiments", ["no_use_multiple_sdk_containers"]),
    ({"gpu": {"image": "i", "share_process": False}}, True, DebugOptions, "experiments", None),
    ({}, False, SetupOptions, "sdk_location", "container"),
    ({}, False, SetupOptions, "save_main_session", False),
    ({}, False, StandardOptions, "resource_hints", []),
    ({"cpu": {"image": "i", "min_ram_gb": 12}}, False, StandardOptions, "resource_hints", ["min_ram=12GB"]),
]


@pytest.mark.parametrize(("settings", "gpu", "view", "option", "value"), OPTIONS)
def test_a_setting_becomes_an_option(settings, gpu, view, option, value):
    assert getattr(made(gpu, **settings).view_as(view), option) == value


ACCELERATORS = [
    ({}, "type:nvidia-l4;count:1;install-nvidia-driver:5xx"),
    ({"accelerator": "nvidia-tesla-t4", "count": 2}, "type:nvidia-tesla-t4;count:2;install-nvidia-driver:5xx"),
    ({"driver": "default"}, "type:nvidia-l4;count:1;install-nvidia-driver"),
    ({"driver": "none"}, "type:nvidia-l4;count:1"),
    (
        {"capacity": "flex_start"},
        "type:nvidia-l4;count:1;install-nvidia-driver:5xx;provisioning_model:FLEX_START",
    ),
]


@pytest.mark.parametrize(("settings", "accelerator"), ACCELERATORS)
def test_a_gpu_is_a_hint_for_the_whole_job(settings, accelerator):
    hints = made(True, gpu={"image": "gpu", **settings}).view_as(StandardOptions).resource_hints
    assert hints == [f"accelerator={accelerator}"]


def test_the_command_line_wins():
    options = made(given=["--region=us-east1", "--max_num_workers=2", "--sdk_container_image=theirs"])
    assert options.view_as(GoogleCloudOptions).region == "us-east1"
    assert options.view_as(WorkerOptions).max_num_workers == 2
    assert options.view_as(WorkerOptions).sdk_container_image == "theirs"


REFUSED = [
    ({"project": None}, False, [], RUN, "dataflow.project: DataflowRunner needs it; set it, or give --project."),
    ({"region": None}, False, [], RUN, "dataflow.region: DataflowRunner needs it"),
    ({"temp_location": None}, False, [], RUN, "dataflow.temp_location: DataflowRunner needs it"),
    (
        {"cpu": {}},
        False,
        [],
        RUN,
        "dataflow.cpu.image: DataflowRunner needs it; set it, or give --sdk_container_image.",
    ),
    ({"gpu": {}}, True, [], RUN, "dataflow.gpu.image: DataflowRunner needs it"),
    ({}, False, [], "runs/mine", "--output runs/mine: Dataflow's workers cannot see this machine's disk"),
    ({}, True, ["--flexrs_goal=COST_OPTIMIZED"], RUN, "FlexRS has no GPUs; set dataflow.cpu.capacity=flex"),
    ({"service_options": ("worker_accelerator=type:x",)}, True, [], RUN, "worker_accelerator: the GPU is a resource"),
]


@pytest.mark.parametrize(("settings", "gpu", "given", "run", "sentence"), REFUSED)
def test_what_cannot_run_is_refused_with_what_to_do(settings, gpu, given, run, sentence):
    with pytest.raises(ConfigError, match=re.escape(sentence)):
        made(gpu, given, run, **settings)


def test_all_that_is_missing_is_told_at_once():
    with pytest.raises(ConfigError) as refused:
        dataflow.options(DataflowSettings(), GIVEN, "run", a_job(), gpu=False)
    assert len(str(refused.value).splitlines()) == 5


INVALID = [
    ({"cpu": {"capacity": "spot"}}, "Dataflow offers no spot workers as such"),
    ({"gpu": {"capacity": "flex"}}, "Dataflow has no flex capacity for GPUs"),
    ({"gpu": {"capacity": "spot"}}, "Dataflow has no spot capacity for GPUs"),
    ({"temp_location": "/tmp/here"}, "temp_location"),
    ({"project": "Ours"}, "project"),
    ({"subnetwork": "private"}, "subnetwork"),
    ({"cpu": {"accelerator": "nvidia-l4"}}, "accelerator"),
]


@pytest.mark.parametrize(("settings", "sentence"), INVALID)
def test_values_that_dataflow_does_not_know_are_refused(settings, sentence):
    with pytest.raises(ValidationError, match=sentence):
        DataflowSettings(**settings)


@pytest.mark.parametrize("absent", ["google.cloud.dataflow", "google.cloud", "google"])
def test_without_googles_clients_the_extra_is_named(monkeypatch, absent):
    real = importlib.util.find_spec

    def find_spec(name):
        if name.startswith(f"{absent}."):
            raise ModuleNotFoundError(absent)  # as Python does where a parent is missing
        return None if name == absent else real(name)

    monkeypatch.setattr(dataflow, "find_spec", find_spec)
    with pytest.raises(ConfigError, match=r"pip install 'manyfaces\[gcp\]'"):
        made()


def test_names_of_jobs_are_valid_distinct_and_always_the_same():
    runs = [RUN, f"{RUN}/", "gs://bucket/other/mine", "gs://b/" + "Ünïcode & Long " * 9, "gs://b/_"]
    jobs = cut_jobs(stages(NumbersConfig()), NumbersConfig().jobs)
    names = [[job_name(run, job) for job in jobs] for run in runs]
    assert names == [[job_name(run, job) for job in jobs] for run in runs]
    assert all(re.fullmatch(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?", name) for some in names for name in some)
    assert names[0] == names[1]  # the same folder
    assert len({name for some in names[1:] for name in some}) == 2 * 4


def test_every_key_says_what_it_is():
    for block in (DataflowSettings, dataflow.CpuPool, dataflow.GpuPool):
        for name, field in block.model_fields.items():
            assert field.description or name in ("cpu", "gpu"), name
