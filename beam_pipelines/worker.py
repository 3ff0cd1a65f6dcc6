"""A worker process of the local runner: Beam's own, quieter, and gone when the run that started it is gone."""

import logging
import os
import sys
import time
from threading import Thread

_WATCH_SECONDS = 0.2


def _end_with(parent: int) -> None:
    """A killed run must leave no worker that still commits shards beside the next one."""
    while os.getppid() == parent:
        time.sleep(_WATCH_SECONDS)
    os._exit(1)


def main() -> None:
    """Serve the runner until it hangs up."""
    logging.disable(logging.WARNING)  # before the import, which logs
    from apache_beam.runners.worker import sdk_worker_main

    Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    sdk_worker_main.main(sys.argv)


if __name__ == "__main__":
    main()
