"""Processes that must not outlive the one that started them."""

import ctypes
import signal
from contextlib import suppress

_DIE_WITH_PARENT = 1  # prctl's PR_SET_PDEATHSIG


def die_with_parent() -> None:
    """From now on this process is killed when the thread that started it ends; Linux only, else nothing happens."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
