"""Recipes on the stand-in for Dataflow: what arrives there, what crosses its shuffles, and how jobs may end."""

import json
import time
import urllib.request
from types import SimpleNamespace

import numpy as np
import pytest
import yaml
from apache_beam.io.filesystems import FileSystems
from apache_beam.portability.api import beam_runner_api_pb2
from apache_beam.runners.dataflow import dataflow_runner
from apache_beam.runners.portability.fn_api_runner import translations
from google.cloud.dataflow import FlexResourceSchedulingGoal, WorkerIPAddressConfiguration

from beam_pipelines import cli, template
from beam_pipelines.driver.jobs import cut_jobs
from beam_pipelines.driver.order import Order
from beam_pipelines.driver.record import read_record
from beam_pipelines.driver.run import run
from beam_pipelines.runners.dataflow import job_name
from tests.beam_pipelines.numbers_recipe import RECIPE, NumbersConfig
from tests.engines.dataflow_service import PROJECT, REGION, dataflow_service, read_pipeline
from tests.engines.gcs_emulator import gcs_emulator
from tests.integration.runs import STAGES, column, run_webbody, table_content
from transforms.tables.files import exists

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("webbody"), pytest.mark.dataflow, pytest.mark.gcs]

ACCELERATOR = "type:nvidia-l4;count:1;install-nvidia-driver:5xx"
SHUFFLED_BYTES = 1000  # no more than this of an element may cross a shuffle; the smallest picture here has 9,000
ACROSS_WORKERS = {"beam:transform:group_by_key:v1", "beam:transform:combine_per_key:v1", "beam:transform:flatten:v1"}


@pytest.fixture(scope="module")
def store():
    with gcs_emulator() as emulator:
        yield emulator


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """Beam asks for a job's state every 5 seconds; here every quarter."""
    clock = SimpleNamespace(time=time.time, sleep=lambda seconds: time.sleep(seconds / 20))
    monkeypatch.setattr(dataflow_runner, "time", clock)


def section(folder: str) -> dict:
    """The configuration's section `dataflow` for runs on the stand-in."""
    return {
        "project": PROJECT,
        "region": REGION,
        "temp_location": f"{folder}/temporary",
        "service_account": "workers@manyfaces-test.iam.gserviceaccount.com",
        "subnetwork": f"regions/{REGION}/subnetworks/private",
        "public_ips": False,
        "cpu": {"image": "registry/manyfaces:cpu", "max_workers": 40, "capacity": "flex"},
        "gpu": {"image": "registry/manyfaces:cuda", "max_workers": 4, "disk_gb": 200, "min_ram_gb": 16},
    }


def staged(job: dict) -> beam_runner_api_pb2.Pipeline:
    return read_pipeline(job["environment"]["sdkPipelineOptions"]["options"]["pipelineUrl"])


def settings_of(job: dict) -> dict:
    """What a job asks of Dataflow, in one flat table."""
    environment = job["environment"]
    (pool,) = environment["workerPools"]
    hints = {urn: value.decode() for one in used(staged(job)) for urn, value in one.resource_hints.items()}
    return {
        "machine": pool["machineType"],
        "disk": pool["diskSizeGb"],
        "workers": pool["autoscalingSettings"]["maxNumWorkers"],
        "image": pool["workerHarnessContainerImage"],
        "addresses": pool["ipConfiguration"],
        "subnetwork": pool["subnetwork"],
        "packages": [package["name"] for package in pool["packages"]],
        "account": environment["serviceAccountEmail"],
        "flex": environment.get("flexResourceSchedulingGoal"),
        "one process": "no_use_multiple_sdk_containers" in environment["experiments"],
        "hints": {urn.split(":")[2]: value for urn, value in hints.items()},
    }


def used(pipeline: beam_runner_api_pb2.Pipeline) -> list:
    """The environments in which the steps run."""
    components = pipeline.components
    names = {step.environment_id for step in components.transforms.values() if step.environment_id}
    return [components.environments[name] for name in sorted(names)]


def fused(pipeline: beam_runner_api_pb2.Pipeline) -> list[set[str]]:
    """The steps that Beam's own optimiser runs without a shuffle between them."""
    phases = [translations.annotate_downstream_side_inputs, translations.expand_gbk, translations.greedily_fuse]
    _, stages = translations.create_and_optimize_stages(pipeline, phases=phases, known_runner_urns=frozenset())
    return [{step.unique_name for step in stage.transforms} for stage in stages]


def test_a_recipe_goes_through_all_its_jobs_and_a_second_run_submits_none(store, tmp_path):
    folder = store.folder()
    manifest = tmp_path / "numbers.txt"  # the submitter reads it: it may be local
    manifest.write_text("\n".join(map(str, range(1, 31))))
    settings = NumbersConfig(dataflow=section(folder))
    local = Order(RECIPE, NumbersConfig(), str(manifest), str(tmp_path / "local"))
    run(local)
    with dataflow_service() as service:
        for _ in range(2):
            run(Order(RECIPE, settings, str(manifest), f"{folder}/run", service.arguments))
        jobs = service.jobs()
    expected = cut_jobs(RECIPE.stages_of(settings), settings.jobs)
    assert [job["name"] for job in jobs] == [job_name(f"{folder}/run", job) for job in expected]
    for table in ("doubles", "halves", "sums", "ledger/double", "ledger/halve", "ledger/sum"):
        assert table_content(f"{folder}/run", table) == table_content(local.run, table), table


@pytest.fixture(scope="module")
def on_gpus(store, site):
    """The recipe webbody with models on CUDA, submitted from this machine, which has none; jobs, sizes and the run."""
    folder = store.folder()
    values = [f"dataflow.{key}={json.dumps(value)}" for key, value in section(folder).items()]
    with pytest.MonkeyPatch.context() as patch, dataflow_service("run", "pretend-cuda") as service:
        clock = SimpleNamespace(time=time.time, sleep=lambda seconds: time.sleep(seconds / 20))
        patch.setattr(dataflow_runner, "time", clock)
        more = ("models.device=cuda", *values)
        run_webbody(site.manifest, f"{folder}/run", site.port, *more, beam=service.arguments)
        jobs = service.jobs()
        yield jobs, [service.sizes(number + 1) for number in range(len(jobs))], f"{folder}/run"


def test_each_job_asks_for_the_machines_of_its_pool_and_only_inference_for_gpus(on_gpus):
    jobs, _, _ = on_gpus
    common = {
        "addresses": WorkerIPAddressConfiguration.WORKER_IP_PRIVATE,
        "subnetwork": f"regions/{REGION}/subnetworks/private",
        "packages": ["submission_environment_dependencies.txt"],  # a list for Dataflow's pages; nothing is installed
        "account": "workers@manyfaces-test.iam.gserviceaccount.com",
    }
    cpu = common | {
        "machine": "n2-standard-4", "disk": 50, "workers": 40, "image": "registry/manyfaces:cpu",
        "flex": FlexResourceSchedulingGoal.FLEXRS_COST_OPTIMIZED, "one process": False, "hints": {},
    }  # fmt: skip
    gpu = common | {
        "machine": "g2-standard-8", "disk": 200, "workers": 4, "image": "registry/manyfaces:cuda",
        "flex": None, "one process": True, "hints": {"accelerator": ACCELERATOR, "min_ram_bytes": "16000000000"},
    }  # fmt: skip
    assert [settings_of(job) for job in jobs] == [cpu, gpu, cpu, cpu]


def test_the_run_on_gpu_jobs_equals_a_local_one(on_gpus, whole_run):
    _, _, folder = on_gpus
    for table, key in (("images", "image_id"), ("bodies", "body_id"), ("faces", "face_id"), ("identities", "face_id")):
        assert column(folder, table, key) == column(whole_run, table, key), table
    for stage in STAGES:
        assert table_content(folder, f"ledger/{stage}").keys() == table_content(whole_run, f"ledger/{stage}").keys()
    there, here = (np.array(column(each, "embeddings", "vector"), np.float32) for each in (folder, whole_run))
    assert np.allclose(there, here, atol=2e-3)  # batches are larger for GPUs


def test_pixels_stay_inside_fused_chains(on_gpus):
    jobs, sizes, _ = on_gpus
    assert max(sizes[1].values()) > 1_000_000  # whole images in float32: they were measured
    for job, largest in zip(jobs, sizes, strict=True):
        steps = staged(job).components.transforms.values()
        crossing = {name for step in steps if step.spec.urn in ACROSS_WORKERS for name in step.inputs.values()}
        assert crossing
        crossing.update(name for step in steps for name in side_inputs(step))
        assert {name: largest[name] for name in crossing if largest.get(name, 0) > SHUFFLED_BYTES} == {}


def side_inputs(step) -> list[str]:
    """The PCollections that a ParDo reads as a whole."""
    if step.spec.urn != "beam:transform:pardo:v1":
        return []
    payload = beam_runner_api_pb2.ParDoPayload.FromString(step.spec.payload)
    return [step.inputs[tag] for tag in payload.side_inputs]


def test_a_row_chain_is_one_environment_and_fuses_whole(on_gpus):
    jobs, _, _ = on_gpus
    pipeline = staged(jobs[1])
    assert len(used(pipeline)) == 1
    parts = (one for one in pipeline.components.transforms.values() if one.environment_id and not one.subtransforms)
    steps = {one.unique_name for one in parts}
    chain = {
        step
        for step in steps
        if step.split("/")[0] in ("Read chunks", "Bodies", "Faces", "Embeddings") or step.endswith("Commit chunks")
    }
    assert len(chain) > 30
    stages = fused(pipeline)
    assert any(chain <= stage for stage in stages)
    assert len(stages) > 3  # what is behind a shuffle is apart: a fuser that joins all would show nothing


def test_a_step_with_hints_of_its_own_would_tear_the_chain(on_gpus):
    jobs, _, _ = on_gpus
    pipeline = staged(jobs[1])
    components = pipeline.components
    (name,) = {step.environment_id for step in components.transforms.values() if step.environment_id}
    components.environments["other"].CopyFrom(components.environments[name])
    components.environments["other"].resource_hints["beam:resources:min_ram_bytes:v1"] = b"1"
    next(step for step in components.transforms.values() if step.unique_name == "Faces/Align").environment_id = "other"
    assert not any({"Faces/Align", "Faces/Leave"} <= stage for stage in fused(pipeline))


@pytest.fixture
def numbers(tmp_path, monkeypatch, store):
    """`manyfaces run` of the small recipe: the command line for a service, and its run's folder."""
    folder = store.folder()
    settings = tmp_path / "numbers.yaml"
    settings.write_text(
        yaml.safe_dump({"recipe": "tests.beam_pipelines.numbers_recipe:RECIPE", "dataflow": section(folder)})
    )
    manifest = tmp_path / "numbers.txt"
    manifest.write_text("1 2 3")
    command = ["run", str(settings), "--input", str(manifest), "--output", f"{folder}/run"]
    return lambda service: [*command, *service.arguments]


def test_launches_of_the_template_do_a_run_job_by_job(numbers, store, capfd):
    with dataflow_service() as service:
        command = numbers(service)
        given = {name: command[command.index(f"--{name}") + 1] for name in ("input", "output")}
        folder = given["output"]
        for number, job in enumerate(("double+halve", "sum"), 1):
            file = f"{folder}.launch-{number}"
            parameters = [f"--config={command[1]}", *(f"--{name}={value}" for name, value in given.items())]
            launcher = [f"--template_location={file}", "--no_auth", f"--job_name=launch-{number}"]
            assert cli.main(template.command([*parameters, f"--job={job}", *launcher])) == cli.DONE
            assert len(service.jobs()) == number - 1  # the launcher submits, not we
            hand_over(service, file)
        assert cli.main(command) == cli.DONE  # proves the last job's counts, and starts nothing
        assert len(service.jobs()) == 2
    assert read_record(folder)["finished"]
    assert column(folder, "sums", "value") == [12 * 2]


def hand_over(service, file: str) -> None:
    """What the launcher does with the file of a job: submit it; and what an orchestrator does: wait for its end."""
    with FileSystems.open(file) as job:
        url = f"http://127.0.0.1:{service.port}/v1b3/projects/{PROJECT}/locations/{REGION}/jobs"
        with urllib.request.urlopen(urllib.request.Request(url, job.read())) as answer:
            url += "/" + json.loads(answer.read())["id"]
    deadline = time.monotonic() + 60
    while (state := state_at(url)) != "JOB_STATE_DONE":
        assert state == "JOB_STATE_RUNNING"
        assert time.monotonic() < deadline
        time.sleep(0.05)


def state_at(url: str) -> str:
    with urllib.request.urlopen(url) as answer:
        return json.loads(answer.read())["currentState"]


def test_a_job_is_submitted_only_after_those_before_it_and_not_waited_for(numbers, capfd):
    with dataflow_service("active") as service:
        command = numbers(service)
        assert cli.main([*command, "--submit", "sum"]) == cli.FAILED
        assert "--submit sum: job 1, double+halve, comes first and is not done." in capfd.readouterr().err
        assert cli.main([*command, "--submit", "1"]) == cli.DONE
        assert "job double+halve is on its way" in capfd.readouterr().out
        assert len(service.jobs()) == 1
    assert cli.main([*command[:-3], "--submit", "1"]) == cli.UNUSABLE


ENDINGS = [
    ("failed", "Dataflow job 2026-01-01_00_00_00-1 did not succeed (State: FAILED, Error: Workers ran out of patience"),
    ("failed", f"https://console.cloud.google.com/dataflow/jobs/{REGION}/2026-01-01_00_00_00-1?project={PROJECT}"),
    ("cancelled", "Dataflow job 2026-01-01_00_00_00-1 did not succeed (State: CANCELLED)"),
    ("403", "403 (project manyfaces-test, region europe-west4)"),
    ("403", "roles/dataflow.developer"),
    ("404", "Check dataflow.project, dataflow.region and the bucket."),
]


@pytest.mark.parametrize("ending", ["failed", "cancelled", "403", "404"])
def test_what_does_not_succeed_is_told_in_one_line_and_ends_with_code_1(numbers, capfd, ending):
    with dataflow_service(ending) as service:
        assert cli.main(numbers(service)) == cli.FAILED
    told = [line for line in capfd.readouterr().err.splitlines() if line.startswith("manyfaces: ")]
    assert len(told) == 1
    assert [text for of, text in ENDINGS if of == ending and text not in told[0]] == []


def test_a_job_that_an_earlier_submitter_left_is_not_started_twice(numbers, capfd, store):
    with dataflow_service("active") as service:
        command = numbers(service)
        order_run = command[command.index("--output") + 1]
        first = cut_jobs(RECIPE.stages_of(NumbersConfig()), NumbersConfig().jobs)[0]
        left = json.dumps({"name": job_name(order_run, first), "clientRequestId": "earlier"}).encode()
        url = f"http://127.0.0.1:{service.port}/v1b3/projects/{PROJECT}/locations/{REGION}/jobs"
        urllib.request.urlopen(urllib.request.Request(url, left)).close()
        assert cli.main(command) == cli.FAILED
        assert len(service.jobs()) == 1
    assert "is still active, perhaps of a submitter that died; wait for its end" in capfd.readouterr().err
    assert not exists(f"{order_run}/attempt")  # its workers may still commit
