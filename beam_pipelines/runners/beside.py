"""What a portable engine needs beside the process that submits to it: a job server, and workers if it is embedded."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from apache_beam.options.pipeline_options import FlinkRunnerOptions, PipelineOptions, PortableOptions

from beam_pipelines.runners import job_server, worker_pool
from beam_pipelines.runners.options import runner_name

_PORTABLE = ("FlinkRunner", "PrismRunner")


@contextmanager
def beside(options: PipelineOptions) -> Iterator[None]:
    """Start what the options do not name, and put its address into them; it ends with the block.

    The workers are a pool on 127.0.0.1: those of Beam's LOOPBACK environment listen on every interface, and are threads
    of this process.
    """
    runner = runner_name(options)
    if runner not in _PORTABLE:
        yield
        return
    portable = options.view_as(PortableOptions)
    with ExitStack() as stack:
        if not portable.environment_type:
            portable.environment_type = "EXTERNAL"
            portable.environment_config = stack.enter_context(worker_pool.serve())
        if not portable.job_endpoint and not options.view_as(FlinkRunnerOptions).flink_submit_uber_jar:
            portable.job_endpoint = stack.enter_context(job_server.serve(runner, options))
        yield
