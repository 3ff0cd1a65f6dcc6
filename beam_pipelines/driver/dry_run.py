"""A dry run: every job of a recipe as it would go to the runner, written to files; nobody is asked, nothing is read."""

import os
from dataclasses import dataclass
from typing import cast

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions, TestOptions, WorkerOptions
from apache_beam.portability.api import beam_runner_api_pb2
from google.protobuf import json_format

from beam_pipelines.driver import storage
from beam_pipelines.driver.jobs import cut_jobs
from beam_pipelines.driver.order import Order
from beam_pipelines.driver.pipelines import row_pipeline, table_pipeline
from beam_pipelines.driver.work import Work
from beam_pipelines.runners.options import runner_name
from transforms.flow.stages import Job, RowStage, TableStage

NOTE = "A dry run reads neither the manifest nor the run's folder: the lists of chunks are empty in these files."


@dataclass(frozen=True, slots=True)
class Description:
    """A job that would be run: its steps (transforms without parts), where it would run, the files that describe it."""

    job: Job
    steps: int
    machine: str
    gpu: str
    image: str
    files: tuple[str, ...]


def describe(order: Order, folder: str) -> list[Description]:
    """Write `<number>-<stages>.pipeline.json`, and for Dataflow the request `<number>-<stages>.job.json`, of every job.

    ConfigError where a job could not be run so.
    """
    jobs = cut_jobs(order.stages(), order.config.jobs)
    options = [order.options(job) for job in jobs]  # all are checked before any is written
    storage.check_folder(folder, "--dry-run")
    storage.make_folder(folder, "--dry-run")
    return [_describe(order.run, job, made, folder) for job, made in zip(jobs, options, strict=True)]


def _describe(run: str, job: Job, options: PipelineOptions, folder: str) -> Description:
    proto, request = _build(run, job, options)
    base = os.path.join(folder, f"{job.number}-{job.name}")
    texts = {f"{base}.pipeline.json": json_format.MessageToJson(proto)}
    if request is not None:
        texts[f"{base}.job.json"] = request
    for path, text in texts.items():
        with open(path, "w", encoding="utf-8") as out:
            out.write(text + "\n")
    workers = options.view_as(WorkerOptions)
    hints = dict(hint.split("=", 1) for hint in options.view_as(StandardOptions).resource_hints)
    steps = sum(not transform.subtransforms for transform in proto.components.transforms.values())
    return Description(
        job,
        steps,
        workers.machine_type or "",
        hints.get("accelerator", ""),
        workers.sdk_container_image or "",
        tuple(sorted(texts)),
    )


def _build(run: str, job: Job, options: PipelineOptions) -> tuple[beam_runner_api_pb2.Pipeline, str | None]:
    """The pipeline's proto and, on Dataflow, the request as JSON."""
    if runner_name(options) == "DataflowRunner":
        return _build_for_dataflow(run, job, options)
    pipeline = beam.Pipeline(options=options)
    _fill(pipeline, run, job)
    return pipeline.to_runner_api(), None


def _fill(pipeline: beam.Pipeline, run: str, job: Job) -> None:
    if job.by_rows:
        row_pipeline(pipeline, run, Work(cast(tuple[RowStage, ...], job.stages), ()), attempt="dry-run")
    else:
        table_pipeline(pipeline, run, cast(tuple[TableStage, ...], job.stages))


def _build_for_dataflow(run: str, job: Job, options: PipelineOptions) -> tuple[beam_runner_api_pb2.Pipeline, str]:
    """As the runner does it; Beam's own dry run ends before the request has its environment, so that is added here."""
    from apache_beam.runners.dataflow.dataflow_runner import DataflowRunner
    from apache_beam.runners.dataflow.internal import apiclient

    options.view_as(TestOptions).dry_run = True
    runner = DataflowRunner()
    pipeline = beam.Pipeline(runner=runner, options=options)
    _fill(pipeline, run, job)
    job_request = pipeline.run().job
    job_request.options.view_as(TestOptions).dry_run = False  # else the request would say so
    staged = f"{job_request.google_cloud_options.staging_location}/pipeline.pb"
    version = apiclient._FNAPI_ENVIRONMENT_MAJOR_VERSION
    environment = apiclient.Environment(
        _packages(runner.proto_pipeline), job_request.options, version, staged, proto_pipeline=runner.proto_pipeline
    )
    job_request.proto.environment = environment.proto
    return runner.proto_pipeline, job_request.json()


def _packages(proto: beam_runner_api_pb2.Pipeline) -> list[str]:
    """The names of the files that would be staged for the workers."""
    role = beam_runner_api_pb2.ArtifactStagingToRolePayload
    environments = proto.components.environments.values()
    return sorted({role.FromString(file.role_payload).staged_name for one in environments for file in one.dependencies})
