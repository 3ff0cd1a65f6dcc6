"""SIGKILL after so much work, counted in files and not in seconds: then the pace of the machine decides nothing."""

import os
import random
import time
from pathlib import Path

from tests.integration.command import Command

_PATIENCE = 600  # seconds until the next file is there


def files(run: Path) -> set[str]:
    """The files of a run, but for those on their way to a name, which come and go meanwhile."""
    found = set()
    for folder, folders, names in os.walk(run):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found.update(os.path.join(folder, name) for name in names if not name.startswith("."))
    return found


def kill_after(more: int, process: Command, run: Path, rng: random.Random) -> bool:
    """Kill a run within a moment after it has written so many files more than there are; False if it ended before.

    Each kill leaves at least one more file, so that starting again and again comes to an end.
    """
    before, deadline = files(run), time.monotonic() + _PATIENCE
    while len(files(run) - before) < more:
        if process.wait(0.02) is not None:
            break
        assert time.monotonic() < deadline, f"the run writes nothing: {process.messages()}"
    code = process.wait(rng.uniform(0, 0.3))
    if code is None:
        process.kill()
    assert code in (None, 0), process.messages()
    return code is None
