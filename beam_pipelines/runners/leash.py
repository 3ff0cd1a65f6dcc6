"""A program that is not ours as a process that ends with the one that started it.

Runs the command of its arguments, in its own group, until that ends or this is asked to end.
"""

import signal
import subprocess
import sys
from threading import Timer
from types import FrameType

_STOP_SECONDS = 10


def main() -> None:
    """Run the command; its exit code is ours."""
    process = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)  # noqa: S603 - the caller's own command

    def end(_number: int, _frame: FrameType | None) -> None:
        process.terminate()
        last = Timer(_STOP_SECONDS, process.kill)
        last.daemon = True
        last.start()

    signal.signal(signal.SIGTERM, end)
    sys.exit(abs(process.wait()))
