"""A run's folder while someone works in it: alone, after others' leftovers are swept, and with no removal half done."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from beam_pipelines.errors import ConfigError
from transforms.tables.files import is_local, is_temporary
from transforms.tables.removals import is_under_way


@contextmanager
def alone(run: str) -> Iterator[None]:
    """Keep a second run out of a local folder; the lock goes with the process, however that ends."""
    if not is_local(run):
        yield
        return
    with open(os.path.join(run, "lock"), "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(f"{run}: another run is at work in this folder; wait for it or name another.") from None
        yield


def sweep(run: str) -> None:
    """Delete what killed runs and workers left unfinished, nothing else: the folder may be the user's own."""
    if is_local(run):
        for folder, folders, names in os.walk(run):
            for name in filter(is_temporary, names):
                os.unlink(os.path.join(folder, name))
            for name in filter(is_temporary, folders):
                shutil.rmtree(os.path.join(folder, name))


def check_whole(run: str) -> None:
    """ConfigError while a removal from the run has begun and is not finished."""
    if is_under_way(run):
        raise ConfigError(
            f"{run}: a removal from this run is not finished; give `manyfaces remove {run}` with what it was given, or "
            "with nothing else, to finish it first."
        )
