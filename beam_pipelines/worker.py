"""A worker process of the local runner: Beam's own, quieter, and gone when the run that started it is gone."""

import logging
import os
import sys
import time
from threading import Thread

RUN_VARIABLE = "MANYFACES_RUN"  # in the environment: the process of the run, which may be gone before we ask
_WATCH_SECONDS = 0.2


def _end_with(parent: int) -> None:
    """A killed run must leave no worker that still commits shards beside the next one."""
    while os.getppid() == parent:
        time.sleep(_WATCH_SECONDS)
    os._exit(1)


def main() -> None:
    """Serve the runner until it hangs up."""
    logging.disable(logging.WARNING)
    Thread(target=_end_with, args=(int(os.environ[RUN_VARIABLE]),), daemon=True).start()
    from apache_beam.runners.worker import sdk_worker_main  # which takes seconds, and logs

    sdk_worker_main.main(sys.argv)


if __name__ == "__main__":
    main()
