"""The process that looks at a video ends with the one that asked."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

ASK = "import sys; from transforms.videos.container import probe, VideoAcceptSettings as A; probe(sys.argv[1], A())"


def fields(process: int) -> list[str]:
    """Its state, its parent and so on, as in /proc; state Z, too, of a process that is gone."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ["Z", "0"]


def children(parent: int) -> list[int]:
    processes = [int(path.name) for path in Path("/proc").glob("[0-9]*")]
    return [process for process in processes if int(fields(process)[1]) == parent]


def wait_for(condition) -> Any:
    deadline = time.monotonic() + 60
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


def reached(fifo: Path) -> int | None:
    """The open end for writing, once someone has come to read."""
    try:
        return os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        return None


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
def test_a_probe_whose_parent_is_killed_ends(tmp_path):
    endless = tmp_path / "endless.mp4"
    os.mkfifo(endless)  # no byte ever comes out of it, so that the probe waits for its first one
    with subprocess.Popen([sys.executable, "-c", ASK, str(endless)]) as parent:
        try:
            writer = wait_for(lambda: reached(endless))
            (probe,) = children(parent.pid)
        finally:
            parent.send_signal(signal.SIGKILL)
    wait_for(lambda: fields(probe)[0] == "Z")
    os.close(writer)
