"""Running a pipeline on the runner that the options name, in a thread beside which progress can be shown."""

import copy
import os
import shlex
import sys
from collections.abc import Callable
from threading import Thread

import apache_beam as beam
from apache_beam.options.pipeline_options import DirectOptions, PipelineOptions, StandardOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.runners.runner import PipelineRunner, PipelineState
from apache_beam.transforms.environments import SubprocessSDKEnvironment

from beam_pipelines import worker
from beam_pipelines.errors import PipelineFailed
from beam_pipelines.worker import RUN_VARIABLE

LOCAL = ("DirectRunner", "FnApiRunner")
_UNSET = "in_memory"  # Beam's own default


def is_local(options: PipelineOptions) -> bool:
    """Whether the pipeline runs on this machine's embedded runner."""
    return (options.view_as(StandardOptions).runner or "DirectRunner") in LOCAL


def with_defaults(arguments: list[str]) -> PipelineOptions:
    """Beam's options; on this machine as many workers as there are cores, unless the arguments say otherwise."""
    given = {argument.partition("=")[0] for argument in arguments}
    workers = [] if "--direct_num_workers" in given else [f"--direct_num_workers={os.cpu_count() or 1}"]
    return PipelineOptions(arguments + workers)


def in_processes(options: PipelineOptions, much_python: bool) -> bool:
    """Whether the local workers are processes; `--direct_running_mode` decides, and if it is not given the work.

    Inference, decoding and FAISS release the interpreter's lock, and threads share the models. Work that is mostly
    Python (`much_python`) runs up to twice as fast in processes, which take about two seconds to start.
    """
    mode = options.view_as(DirectOptions).direct_running_mode
    return is_local(options) and (mode == "multi_processing" or (mode == _UNSET and much_python))


def _runner(options: PipelineOptions, processes: bool) -> PipelineRunner | str:
    """The runner; DirectRunner is pinned to FnApiRunner, since Beam's own choice depends on what can be downloaded."""
    if not is_local(options):
        return str(options.view_as(StandardOptions).runner)
    direct = options.view_as(DirectOptions)
    if processes:
        direct.direct_running_mode = _UNSET  # then the runner takes the environment that it is given
        # glibc's default of 8 arenas a core keeps what many threads freed: up to 40 % more resident memory in long runs
        setting = f"MALLOC_ARENA_MAX=2 {RUN_VARIABLE}={os.getpid()}"
        command = f"{setting} exec {shlex.quote(sys.executable)} -m {worker.__name__}"
        return FnApiRunner(SubprocessSDKEnvironment.from_command_string(command))
    if direct.direct_running_mode == _UNSET:
        direct.direct_running_mode = "multi_threading"
    return FnApiRunner()


def _sentence(error: BaseException) -> str:
    """An error's message on one line; of a worker's traceback only what stands behind its last frame."""
    lines = str(error).strip().splitlines()
    if any(line.startswith("Traceback ") for line in lines):
        lines = lines[1 + max(place for place, line in enumerate(lines) if line.startswith(("  ", "Traceback "))) :]
    return " ".join(" ".join(lines).split()) or type(error).__name__


class Running(Thread):
    """A pipeline on its way; `outcome()` raises PipelineFailed if it failed."""

    def __init__(
        self, build: Callable[[beam.Pipeline], None], options: PipelineOptions, processes: bool = False
    ) -> None:
        super().__init__(daemon=True, name="pipeline")
        self._build, self._options, self._processes = build, copy.deepcopy(options), processes
        self._error: BaseException | None = None

    def run(self) -> None:
        """Build and run to the end."""
        try:
            runner = _runner(self._options, self._processes)
            pipeline = beam.Pipeline(runner=runner, options=self._options)
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
