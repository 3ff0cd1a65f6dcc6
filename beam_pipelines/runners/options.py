"""Which runner a job runs on, and Beam's options for it."""

import os
from collections.abc import Sequence
from typing import Protocol

from apache_beam.options.pipeline_options import DirectOptions, PipelineOptions, StandardOptions

from beam_pipelines.errors import ConfigError
from beam_pipelines.runners import dataflow, dataflow_jobs, flink
from model_handlers.named import nearest
from transforms.flow.stages import Job

DIRECT = ("DirectRunner", "FnApiRunner")
KNOWN = (*DIRECT, "PrismRunner", "FlinkRunner", "DataflowRunner")
UNSET_MODE = "in_memory"  # Beam's own default


def runner_name(options: PipelineOptions) -> str:
    """The runner that the options name; DirectRunner if none."""
    return str(options.view_as(StandardOptions).runner or "DirectRunner").rpartition(".")[2]


def is_direct(options: PipelineOptions) -> bool:
    """Whether the pipeline runs on Beam's own runner for one machine, in threads or processes of it."""
    return runner_name(options) in DIRECT


def local_options(arguments: Sequence[str] = ()) -> PipelineOptions:
    """Beam's options on this machine: as many workers as there are cores, unless the arguments say otherwise."""
    return PipelineOptions([f"--direct_num_workers={os.cpu_count() or 1}", *arguments])


class Engines(Protocol):
    """What a configuration says of the engines."""

    @property
    def flink(self) -> flink.FlinkSettings:
        """Of Flink."""

    @property
    def dataflow(self) -> dataflow.DataflowSettings:
        """Of Dataflow."""


def options_for(arguments: Sequence[str], engines: Engines, run: str, job: Job, gpu: bool) -> PipelineOptions:
    """Beam's options for one job of a run, which may need a GPU: the engine's section, then the command line's."""
    name = runner_name(PipelineOptions(list(arguments)))
    if name == "FlinkRunner":
        return flink.options(engines.flink, arguments)
    if name == "DataflowRunner":
        return dataflow.options(engines.dataflow, arguments, run, job, gpu)
    if name in KNOWN:
        return local_options(arguments)
    raise ConfigError(f"--runner {name}: manyfaces does not know this runner; {nearest(name, KNOWN)}")


def check_idle(options: Sequence[PipelineOptions]) -> None:
    """RunFailed if one of a run's jobs is active, left behind by a submitter that died; only Dataflow can tell."""
    if options and runner_name(options[0]) == "DataflowRunner":
        dataflow_jobs.check_idle(options)


def in_processes(options: PipelineOptions, much_python: bool) -> bool:
    """Whether the local workers are processes; `--direct_running_mode` decides, and if it is not given the work.

    Inference, decoding and FAISS release the interpreter's lock, and threads share the models. Work that is mostly
    Python (`much_python`) runs up to twice as fast in processes, which take about two seconds to start.
    """
    mode = options.view_as(DirectOptions).direct_running_mode
    return is_direct(options) and (mode == "multi_processing" or (mode == UNSET_MODE and much_python))
