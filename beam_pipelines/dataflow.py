"""Running on Dataflow: what the configuration's section `dataflow` means in Beam's options."""

from pydantic import Field

from beam_pipelines.stages import Job
from transforms.settings import Settings


class DataflowSettings(Settings):
    """The Dataflow service that `--runner DataflowRunner` submits to, and its workers."""

    project: str | None = Field(None, description="the Google Cloud project that pays")


def arguments(settings: DataflowSettings, run: str, job: Job, gpu: bool) -> list[str]:
    """Beam's options for a job of the run; `gpu`: it runs models on GPUs."""
    return [] if settings.project is None else [f"--project={settings.project}"]
