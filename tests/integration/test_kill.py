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
from tests.integration.kills import files, kill_after
from tests.integration.runs import assert_same_run, overrides, run_webbody, workers

KILLS = 5
CHUNKS = "manifest.rows_per_shard=2"
pytestmark = [pytest.mark.integration, pytest.mark.timeout(1500)]


def _start(site, output, *beam, more=()):
    return command.start("webbody", site.manifest, output, overrides(site.port, CHUNKS, *more), *beam)


def _finished_chunks(output):
    """The ledger shards that say that a chunk is done (each row job's last stage), with their times of change."""
    last = [path for stage in ("download", "embeddings") for path in output.glob(f"ledger/{stage}/part-*.parquet")]
    return {path: path.stat().st_mtime_ns for path in last}


@pytest.fixture(scope="module")
def undisturbed(site, tmp_path_factory):
    """A run in chunks of two that nobody disturbs."""
    return run_webbody(site.manifest, tmp_path_factory.mktemp("runs") / "undisturbed", site.port, CHUNKS)


def test_kills_leave_no_trace(site, undisturbed, tmp_path):
    rng = random.Random(7)
    most = len(files(Path(undisturbed))) // 4
    kills = rounds = 0
    while kills < KILLS:
        output = tmp_path / f"killed-{rounds}"
        rounds += 1
        while not (output / "run.json").exists() or "finished" not in json.loads((output / "run.json").read_text()):
            done = _finished_chunks(output)
            kills += kill_after(rng.randint(1, most), _start(site, output), output, rng)
            after = _finished_chunks(output)
            assert all(after.get(path) == when for path, when in done.items()), "a finished chunk was done again"
        assert_same_run(str(output), undisturbed)
        assert not list(output.rglob(".*")), "temporary files are left"


def test_ctrl_c_leaves_a_run_that_goes_on(site, undisturbed, tmp_path):
    process = _start(site, tmp_path / "stopped")
    while not list((tmp_path / "stopped").glob("images/part-*.parquet")):
        time.sleep(0.1)
    os.kill(process.id, signal.SIGINT)
    assert process.wait(300) == 130
    command.finish(_start(site, tmp_path / "stopped"))
    assert_same_run(str(tmp_path / "stopped"), undisturbed)


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
    deadline = time.monotonic() + 60
    while _alive(started) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not _alive(started)
