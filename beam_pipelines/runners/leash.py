"""A process that ends with the one that started it, however that ends.

Runs the command of its arguments until that ends or standard input does; whoever starts this holds the other end of
that, a pipe, open.
"""

import os
import subprocess
import sys
from threading import Thread

_STOP_SECONDS = 10


def _end_with_input(process: subprocess.Popen[bytes]) -> None:
    while os.read(0, 1024):
        pass
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()


def main() -> None:
    """Run the command; its exit code is ours."""
    process = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)  # noqa: S603 - the caller's own command
    Thread(target=_end_with_input, args=(process,), daemon=True).start()
    sys.exit(abs(process.wait()))
