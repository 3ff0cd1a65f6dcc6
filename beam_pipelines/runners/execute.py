"""Running a pipeline on the runner that the options name, in a thread beside which progress can be shown."""

import copy
import logging
import re
import shlex
from collections.abc import Callable
from threading import Thread

import apache_beam as beam
import grpc
from apache_beam.options.pipeline_options import DirectOptions, PipelineOptions
from apache_beam.portability.api import beam_provision_api_pb2
from apache_beam.runners.portability.fn_api_runner import FnApiRunner, worker_handlers
from apache_beam.runners.portability.fn_api_runner.fn_runner import ExtendedProvisionInfo
from apache_beam.runners.portability.portable_runner import JobServiceHandle
from apache_beam.runners.runner import PipelineResult, PipelineRunner, PipelineState
from apache_beam.transforms.environments import SubprocessSDKEnvironment

from beam_pipelines.errors import PipelineFailed, WorkerLost
from beam_pipelines.runners import dataflow_jobs, worker
from beam_pipelines.runners.beside import beside
from beam_pipelines.runners.notebook import plain_labels
from beam_pipelines.runners.options import UNSET_MODE, is_direct, runner_name
from transforms.child_python import child_command
from transforms.disk import FULL, is_full

_log = logging.getLogger("manyfaces.runner")
_STOP_SECONDS = 30  # for a job that was cancelled to end, and the processes beside it
_LOSSES = ("Channel closed prematurely", "SDK worker disconnected")  # what the local runner says, and Prism


def _runner(options: PipelineOptions, processes: bool) -> PipelineRunner | str:
    """The runner; DirectRunner is pinned to FnApiRunner, since Beam's own choice depends on what can be downloaded."""
    if not is_direct(options):
        return runner_name(options)
    # Every second a thread of Beam's local runner sends what waits in a buffer on its way to or from a shuffle, and
    # then empties the buffer: what a bundle writes between the two is lost, or cut in the middle. Without that thread
    # a buffer is sent when it is full, and at the bundle's end.
    worker_handlers.DATA_BUFFER_TIME_LIMIT_MS = 0
    direct = options.view_as(DirectOptions)
    if processes:
        direct.direct_running_mode = UNSET_MODE  # then the runner takes the environment that it is given
        # glibc's default of 8 arenas a core keeps what many threads freed: up to 40 % more resident memory in long runs
        command = f"MALLOC_ARENA_MAX=2 exec {shlex.join(child_command(worker.__name__))}"
        environment = SubprocessSDKEnvironment.from_command_string(command)
        return FnApiRunner(environment, provision_info=_told_to_workers(options))
    if direct.direct_running_mode == UNSET_MODE:
        direct.direct_running_mode = "multi_threading"
    return FnApiRunner()


def _told_to_workers(options: PipelineOptions) -> ExtendedProvisionInfo:
    """The job's options, which Beam's local runner gives its processes only so: the storages' clients need theirs."""
    given = JobServiceHandle.encode_pipeline_options(options.get_all_options(drop_default=True))
    return ExtendedProvisionInfo(beam_provision_api_pb2.ProvisionInfo(pipeline_options=given))


def _sentence(error: BaseException) -> str:
    """An error's message on one line; of a worker's traceback only what stands behind its last frame."""
    lines = str(error).strip().splitlines()
    if any(line.startswith("Traceback ") for line in lines):
        lines = lines[1 + max(place for place, line in enumerate(lines) if line.startswith(("  ", "Traceback "))) :]
    return " ".join(" ".join(lines).split()) or type(error).__name__


def _full(error: BaseException) -> str | None:
    """What is said of a full disk, if that is the error: the driver's own, or in the words of a worker's."""
    if told := re.search(r"\bDiskFull: (the disk of .+?\.)(?: \[while running|\s*$)", str(error), re.MULTILINE):
        return told[1]
    if is_full(error) or any(f"[Errno {number}]" in str(error) for number in FULL):
        return f"a disk is full: {_sentence(error)} Make room, and give the same command again: it goes on."
    return None


def _lost_a_worker(error: BaseException, processes: bool) -> bool:
    """Whether the error is what the local runner or Prism says when a worker process no longer answers."""
    return any(sign in str(error) for sign in _LOSSES) or (processes and isinstance(error, grpc.RpcError))


class Running(Thread):
    """A pipeline on its way, or handed over and left (`wait`); `outcome()` raises PipelineFailed if it failed."""

    def __init__(
        self,
        build: Callable[[beam.Pipeline], None],
        options: PipelineOptions,
        processes: bool = False,
        wait: bool = True,
    ) -> None:
        super().__init__(daemon=True, name="pipeline")
        self._build, self._options, self._processes, self._wait = build, copy.deepcopy(options), processes, wait
        self._error: BaseException | None = None
        self._result: PipelineResult | None = None

    def run(self) -> None:
        """Build and run to the end."""
        try:
            with beside(self._options), plain_labels():
                self._run()
        except BaseException as error:  # handed to the waiting thread by outcome()
            self._error = error

    def _run(self) -> None:
        runner = _runner(self._options, self._processes)
        pipeline = beam.Pipeline(runner=runner, options=self._options)
        self._build(pipeline)
        result = self._result = pipeline.run()
        dataflow_jobs.announce(result, self._options)
        if not self._wait:
            return
        state = result.wait_until_finish()
        if state not in (None, PipelineState.DONE):
            raise PipelineFailed(f"the runner ended in the state {state}")

    def stop(self) -> None:
        """Have the runner cancel the job, where it can; Beam's local one cannot, and ends with this process.

        A job that goes on all the same fails at its next commit, once the run has a new attempt.
        """
        if self._result is not None:
            try:
                self._result.cancel()
            except NotImplementedError:  # Beam's local runner
                return
            except Exception as error:  # each engine's client has its own
                _log.warning("the job could not be cancelled (%s); what it still does is not committed", error)
                return
            self.join(_STOP_SECONDS)

    def outcome(self) -> None:
        """Raise what the pipeline raised, as one sentence."""
        if self._error is not None and _lost_a_worker(self._error, self._processes):
            raise WorkerLost("a worker process was lost: killed, or out of memory.") from self._error
        if self._error is not None:
            told = dataflow_jobs.sentence(self._error, self._options) or _full(self._error)
            raise PipelineFailed(told or _sentence(self._error)) from self._error
