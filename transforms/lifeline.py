"""Processes that end with the one that started them, however that ends: a killed run leaves nothing that goes on."""

import os
import signal
import time
from threading import Thread

_WATCH_SECONDS = 0.2


def tie(parent: int) -> None:
    """From now on this process ends within a moment of its parent, whose number that is.

    The parent must say its own number: it may be gone before this process could ask for it. If this process leads a
    group, all that it has started in that ends with it.
    """
    Thread(target=_watch, args=(parent,), daemon=True, name="lifeline").start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_WATCH_SECONDS)
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)
