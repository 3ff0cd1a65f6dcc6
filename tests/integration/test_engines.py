"""One configuration gives equal tables on every engine: ids, boxes and labels, and embeddings bit for bit."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.engines import flink, prism
from tests.engines.fetch import Unavailable
from tests.integration.runs import assert_same_run, run_webbody

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]


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


ENGINES = [
    pytest.param(lambda: local("--direct_num_workers=1"), id="direct, one worker"),
    pytest.param(lambda: local("--direct_num_workers=3"), id="direct, three threads"),
    pytest.param(
        lambda: local("--direct_num_workers=2", "--direct_running_mode=multi_processing"), id="direct, two processes"
    ),
    pytest.param(on_prism, id="prism", marks=pytest.mark.prism),
    pytest.param(on_embedded_flink, id="flink, embedded", marks=pytest.mark.flink),
    pytest.param(on_a_flink_cluster, id="flink, two task managers", marks=pytest.mark.flink),
]


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_gives_the_same_tables(engine, site, whole_run, tmp_path):
    try:
        with engine() as arguments:
            run = run_webbody(site.manifest, tmp_path / "run", site.port, beam=arguments)
    except Unavailable as why:
        pytest.skip(str(why))
    assert_same_run(run, whole_run)
