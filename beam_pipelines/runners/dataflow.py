"""Running on Dataflow: what the configuration's section `dataflow` means in Beam's options.

Jobs with models on a GPU run on the pool `gpu`, all others on the pool `cpu`. The GPU is a resource hint for the whole
job: steps of different hints do not fuse, and pixels would cross the shuffle between them.
"""

import hashlib
import re
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any, Literal

from apache_beam.options.pipeline_options import (
    GoogleCloudOptions,
    PipelineOptions,
    SetupOptions,
    StandardOptions,
    WorkerOptions,
)
from pydantic import Field, field_validator

from beam_pipelines.errors import ConfigError
from transforms.flow.stages import Job
from transforms.settings import Settings
from transforms.tables.files import is_local

_NAME_LENGTH = 63  # the API takes longer names; labels and the machines' names do not
_WORD_LENGTH = 20  # of the recipe's and of the run's name in a job's


class _Pool(Settings):
    """Machines of one kind."""

    image: str | None = Field(
        None, description="the container image of the workers, with manyfaces in it, as its registry names it"
    )
    machine_type: str = Field("n2-standard-4", pattern=r"^[a-z][a-z0-9-]+$", description="of Compute Engine")
    disk_gb: int = Field(50, ge=25, le=65536, description="boot disk of a worker, GB; image, models, temporary files")
    disk_type: Literal["pd-standard", "pd-balanced", "pd-ssd", "hyperdisk-balanced"] = Field(
        "pd-balanced", description="kind of boot disk"
    )
    max_workers: int = Field(10, ge=1, le=4000, description="machines, at most; autoscaling begins with one")
    threads: int | None = Field(
        None, ge=1, le=1000, description="bundles at once in an SDK process; null for Dataflow's choice"
    )
    min_ram_gb: float | None = Field(
        None,
        gt=0,
        le=12_000,
        description="resource hint: memory of a worker, GB, at least; null for the machine type's",
    )


class CpuPool(_Pool):
    """The workers of jobs that need no GPU."""

    capacity: Literal["standard", "flex"] = Field(
        "standard",
        description="flex: FlexRS, cheaper machines of which most may be taken away; each job may wait up to 6 hours",
    )

    @field_validator("capacity", mode="before")
    @classmethod
    def _no_spot(cls, value: Any) -> Any:
        if value == "spot":
            raise ValueError("Dataflow offers no spot workers as such; flex (FlexRS) mixes preemptible ones in")
        return value


class GpuPool(_Pool):
    """The workers of jobs with models on a GPU."""

    machine_type: str = Field(
        "g2-standard-8", pattern=r"^[a-z][a-z0-9-]+$", description="of Compute Engine; one that carries the accelerator"
    )
    disk_gb: int = Field(100, ge=25, le=65536, description="boot disk of a worker, GB; the CUDA image takes 5 and more")
    threads: int | None = Field(8, ge=1, le=1000, description="bundles at once in an SDK process")
    accelerator: str = Field("nvidia-l4", pattern=r"^[a-z][a-z0-9-]+$", description="kind of GPU")
    count: int = Field(1, ge=1, le=16, description="GPUs of a machine; ONNX sessions use the first")
    driver: Literal["default", "5xx", "none"] = Field(
        "5xx", description="NVIDIA driver that Dataflow installs on the machine: its default, a 5xx, or none"
    )
    share_process: bool = Field(
        True,
        description="one SDK process a machine, whose threads share the models; "
        "else one for each vCPU, each with its own models on the same GPU",
    )
    capacity: Literal["standard", "flex_start"] = Field(
        "standard", description="flex_start: machines are queued for until the GPUs are to be had (a preview)"
    )

    @field_validator("capacity", mode="before")
    @classmethod
    def _no_flexrs(cls, value: Any) -> Any:
        if value in ("flex", "spot"):
            raise ValueError(
                f"Dataflow has no {value} capacity for GPUs (FlexRS excludes them); standard or flex_start"
            )
        return value


class DataflowSettings(Settings):
    """The Dataflow service that `--runner DataflowRunner` submits to, and its workers."""

    project: str | None = Field(
        None, pattern=r"^[a-z][-a-z0-9:.]+[a-z0-9]$", description="the Google Cloud project that runs the jobs and pays"
    )
    region: str | None = Field(None, pattern=r"^[a-z]+-[a-z]+\d+$", description="where they run, such as europe-west4")
    temp_location: str | None = Field(
        None, pattern=r"^gs://[^/]+/.+", description="folder for temporary and staged files, gs://bucket/folder"
    )
    service_account: str | None = Field(
        None, pattern=r"^[^@\s]+@[^@\s]+$", description="account of the workers; null for Compute Engine's default"
    )
    network: str | None = Field(None, description="VPC network of the workers; null for `default`")
    subnetwork: str | None = Field(
        None,
        pattern=r"^(https://.+/)?regions/[^/]+/subnetworks/[^/]+$|^https://",
        description="regions/R/subnetworks/S",
    )
    public_ips: bool = Field(True, description="workers have public addresses; without them downloads need Cloud NAT")
    service_options: tuple[str, ...] = Field(
        (), description="further --dataflow_service_options, as Dataflow spells them"
    )
    cpu: CpuPool = CpuPool()
    gpu: GpuPool = GpuPool()


def options(settings: DataflowSettings, given: Sequence[str], run: str, job: Job, gpu: bool) -> PipelineOptions:
    """Beam's options for a job of the run: the settings', then those of the command line, which win.

    `gpu`: it runs models on GPUs. ConfigError for what Dataflow could not run.
    """
    if not _has_client():
        raise ConfigError("--runner DataflowRunner needs the extra gcp: pip install 'manyfaces[gcp]'.")
    made = PipelineOptions([*_arguments(settings, gpu), f"--job_name={job_name(run, job)}", *given])
    setup = made.view_as(SetupOptions)
    setup.save_main_session = bool(setup.save_main_session)  # Beam's default on Dataflow is to pickle and stage it
    _check(made, run, "gpu" if gpu else "cpu")
    return made


def _has_client() -> bool:
    try:
        return find_spec("google.cloud.dataflow") is not None
    except ModuleNotFoundError:  # not even the package above it is there
        return False


def job_name(run: str, job: Job) -> str:
    """The job's name, always the same for a job of a run: Dataflow refuses a second one while one is active.

    `manyfaces-<run>-<digest of its path>-<number>-<stages>`, lower case, at most 63 characters.
    """
    folder = run.rstrip("/")
    stages = "-".join(stage.name for stage in job.stages)
    digest = hashlib.sha256(folder.encode()).hexdigest()[:8]
    return f"manyfaces-{_word(folder.rpartition('/')[2])}-{digest}-{job.number}-{_word(stages)}"[:_NAME_LENGTH].strip(
        "-"
    )


def _word(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower())[:_WORD_LENGTH].strip("-") or "run"


def _arguments(settings: DataflowSettings, gpu: bool) -> list[str]:
    pool: CpuPool | GpuPool = settings.gpu if gpu else settings.cpu
    values = {
        "project": settings.project,
        "region": settings.region,
        "temp_location": settings.temp_location,
        "service_account_email": settings.service_account,
        "network": settings.network,
        "subnetwork": settings.subnetwork,
        "sdk_container_image": pool.image,
        "sdk_location": "container",  # Beam and manyfaces are in the image: nothing is staged or installed
        "worker_machine_type": pool.machine_type,
        "disk_size_gb": pool.disk_gb,
        "worker_disk_type": f"compute.googleapis.com/projects//zones//diskTypes/{pool.disk_type}",
        "max_num_workers": pool.max_workers,
        "number_of_worker_harness_threads": pool.threads,
    }
    arguments = [f"--{name}={value}" for name, value in values.items() if value is not None]
    arguments += [] if settings.public_ips else ["--no_use_public_ips"]
    arguments += [f"--dataflow_service_options={option}" for option in settings.service_options]
    arguments += [] if pool.min_ram_gb is None else [f"--resource_hints=min_ram={pool.min_ram_gb:g}GB"]
    if isinstance(pool, CpuPool):
        return arguments + (["--flexrs_goal=COST_OPTIMIZED"] if pool.capacity == "flex" else [])
    arguments += ["--experiments=no_use_multiple_sdk_containers"] if pool.share_process else []
    return [*arguments, f"--resource_hints=accelerator={_accelerator(pool)}"]


def _accelerator(pool: GpuPool) -> str:
    parts = [f"type:{pool.accelerator}", f"count:{pool.count}"]
    if pool.driver != "none":
        parts.append("install-nvidia-driver" + ("" if pool.driver == "default" else f":{pool.driver}"))
    if pool.capacity == "flex_start":
        parts.append("provisioning_model:FLEX_START")
    return ";".join(parts)


def _check(made: PipelineOptions, run: str, pool: str) -> None:
    cloud = made.view_as(GoogleCloudOptions)
    missing = {
        f"dataflow.{name}": f"--{name}" for name in ("project", "region", "temp_location") if not getattr(cloud, name)
    }
    if not made.view_as(WorkerOptions).sdk_container_image:
        missing[f"dataflow.{pool}.image"] = "--sdk_container_image"
    problems = [f"{key}: DataflowRunner needs it; set it, or give {option}." for key, option in missing.items()]
    if is_local(run):
        problems.append(f"--output {run}: Dataflow's workers cannot see this machine's disk; name a gs:// folder.")
    accelerated = any(hint.startswith("accelerator=") for hint in made.view_as(StandardOptions).resource_hints)
    if accelerated and cloud.flexrs_goal:
        problems.append("--flexrs_goal: FlexRS has no GPUs; set dataflow.cpu.capacity=flex for the other jobs instead.")
    if accelerated and any(option.startswith("worker_accelerator") for option in cloud.dataflow_service_options or []):
        problems.append("worker_accelerator: the GPU is a resource hint already (dataflow.gpu); leave the option out.")
    if problems:
        raise ConfigError("\n".join(problems))
