"""The process that looks at a video ends with the one that asked."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ASK = "import sys; from transforms.media.video import probe, VideoAcceptSettings as A; probe(sys.argv[1], A())"


def children(parent: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended meanwhile
            continue
        if int(fields[1]) == parent and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found


def wait_for(condition) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
def test_a_probe_whose_parent_is_killed_ends(tmp_path):
    endless = tmp_path / "endless.mp4"
    os.mkfifo(endless)  # no one writes into it, so that the probe waits for its first byte
    with subprocess.Popen([sys.executable, "-c", ASK, str(endless)]) as parent:
        try:
            wait_for(lambda: any(_waits(child) for child in children(parent.pid)))
            probes = children(parent.pid)
        finally:
            parent.send_signal(signal.SIGKILL)
    wait_for(lambda: not any(Path(f"/proc/{probe}/cmdline").exists() for probe in probes))


def _waits(process: int) -> bool:
    """Whether it has come to open the fifo."""
    try:
        return "fifo" in Path(f"/proc/{process}/wchan").read_text() or _state(process) == "S"
    except OSError:
        return False


def _state(process: int) -> str:
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
