"""Processes that do one hostile thing each: an order in, an answer out, killed at a deadline with all they started.

The order goes in as a line of JSON. The child leads a group of its own, which ends with it, and it ends with its
parent. It inherits no other file and no environment but what it needs to import.
"""

import json
import os
import resource
import select
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from typing import IO, Any

from transforms.child_python import child_command

_KEPT = ("LANG", "LC_ALL", "SSL_CERT_FILE", "SSL_CERT_DIR", "SYSTEMROOT", "TZ")
_MAX_ANSWER = 2**20  # characters
_LAST_WORDS = 5.0  # seconds that a child without an answer gets to end
_PATIENCE = 0.25  # seconds between looks at whether to stop


class Stopped(Exception):
    """Whoever asked has given up."""


class ChildLost(Exception):
    """The child ended by itself and without an answer; `signal` is the number of the one that ended it, or 0."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.signal = max(0, -status)


def ask_child(module: str, order: dict[str, Any], folder: str, seconds: float, stop: threading.Event) -> dict[str, Any]:
    """The answer of the module's `main` in a process of its own to the order; it may use the folder.

    It is killed after so many seconds (TimeoutError), and when `stop` is set (Stopped).
    """
    errors = os.path.join(folder, "stderr")
    with open(errors, "wb") as stderr, _start(module, folder, stderr) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            with suppress(BrokenPipeError):
                process.stdin.write(json.dumps(order).encode() + b"\n")
                process.stdin.flush()
            _wait_for(process.stdout, seconds, stop)
            answer = process.stdout.readline(_MAX_ANSWER)
            if not answer.endswith(b"\n"):
                _wait_for_end(process.pid)  # so that its status is its own, and not that it was killed
        finally:
            _kill(process)  # its group too: nothing that it started outlives it
            with suppress(BrokenPipeError):  # where it ended before it took its order
                process.stdin.close()
    if answer.endswith(b"\n"):
        return json.loads(answer)  # type: ignore[no-any-return]
    raise ChildLost(process.returncode, f"status {process.returncode}: {_tail(errors)}")


def _wait_for(answers: IO[bytes], seconds: float, stop: threading.Event) -> None:
    deadline = time.monotonic() + seconds
    arrives = select.poll()  # select() knows no files beyond the 1024th of a process
    arrives.register(answers, select.POLLIN)
    while not arrives.poll(1000 * max(0.0, min(_PATIENCE, deadline - time.monotonic()))):
        if stop.is_set():
            raise Stopped
        if time.monotonic() >= deadline:
            raise TimeoutError(f"no end after {seconds:.1f} s")


def _wait_for_end(pid: int) -> None:
    """Wait until the process has ended, a little while at most; it stays to be waited for."""
    deadline = time.monotonic() + _LAST_WORDS
    while os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None and time.monotonic() < deadline:
        time.sleep(0.01)


def _start(module: str, folder: str, stderr: IO[bytes]) -> "subprocess.Popen[bytes]":
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
    environment |= {"HOME": folder, "TMPDIR": folder, "PYTHONNOUSERSITE": "1"}
    environment |= {"PATH": os.path.join(folder, "none"), "YTDLP_NO_PLUGINS": "1"}
    return subprocess.Popen(  # noqa: S603 - our own module
        child_command(module),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        cwd=folder,
        env=environment,
        close_fds=True,
        start_new_session=True,
    )


def _kill(process: "subprocess.Popen[bytes]") -> None:
    """Kill the child's group; it has not been waited for, so that the number is still its own."""
    if process.returncode is None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)


def _tail(path: str) -> str:
    with open(path, "rb") as file:
        file.seek(max(0, os.path.getsize(path) - 400))
        return " ".join(file.read().decode(errors="replace").split())


def receive_order() -> tuple[dict[str, Any], IO[str]]:
    """In the child: the order, and where its answer goes. Nothing else that writes to standard output gets there."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return json.loads(sys.stdin.buffer.readline()), answers


def limit_resources(data: int, file: int, seconds: float) -> None:
    """Bound what this process and those that it starts may use: bytes in memory, of a file, seconds of processor."""
    for kind, value in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 256),
        (resource.RLIMIT_DATA, data),
        (resource.RLIMIT_FSIZE, file),
        (resource.RLIMIT_CPU, int(seconds) + 1),
    ):
        hard = resource.getrlimit(kind)[1]
        most = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (most, most))
