"""The command of a new Python process for a module of ours: it imports what this one does, and ends when this one does.

`python -m` and `python -c` look into the working directory first: a folder of the user's that is called like one of our
packages would be taken for it. `-P` is there from Python 3.11 on only, so the new process gets the path to import from
in its first statement, before it imports anything.
"""

import os
import sys
from pathlib import Path

_ROOT = str(Path(__file__).resolve().parents[1])


def import_path() -> list[str]:
    """Where this process imports from, without the working directory; where our own packages lie is always among it."""
    paths = [path for path in dict.fromkeys(sys.path) if path]
    return paths if _ROOT in paths else [*paths, _ROOT]


def child_command(module: str, *arguments: str) -> list[str]:
    """The command that calls the function `main` of the module in a new process of this Python.

    It must be a child of this process, with whose end it ends.
    """
    tied = f"from transforms.lifeline import tie; tie({os.getpid()})"
    code = f"import sys; sys.path[:] = {import_path()!r}; {tied}; from {module} import main; main()"
    return [sys.executable, "-c", code, *arguments]
