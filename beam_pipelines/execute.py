"""Running a pipeline on the runner that the options name, in a thread beside which progress can be shown."""

import os
from collections.abc import Callable
from threading import Thread

import apache_beam as beam
from apache_beam.options.pipeline_options import DirectOptions, PipelineOptions, StandardOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.runners.runner import PipelineRunner, PipelineState

from beam_pipelines.errors import PipelineFailed

LOCAL = ("DirectRunner", "FnApiRunner")


def is_local(options: PipelineOptions) -> bool:
    """Whether the pipeline runs on this machine's embedded runner."""
    return (options.view_as(StandardOptions).runner or "DirectRunner") in LOCAL


def in_process(options: PipelineOptions) -> bool:
    """Whether it runs inside this very process, so that its counters can be read here."""
    return is_local(options) and options.view_as(DirectOptions).direct_running_mode != "multi_processing"


def with_defaults(arguments: list[str]) -> PipelineOptions:
    """Beam's options, with the defaults for local runs: a thread for each core.

    Inference, decoding and FAISS release the GIL; processes cost 6-9 s of start-up and a copy of the models each.
    """
    given = {argument.partition("=")[0] for argument in arguments}
    defaults = {"--direct_running_mode": "multi_threading", "--direct_num_workers": str(os.cpu_count() or 1)}
    return PipelineOptions(arguments + [f"{key}={value}" for key, value in defaults.items() if key not in given])


def _runner(options: PipelineOptions) -> PipelineRunner | str:
    """The runner; DirectRunner is pinned to FnApiRunner, since Beam's own choice depends on what can be downloaded."""
    return FnApiRunner() if is_local(options) else str(options.view_as(StandardOptions).runner)


def _sentence(error: BaseException) -> str:
    """An error's message on one line; of a worker's traceback only what stands behind its last frame."""
    lines = str(error).strip().splitlines()
    if any(line.startswith("Traceback ") for line in lines):
        lines = lines[1 + max(place for place, line in enumerate(lines) if line.startswith(("  ", "Traceback "))) :]
    return " ".join(" ".join(lines).split()) or type(error).__name__


class Running(Thread):
    """A pipeline on its way; `outcome()` raises PipelineFailed if it failed."""

    def __init__(self, build: Callable[[beam.Pipeline], None], options: PipelineOptions) -> None:
        super().__init__(daemon=True, name="pipeline")
        self._build, self._options = build, options
        self._error: BaseException | None = None

    def run(self) -> None:
        """Build and run to the end."""
        try:
            pipeline = beam.Pipeline(runner=_runner(self._options), options=self._options)
            self._build(pipeline)
            state = pipeline.run().wait_until_finish()
            if state not in (None, PipelineState.DONE):
                raise PipelineFailed(f"the runner ended in the state {state}")
        except BaseException as error:  # handed to the waiting thread by outcome()
            self._error = error

    def outcome(self) -> None:
        """Raise what the pipeline raised, as one sentence."""
        if self._error is not None:
            raise PipelineFailed(_sentence(self._error)) from self._error
