"""Jobs on Dataflow: whether one is active, where it can be watched, and what went wrong with it, in a sentence."""

import sys
from collections.abc import Sequence
from typing import Any

from apache_beam.options.pipeline_options import GoogleCloudOptions, PipelineOptions

from beam_pipelines.errors import RunFailed


def check_idle(made: Sequence[PipelineOptions]) -> None:
    """RunFailed if one of these jobs is active already: to start the run anew would keep it from committing.

    The launch of a template is not checked: by then it is itself an active job, of the name that it will have.
    """
    from apache_beam.runners.dataflow.internal.apiclient import DataflowApplicationClient
    from google.cloud.dataflow import ListJobsRequest

    cloud = made[0].view_as(GoogleCloudOptions)
    if cloud.template_location:
        return
    ask = ListJobsRequest(project_id=cloud.project, location=cloud.region, filter=ListJobsRequest.Filter.ACTIVE)
    try:
        active = {job.name for job in DataflowApplicationClient(made[0])._jobs_client.list_jobs(ask)}
    except Exception as error:
        raise RunFailed(sentence(error, made[0]) or str(error)) from error
    for cloud in (options.view_as(GoogleCloudOptions) for options in made):
        if cloud.job_name in active:
            raise RunFailed(_still_active(cloud))


def _still_active(cloud: Any) -> str:
    return (
        f"an earlier Dataflow job {cloud.job_name} is still active, perhaps of a submitter that died; wait for its end "
        f"or cancel it, then start the run again: it goes on from what is committed. See {_console(cloud)}"
    )


def announce(result: Any, made: PipelineOptions) -> None:
    """Say where a job can be watched, if it was submitted to Dataflow."""
    if getattr(result, "has_job", False):
        where = _console(made.view_as(GoogleCloudOptions), result.job_id())
        print(f"Dataflow job {result.job_id()}: {where}", file=sys.stderr, flush=True)


def sentence(error: BaseException, made: PipelineOptions) -> str | None:
    """What went wrong on Dataflow and where to look; None for what is not Dataflow's error."""
    try:
        from apache_beam.runners.dataflow.dataflow_runner import DataflowRuntimeException
        from apache_beam.runners.dataflow.internal.apiclient import DataflowJobAlreadyExistsError
        from google.api_core.exceptions import GoogleAPICallError
        from google.auth.exceptions import DefaultCredentialsError
    except ImportError:
        return None
    cloud = made.view_as(GoogleCloudOptions)
    if isinstance(error, DataflowRuntimeException):
        job = error.result.job_id()
        told = " ".join(str(error).split()).removeprefix("Dataflow pipeline failed. ").removesuffix(", Error: None")
        return f"Dataflow job {job} did not succeed ({told}). See {_console(cloud, job)}"
    if isinstance(error, DataflowJobAlreadyExistsError):
        return _still_active(cloud)
    if isinstance(error, DefaultCredentialsError):
        return "there are no Google credentials; run `gcloud auth application-default login`, or use a service account."
    if isinstance(error, GoogleAPICallError):
        where = f"project {cloud.project}, region {cloud.region}"
        return f"Google's answer was {error.code} ({where}): {error.message} {_mend(error.code)}"
    return None


def _mend(code: int | None) -> str:
    return {
        401: "Run `gcloud auth application-default login`.",
        403: "Enable the Dataflow API, and give the account that submits roles/dataflow.developer (docs/dataflow.md).",
        404: "Check dataflow.project, dataflow.region and the bucket.",
    }.get(code or 0, "Start the run again: it goes on from the committed shards.")


def _console(cloud: Any, job: str | None = None) -> str:
    place = f"jobs/{cloud.region}/{job}" if job else "jobs"
    return f"https://console.cloud.google.com/dataflow/{place}?project={cloud.project}"
