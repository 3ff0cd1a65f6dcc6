"""SIGKILL at random moments: a run that is started again ends as if nothing had happened."""

import json
import os
import random
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest

from beam_pipelines.errors import ConfigError
from tests.integration import command
from tests.integration.runs import assert_same_run, overrides, run_webbody, workers

KILLS = 8
CHUNKS = "manifest.rows_per_shard=2"
pytestmark = [pytest.mark.integration, pytest.mark.timeout(1500)]


def _start(site, output, *beam, more=()):
    return command.start("webbody", site.manifest, output, overrides(site.port, CHUNKS, *more), *beam)


def _wait_for_work(output, process):
    """Return when the run has named its attempt, or is over: until then a kill would show nothing."""
    attempt = output / "attempt"
    before = attempt.stat().st_mtime_ns if attempt.exists() else None
    while process.wait(0) is None and (not attempt.exists() or attempt.stat().st_mtime_ns == before):
        time.sleep(0.05)


def _finished_chunks(output):
    """The ledger shards that say that a chunk is done (each row job's last stage), with their times of change."""
    last = [path for stage in ("download", "embeddings") for path in output.glob(f"ledger/{stage}/part-*.parquet")]
    return {path: path.stat().st_mtime_ns for path in last}


@pytest.fixture(scope="module")
def undisturbed(site, tmp_path_factory):
    """A run in chunks of two that nobody disturbs, and the seconds that it took."""
    folder, began = tmp_path_factory.mktemp("runs") / "undisturbed", time.monotonic()
    return run_webbody(site.manifest, folder, site.port, CHUNKS), time.monotonic() - began


def test_kills_leave_no_trace(site, undisturbed, tmp_path):
    whole, seconds = undisturbed
    rng = random.Random(7)
    kills = rounds = 0
    while kills < KILLS:
        output, patience = tmp_path / f"killed-{rounds}", seconds
        rounds += 1
        while not (output / "run.json").exists() or "finished" not in json.loads((output / "run.json").read_text()):
            done = _finished_chunks(output)
            process = _start(site, output)
            _wait_for_work(output, process)
            code = process.wait(rng.uniform(0.02, 0.5) * patience)
            if code is None:
                process.kill()
                kills += 1
                patience *= 1.2  # a machine that is busier than it was for the undisturbed run gets there too
            assert code in (None, 0), process.messages()
            after = _finished_chunks(output)
            assert all(after.get(path) == when for path, when in done.items()), "a finished chunk was done again"
            assert kills < 3 * KILLS, "the run makes no progress between kills"
        assert_same_run(str(output), whole)
        assert not list(output.rglob(".*")), "temporary files are left"


def test_ctrl_c_leaves_a_run_that_goes_on(site, undisturbed, tmp_path):
    process = _start(site, tmp_path / "stopped")
    while not list((tmp_path / "stopped").glob("images/part-*.parquet")):
        time.sleep(0.1)
    os.kill(process.id, signal.SIGINT)
    assert process.wait(30) == 130
    command.finish(_start(site, tmp_path / "stopped"))
    assert_same_run(str(tmp_path / "stopped"), undisturbed[0])


def test_two_runs_at_once_in_one_folder_are_refused(site, tmp_path):
    process = _start(site, tmp_path / "shared", more=["jobs=[[download, bodies]]"])
    while not (tmp_path / "shared" / "run.json").exists():
        time.sleep(0.1)
    with pytest.raises(ConfigError, match="another run is at work"):
        run_webbody(site.manifest, tmp_path / "shared", site.port, CHUNKS)
    command.finish(process)


def _alive(command_lines):
    with suppress(OSError):
        return [path for path in command_lines if path.read_bytes()]
    return []


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
def test_workers_end_with_their_run(site, tmp_path):
    process = _start(site, tmp_path / "run", "--direct_running_mode=multi_processing", "--direct_num_workers=2")
    while len(workers(process.id)) < 2:
        assert process.wait(0.1) is None
    started = workers(process.id)
    process.kill()
    deadline = time.monotonic() + 5
    while _alive(started) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not _alive(started)
