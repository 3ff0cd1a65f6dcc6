"""The job server of an engine beside the process that submits to it: Flink's is a Java process, Prism is one itself.

It ends with that process, however that ends. Beam starts one too, but from the main thread only, a new one for every
pipeline, and ends it only when Python shuts down in order. So Beam says what to start, and this module starts it.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from apache_beam.options.pipeline_options import JobServerOptions, PipelineOptions
from apache_beam.runners.portability.flink_runner import FlinkJarJobServer
from apache_beam.runners.portability.prism_runner import PrismJobServer

from beam_pipelines.errors import ConfigError
from beam_pipelines.runners import leash
from transforms.child_python import child_command

_KINDS = {"FlinkRunner": FlinkJarJobServer, "PrismRunner": PrismJobServer}
_START_SECONDS = 120  # a Java process on a busy machine


@contextmanager
def serve(runner: str, options: PipelineOptions) -> Iterator[str]:
    """The job server of the runner; gives its address. ConfigError says why there is none."""
    with tempfile.TemporaryDirectory(prefix="manyfaces-") as folder:
        servers = options.view_as(JobServerOptions)
        servers.artifacts_dir = servers.artifacts_dir or folder
        try:
            command, address = _KINDS[runner](options).subprocess_cmd_and_endpoint()
        except (OSError, RuntimeError, ValueError) as error:
            raise ConfigError(f"--runner {runner}: its job server cannot be had: {error}") from error
        if shutil.which(command[0]) is None:
            raise ConfigError(
                f"--runner {runner}: there is no {command[0]!r} on the PATH to start its job server with."
            )
        with running(command, address, Path(folder) / "job-server.log"):
            yield address


@contextmanager
def running(command: Sequence[str], address: str, log: Path) -> Iterator[None]:
    """The command as a process that ends with the block or with this process; the block begins when it listens."""
    with log.open("wb") as out:
        process = subprocess.Popen(  # noqa: S603 - the command is Beam's
            child_command(leash.__name__, *map(str, command)), stdout=out, stderr=out, start_new_session=True
        )
    try:
        _await(process, address, log)
        yield
    finally:
        process.terminate()
        process.wait()
        with suppress(ProcessLookupError):  # all of its group has ended, as it should
            os.killpg(process.pid, signal.SIGKILL)


def _await(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    host, _, port = address.rpartition(":")
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    said = " ".join(log.read_text(errors="replace").split())[-500:]
    raise ConfigError(f"the job server did not come up at {address}: {said or 'it said nothing'}")
