"""Ctrl-C, also when it comes while a C library calls Python: what is raised there is swallowed."""

import signal
from threading import Event
from types import FrameType

_ASKED = Event()


def listen() -> None:
    """From now on Ctrl-C raises KeyboardInterrupt at once, and `check` does if that was lost."""
    signal.signal(signal.SIGINT, _note)


def _note(_number: int, _frame: FrameType | None) -> None:
    _ASKED.set()
    raise KeyboardInterrupt


def check() -> None:
    """KeyboardInterrupt if Ctrl-C was pressed and the work goes on all the same."""
    if _ASKED.is_set():
        _ASKED.clear()
        raise KeyboardInterrupt
