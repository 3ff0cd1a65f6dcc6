"""New processes import what this one does, whatever lies in the folder where they start."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.transforms.test_lifeline import fields, wait_for
from transforms import child_python
from transforms.child_python import child_command, import_path

SHADOWS = ("transforms/__init__.py", "json.py", "runpy.py", "sitecustomize.py", "some_child.py")
ROOT = Path(__file__).parents[2]
WAITING = """
import os, subprocess, time
def main():
    print(os.getpid(), subprocess.Popen(["sleep", "60"]).pid, sep="\\n", flush=True)
    time.sleep(60)
"""
PARENT = """
import subprocess, time
from transforms.child_python import child_command
subprocess.Popen(child_command("waiting"), start_new_session={leads})
time.sleep(60)
"""
CHILD = "import sys\ndef main():\n    import json, transforms\n    print(sys.argv[1:], 'ours', transforms.__doc__)"


@pytest.mark.parametrize("pythonpath", ["", ":/nowhere", "."])
def test_a_new_process_imports_nothing_from_its_working_directory(tmp_path, monkeypatch, pythonpath):
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    for name in SHADOWS:
        (theirs / name).parent.mkdir(parents=True, exist_ok=True)
        (theirs / name).write_text("" if name.startswith("site") else "raise SystemExit('theirs')")
    ours.mkdir()
    (ours / "some_child.py").write_text(CHILD)
    monkeypatch.syspath_prepend(str(ours))
    monkeypatch.setenv("PYTHONPATH", pythonpath)
    command = child_command("some_child", "a b", "it's")
    done = subprocess.run(command, cwd=theirs, capture_output=True, text=True, timeout=60)
    assert (done.stdout.partition("ours")[0], done.stderr, done.returncode) == ("['a b', \"it's\"] ", "", 0)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize("leads", [False, True])
def test_a_process_ends_with_the_one_that_started_it(tmp_path, monkeypatch, leads):
    """Its children too, if it leads a group."""
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{ROOT}")
    (tmp_path / "waiting.py").write_text(WAITING)
    (tmp_path / "parent.py").write_text(PARENT.format(leads=leads))
    with subprocess.Popen([sys.executable, str(tmp_path / "parent.py")], stdout=subprocess.PIPE) as parent:
        own, below = (int(parent.stdout.readline()) for _ in range(2))
        parent.kill()
    try:
        wait_for(lambda: fields(own)[0] == "Z")
        if leads:
            wait_for(lambda: fields(below)[0] == "Z")
    finally:
        with suppress(ProcessLookupError):
            os.kill(below, signal.SIGKILL)


def test_the_path_is_that_of_this_process_without_the_working_directory(monkeypatch):
    monkeypatch.setattr(sys, "path", ["", "/one", "/two", "/one"])
    assert import_path() == ["/one", "/two", child_python._ROOT]
    monkeypatch.setattr(sys, "path", [child_python._ROOT, "", "/one"])
    assert import_path() == [child_python._ROOT, "/one"]
