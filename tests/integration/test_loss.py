"""Processes that are lost in the middle of a long run on this machine."""

import os
import signal
from pathlib import Path

import pytest

from tests.engines import prism
from tests.engines.fetch import Unavailable
from tests.integration.command import finish
from tests.integration.crowd import assert_same_download, finished, start, wait_for_chunks
from tests.integration.runs import workers

pytestmark = [
    pytest.mark.integration,
    pytest.mark.xdist_group("crowd"),
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc"),
]
PROCESSES = ("--direct_running_mode=multi_processing", "--direct_num_workers=2")


@pytest.fixture(params=["local", pytest.param("prism", marks=pytest.mark.prism)])
def processes(request):
    """Beam's options for a run whose workers are processes."""
    if request.param == "local":
        return PROCESSES
    try:
        return prism.arguments()
    except Unavailable as why:
        pytest.skip(str(why))


def test_a_run_survives_the_loss_of_a_worker_process(processes, crowd_site, whole_crowd, tmp_path):
    output = tmp_path / "run"
    process = start(crowd_site, output, *processes)
    wait_for_chunks(process, output, 6)
    before = finished(output)
    os.kill(int(workers(process.id)[0].parent.name), signal.SIGKILL)
    messages = finish(process)
    assert messages.count("a worker process was lost") == 1
    assert "Traceback" not in messages
    assert before.items() <= finished(output).items(), "a finished chunk was done again"
    assert_same_download(str(output), whole_crowd)
    assert not list(output.rglob(".*")), "temporary files are left"


@pytest.mark.parametrize("beam", [(), PROCESSES], ids=["threads", "processes"])
def test_a_run_whose_submitter_was_lost_goes_on_when_it_is_started_again(crowd_site, whole_crowd, tmp_path, beam):
    output = tmp_path / "run"
    for chunks in (6, 20):
        process = start(crowd_site, output, *beam)
        wait_for_chunks(process, output, chunks)
        process.kill()
    before = finished(output)
    finish(start(crowd_site, output, *beam))
    assert before.items() <= finished(output).items(), "a finished chunk was done again"
    assert_same_download(str(output), whole_crowd)
    assert not list(output.rglob(".*")), "temporary files are left"
