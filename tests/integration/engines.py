"""Engines of this machine: blocks that give Beam's options for a job on it."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from apache_beam.options.pipeline_options import PipelineOptions

from beam_pipelines.runners import job_server
from tests.engines import flink, prism
from tests.engines.fetch import Unavailable

ONE_WORKER = ("--direct_num_workers=1",)
THREADS = ("--direct_num_workers=3",)
PROCESSES = ("--direct_num_workers=2", "--direct_running_mode=multi_processing")


@contextmanager
def local(*arguments: str) -> Iterator[list[str]]:
    yield ["--runner=DirectRunner", *arguments]


@contextmanager
def on_prism() -> Iterator[list[str]]:
    yield prism.arguments()


@contextmanager
def on_embedded_flink() -> Iterator[list[str]]:
    with _one_job_server(flink.embedded_arguments()) as arguments:
        yield arguments


@contextmanager
def on_a_flink_cluster() -> Iterator[list[str]]:
    with flink.flink_cluster(2) as cluster, _one_job_server(cluster.arguments) as arguments:
        yield arguments
        pools = [path.read_text() for path in cluster.folder.glob("worker-pool-*.log")]
        assert all("process" in pool for pool in pools), "a pool was never asked for a worker"


@contextmanager
def _one_job_server(arguments: list[str]) -> Iterator[list[str]]:
    """One job server for all jobs instead of one a job: a Java process takes seconds to start."""
    with job_server.serve("FlinkRunner", PipelineOptions(arguments)) as address:
        yield [*arguments, f"--job_endpoint={address}"]


@contextmanager
def options_of(engine) -> Iterator[list[str]]:
    """Beam's options for a job on the engine; without it the test is skipped."""
    try:
        with engine() as arguments:
            yield arguments
    except Unavailable as why:
        pytest.skip(str(why))
