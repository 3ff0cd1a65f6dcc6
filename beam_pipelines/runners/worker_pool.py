"""A pool of worker processes beside a Flink task manager, or inside the process that submits to an embedded engine.

    python -m beam_pipelines.runners.worker_pool --bind 127.0.0.1 --port 50000

An engine that is given the pool's address as its EXTERNAL environment asks the pool to start and stop workers (Beam's
ExternalWorkerPool service). Whoever reaches the port can start processes that run what a stranger sends, so the pool
listens on one address, this machine's own by default; Beam's own pool listens on every interface. Workers are processes
of this Python, and end with the pool, and with the engine that asked for them.
"""

import argparse
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Lock, Thread
from typing import Any

import grpc
from apache_beam.portability.api import beam_fn_api_pb2, beam_fn_api_pb2_grpc
from apache_beam.utils.thread_pool_executor import shared_unbounded_instance
from google.protobuf import text_format

from beam_pipelines.errors import ConfigError
from beam_pipelines.runners import worker
from transforms.child_python import child_command

LOOPBACK = "127.0.0.1"
_STOP_SECONDS = 10  # from asking a worker to end to killing it
_log = logging.getLogger("manyfaces.worker_pool")


def _descriptor(endpoint: Any) -> str:
    return str(text_format.MessageToString(endpoint, as_one_line=True))


def _environment(request: Any) -> dict[str, str]:
    """What a worker process must know: the engine's services."""
    return {
        **os.environ,
        "MALLOC_ARENA_MAX": "2",  # see execute: with more, what many threads freed stays resident
        worker.PROVISION_VARIABLE: request.provision_endpoint.url,
        "WORKER_ID": request.worker_id,
        "CONTROL_API_SERVICE_DESCRIPTOR": _descriptor(request.control_endpoint),
        "LOGGING_API_SERVICE_DESCRIPTOR": _descriptor(request.logging_endpoint),
    }


class Workers:
    """The worker processes of a pool, by worker id: the ExternalWorkerPool service."""

    def __init__(self) -> None:
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._engines: dict[str, str] = {}  # worker id -> who asked for it last
        self._lock = Lock()

    def StartWorker(self, request: Any, context: Any) -> Any:  # noqa: N802 - the service's name for it
        """Start a process; one of the same id that is still there ends first."""
        engine = request.control_endpoint.url
        if self._belongs_to_another(request.worker_id, engine):
            message = (
                f"worker pool: another task manager has a worker {request.worker_id} here; each needs a pool of its "
                "own, under the same name and port."
            )
            _log.error(message)
            return beam_fn_api_pb2.StartWorkerResponse(error=message)
        self._stop(request.worker_id)
        self._engines[request.worker_id] = engine
        try:
            command = child_command(worker.__name__)
            process = subprocess.Popen(command, env=_environment(request))  # noqa: S603 - nothing of the request in it
        except OSError as error:
            _log.error("worker %s cannot be started: %s", request.worker_id, error)
            return beam_fn_api_pb2.StartWorkerResponse(error=f"worker pool: no process can be started: {error}")
        with self._lock:
            self._processes[request.worker_id] = process
        _log.info("worker %s for %s: process %d", request.worker_id, engine, process.pid)
        Thread(target=self._watch, args=(request.worker_id, process), daemon=True).start()
        return beam_fn_api_pb2.StartWorkerResponse()

    def StopWorker(self, request: Any, context: Any) -> Any:  # noqa: N802
        """End a process; returns when it is gone."""
        self._stop(request.worker_id)
        return beam_fn_api_pb2.StopWorkerResponse()

    def stop(self) -> None:
        """End all processes."""
        for worker_id in list(self._processes):
            self._stop(worker_id)

    def _belongs_to_another(self, worker_id: str, engine: str) -> bool:
        """Whether an engine that is still there has a worker of this id: they count alike, each from 1.

        If that engine is gone, and this is the one that took its place, its worker is about to end.
        """
        with self._lock:
            process = self._processes.get(worker_id)
        if process is None or self._engines[worker_id] == engine:
            return False
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            return True
        return False

    def _stop(self, worker_id: str) -> None:
        with self._lock:
            process = self._processes.pop(worker_id, None)
        if process is None:
            return
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        _log.info("worker %s: stopped", worker_id)

    def _watch(self, worker_id: str, process: subprocess.Popen[bytes]) -> None:
        """Say so when a worker ends that nobody stopped."""
        code = process.wait()
        with self._lock:
            if self._processes.get(worker_id) is not process:
                return
            del self._processes[worker_id]
        if code:
            _log.error(
                "worker %s ended by itself with exit code %d (%s)",
                worker_id,
                code,
                f"signal {-code}: out of memory?" if code < 0 else "it lost its engine, or see its messages above",
            )


@contextmanager
def serve(bind: str = LOOPBACK, port: int = 0) -> Iterator[str]:
    """A pool in this process; gives its address. Port 0 is any free one. Its workers end with the block."""
    pings = [("grpc.http2.max_pings_without_data", 0), ("grpc.http2.max_ping_strikes", 0), ("grpc.so_reuseport", 0)]
    server = grpc.server(shared_unbounded_instance(), options=pings)
    try:
        port = server.add_insecure_port(f"{bind}:{port}")
    except RuntimeError:
        raise ConfigError(f"worker pool: cannot listen on {bind}:{port}; name another --port or --bind.") from None
    workers = Workers()
    beam_fn_api_pb2_grpc.add_BeamFnExternalWorkerPoolServicer_to_server(workers, server)
    server.start()
    try:
        yield f"{bind}:{port}"
    finally:
        server.stop(None)
        workers.stop()


def main() -> None:
    """Serve until a signal ends the process."""
    parser = argparse.ArgumentParser(
        prog="python -m beam_pipelines.runners.worker_pool", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--bind", default=LOOPBACK, metavar="ADDRESS", help="the address to listen on (%(default)s)")
    parser.add_argument("--port", type=int, default=50_000, help="0 is any free one (%(default)s)")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.ERROR, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("manyfaces").setLevel(logging.INFO)
    try:
        with serve(arguments.bind, arguments.port) as address:
            _log.info("workers may be asked for at %s", address)
            Event().wait()
    except ConfigError as error:
        sys.exit(f"manyfaces: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
