"""One configuration gives equal tables on every engine: ids, boxes and labels, and embeddings bit for bit."""

from functools import partial

import pytest

from tests.integration.engines import (
    ONE_WORKER,
    PROCESSES,
    THREADS,
    local,
    on_a_flink_cluster,
    on_embedded_flink,
    on_prism,
    options_of,
)
from tests.integration.runs import assert_same_run, run_webbody

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]


CUTS = "jobs=[[download, bodies, faces, embeddings], [identity], [bundle, splits]]"  # a job takes seconds to start
ENGINES = [
    pytest.param(partial(local, *ONE_WORKER), id="direct, one worker"),
    pytest.param(partial(local, *THREADS), id="direct, three threads"),
    pytest.param(partial(local, *PROCESSES), id="direct, two processes"),
    pytest.param(on_prism, id="prism", marks=pytest.mark.prism),
    pytest.param(on_embedded_flink, id="flink, embedded", marks=pytest.mark.flink),
    pytest.param(on_a_flink_cluster, id="flink, two task managers", marks=pytest.mark.flink),
]


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_gives_the_same_tables(engine, site, whole_run, tmp_path):
    with options_of(engine) as arguments:
        run = run_webbody(site.manifest, tmp_path / "run", site.port, CUTS, beam=arguments)
    assert_same_run(run, whole_run)
