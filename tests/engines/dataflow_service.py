"""A stand-in for the Dataflow service on 127.0.0.1, in a process of its own.

It takes a job through the service's REST API, reads the staged pipeline from the bucket and nothing else of the
submitter's, runs it with Beam's embedded runner, and answers for its state and messages. Like the service it gives back
the active job where a second one of the same name arrives. It starts no machines: images, hints and disks are only
recorded. As a program it is that process: `dataflow_service.py PORT FOLDER ENDING [pretend-cuda]`.
"""

import itertools
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

PROJECT, REGION = "manyfaces-test", "europe-west4"
_START_SECONDS = 30
_JOBS = re.compile(rf"/v1b3/projects/{PROJECT}/locations/{REGION}/jobs(?:/([^/?]+))?(/messages)?(?:\?.*)?$")
_CUDA = "CUDAExecutionProvider"


@dataclass(frozen=True, slots=True)
class Service:
    """A running stand-in; `folder` has the requests that it got."""

    port: int
    folder: Path

    @property
    def arguments(self) -> tuple[str, ...]:
        """Beam's options to submit here instead of to Google."""
        return ("--runner=DataflowRunner", f"--dataflow_endpoint=http://localhost:{self.port}", "--no_auth")

    def jobs(self) -> list[dict[str, Any]]:
        """The jobs that arrived, in order, as the API's JSON."""
        return [json.loads(path.read_text()) for path in sorted(self.folder.glob("job-*.json"))]

    def sizes(self, number: int) -> dict[str, int]:
        """Of a job that was run, counted from 1, the bytes of the largest element of each measured PCollection."""
        return json.loads((self.folder / f"sizes-{number:02d}.json").read_text())


@contextmanager
def dataflow_service(ending: str = "run", *more: str) -> Iterator[Service]:
    """A running stand-in; use it inside a storage emulator, whose environment it inherits.

    `ending`: `run` runs the jobs; `failed`, `cancelled` and `active` are how they end, or do not, without being run; a
    number is the HTTP status with which the service refuses them.
    """
    with tempfile.TemporaryDirectory(prefix="dataflow-") as name, socket.socket() as probe:
        folder = Path(name)
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
        probe.close()
        root = Path(__file__).parents[2]
        environment = os.environ | {"PYTHONPATH": str(root)}
        with (folder / "server.log").open("wb") as log:
            command = [sys.executable, str(Path(__file__).resolve()), str(port), name, ending, *more]
            process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
        try:
            _await(port, process, folder / "server.log")
            yield Service(port, folder)
        finally:
            process.kill()
            process.wait()


def _await(port: int, process: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the stand-in for Dataflow did not start: {log.read_text()[-500:]}") from None
            time.sleep(0.02)


class _Api(BaseHTTPRequestHandler):
    """The few methods of the API that a submitter uses."""

    folder: Path
    ending: str
    jobs: ClassVar[dict[str, dict[str, Any]]] = {}
    messages: ClassVar[dict[str, list[dict[str, str]]]] = {}  # job id -> what the service says of it
    counter = itertools.count(1)
    lock = threading.Lock()

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not _JOBS.match(self.path):
            self._refuse(404, f"there is no {self.path}")
        elif self.ending.isdigit():
            self._refuse(int(self.ending), "The caller is told why.")
        else:
            with self.lock:
                active = (job for job in self.jobs.values() if job["name"] == request["name"] and not _is_over(job))
                self._answer(next(active, None) or self._begin(request))

    def do_GET(self) -> None:
        found = _JOBS.match(self.path)
        job = self.jobs.get(found[1] or "") if found else None
        if self.ending.isdigit():
            self._refuse(int(self.ending), "The caller is told why.")
        elif found and not found[1]:
            self._answer({"jobs": [job for job in self.jobs.values() if not _is_over(job)]})
        elif job is None:
            self._refuse(404, f"there is no {self.path}")
        elif found[2]:
            self._answer({"jobMessages": self.messages[job["id"]]})
        else:
            self._answer(job)

    def _begin(self, request: dict[str, Any]) -> dict[str, Any]:
        number = next(self.counter)
        (self.folder / f"job-{number:02d}.json").write_text(json.dumps(request))
        job = {
            "id": f"2026-01-01_00_00_00-{number}",
            "name": request["name"],
            "projectId": PROJECT,
            "location": REGION,
            "clientRequestId": request["clientRequestId"],
            "currentState": "JOB_STATE_RUNNING",
        }
        self.jobs[job["id"]] = job
        self.messages[job["id"]] = [_message("Workers ran out of patience.")] if self.ending == "failed" else []
        if self.ending == "run":
            url = request["environment"]["sdkPipelineOptions"]["options"]["pipelineUrl"]
            sizes = self.folder / f"sizes-{number:02d}.json"
            threading.Thread(target=_run, args=(job, url, sizes), daemon=True).start()
        elif self.ending != "active":
            self.jobs[job["id"]] = job | {"currentState": f"JOB_STATE_{self.ending.upper()}"}
        return job

    def _answer(self, body: dict[str, Any], status: int = 200) -> None:
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def _refuse(self, status: int, why: str) -> None:
        self._answer({"error": {"code": status, "message": why, "status": "REFUSED"}}, status)


def _is_over(job: dict[str, Any]) -> bool:
    return job["currentState"] != "JOB_STATE_RUNNING"


def _message(text: str) -> dict[str, str]:
    importance = "JOB_MESSAGE_ERROR"
    return {"id": "1", "time": "2026-01-01T00:00:00Z", "messageText": text, "messageImportance": importance}


def read_pipeline(url: str) -> Any:
    """The pipeline's proto that a job's `pipelineUrl` names."""
    from apache_beam.io.filesystems import FileSystems
    from apache_beam.portability.api import beam_runner_api_pb2

    with FileSystems.open(url) as file:
        return beam_runner_api_pb2.Pipeline.FromString(file.read())


def _bytes(infos: Any) -> dict[str, int]:
    """Of each PCollection of the pipeline the size of its largest element, of those that the runner measured."""
    from apache_beam.metrics.monitoring_infos import SAMPLED_BYTE_SIZE_URN, extract_distribution

    found: dict[str, int] = {}
    for info in infos:
        if info.urn == SAMPLED_BYTE_SIZE_URN:
            _, _, _, largest = extract_distribution(info)
            name = info.labels["PCOLLECTION"]
            found[name] = max(found.get(name, 0), largest)
    return found


def _run(job: dict[str, Any], url: str, sizes: Path) -> None:
    """Run the staged pipeline here: the same steps and coders, Python in this process instead of in a container."""
    from apache_beam.options.pipeline_options import PipelineOptions
    from apache_beam.runners.portability.fn_api_runner import FnApiRunner
    from apache_beam.transforms.environments import EmbeddedPythonEnvironment

    try:
        proto = read_pipeline(url)
        here = EmbeddedPythonEnvironment.default().to_runner_api(None)
        for environment in proto.components.environments.values():
            environment.urn, environment.payload = here.urn, here.payload
            del environment.dependencies[:]
        result = FnApiRunner().run_via_runner_api(proto, PipelineOptions([]))
        sizes.write_text(json.dumps(_bytes(result.monitoring_infos())))
        job["currentState"] = f"JOB_STATE_{result.wait_until_finish()}"
    except Exception as error:
        _Api.messages[job["id"]].append(_message(f"{type(error).__name__}: {error}"))
        job["currentState"] = "JOB_STATE_FAILED"


def _pretend_cuda() -> None:
    """Sessions that were asked for CUDA run on the CPU and say that they do not: all else is as on a GPU."""
    import onnxruntime

    from model_handlers.frameworks import devices

    real = onnxruntime.InferenceSession

    class Binding:
        def __init__(self) -> None:
            self.inputs: dict[str, Any] = {}
            self.outputs: list[Any] = []

        def bind_cpu_input(self, name: str, batch: Any) -> None:
            self.inputs[name] = batch

        def bind_output(self, name: str, device: str, number: int) -> None:
            assert (device, number) == ("cuda", 0)

        def copy_outputs_to_cpu(self) -> list[Any]:
            return self.outputs

    class OnCpu:
        io_binding = Binding

        def __init__(self, session: Any) -> None:
            self.get_inputs, self.get_outputs, self._run = session.get_inputs, session.get_outputs, session.run

        def get_providers(self) -> list[str]:
            return [_CUDA]

        def run_with_iobinding(self, binding: Binding) -> None:
            binding.outputs = self._run(None, binding.inputs)

    def session(model: bytes, options: Any, providers: list[Any]) -> Any:
        if providers[0][0] != _CUDA:
            raise RuntimeError("the job's models were not asked to run on CUDA")
        return OnCpu(real(model, options, providers=["CPUExecutionProvider"]))

    devices.gpus = lambda: 1

    onnxruntime.InferenceSession = session
    onnxruntime.get_available_providers = lambda: [_CUDA]
    onnxruntime.preload_dlls = lambda: None


def _serve(port: int, folder: Path, ending: str, *more: str) -> None:
    if "pretend-cuda" in more:
        _pretend_cuda()
    _Api.folder, _Api.ending = folder, ending
    ThreadingHTTPServer(("127.0.0.1", port), _Api).serve_forever()


if __name__ == "__main__":
    _serve(int(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
