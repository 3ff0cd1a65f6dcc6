"""Engines of this machine: blocks that give Beam's options for a job on it."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

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
    yield flink.embedded_arguments()


@contextmanager
def on_a_flink_cluster() -> Iterator[list[str]]:
    with flink.flink_cluster(2) as cluster:
        yield cluster.arguments
        pools = [path.read_text() for path in cluster.folder.glob("worker-pool-*.log")]
        assert all("process" in pool for pool in pools), "a pool was never asked for a worker"


@contextmanager
def options_of(engine) -> Iterator[list[str]]:
    """Beam's options for a job on the engine; without it the test is skipped."""
    try:
        with engine() as arguments:
            yield arguments
    except Unavailable as why:
        pytest.skip(str(why))
