"""New processes import what this one does, whatever lies in the folder where they start."""

import subprocess
import sys

import pytest

from transforms import child_python
from transforms.child_python import child_command, import_path

SHADOWS = ("transforms/__init__.py", "json.py", "runpy.py", "sitecustomize.py", "some_child.py")
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


def test_the_path_is_that_of_this_process_without_the_working_directory(monkeypatch):
    monkeypatch.setattr(sys, "path", ["", "/one", "/two", "/one"])
    assert import_path() == ["/one", "/two", child_python._ROOT]
    monkeypatch.setattr(sys, "path", [child_python._ROOT, "", "/one"])
    assert import_path() == [child_python._ROOT, "/one"]
