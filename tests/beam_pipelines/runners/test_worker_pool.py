import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import apache_beam as beam
import grpc
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.portability.api import beam_fn_api_pb2, beam_fn_api_pb2_grpc

from beam_pipelines.errors import ConfigError
from beam_pipelines.runners import worker_pool

pytestmark = pytest.mark.server

# An engine of its own process, whose job goes on for ever: it asks the pool for a worker, which appends to a file.
ENDLESS = """
import sys, time
import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

def tick(_, path):
    while True:
        with open(path, "a") as out:
            out.write(".")
        time.sleep(0.05)

address, path = sys.argv[1:]
options = ["--runner=PortableRunner", "--job_endpoint=embed", "--environment_type=EXTERNAL"]
with beam.Pipeline(options=PipelineOptions([*options, f"--environment_config={address}"])) as pipeline:
    pipeline | beam.Create([1]) | beam.Map(tick, path)
"""


def until(condition, seconds=30.0):
    """Wait for it; what it gave, or a failure."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.02)
    return found


def children(parent):
    """The worker processes of a process, by id."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            _, _, rest = path.read_text().rpartition(")")
            state, started_by = rest.split()[:2]
            if int(started_by) == parent and state != "Z":
                found.append(int(path.parent.name))
    return found


def alive(process_id):
    try:
        return Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@contextmanager
def ending(command):
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@contextmanager
def pool_process():
    """A pool as it is started beside a task manager; gives the process and the address."""
    command = [sys.executable, "-m", "beam_pipelines.runners.worker_pool", "--port", "0"]
    with ending(command) as process:
        yield process, process.stderr.readline().split()[-1]


@contextmanager
def silent_engine():
    """An address that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}"


def start_worker(address, engine, worker_id="1-1"):
    endpoint = {"url": engine}
    request = beam_fn_api_pb2.StartWorkerRequest(
        worker_id=worker_id, control_endpoint=endpoint, logging_endpoint=endpoint, provision_endpoint=endpoint
    )
    with grpc.insecure_channel(address) as channel:
        return beam_fn_api_pb2_grpc.BeamFnExternalWorkerPoolStub(channel).StartWorker(request, timeout=30)


def stop_worker(address, worker_id="1-1"):
    request = beam_fn_api_pb2.StopWorkerRequest(worker_id=worker_id)
    with grpc.insecure_channel(address) as channel:
        beam_fn_api_pb2_grpc.BeamFnExternalWorkerPoolStub(channel).StopWorker(request, timeout=30)


def test_a_pool_without_workers_starts_and_ends():
    with worker_pool.serve() as address:
        assert address.startswith("127.0.0.1:")
        stop_worker(address, "nobody")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2])), timeout=5)


def test_it_listens_on_the_one_address_only():
    with worker_pool.serve() as address:
        port = int(address.rpartition(":")[2])
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
        for other in ("127.0.0.2", "::1"):
            with pytest.raises(OSError, match=r"refused|assign"):
                socket.create_connection((other, port), timeout=5)


def test_a_port_that_is_taken_is_one_sentence():
    with worker_pool.serve() as address:
        port = address.rpartition(":")[2]
        with pytest.raises(ConfigError, match=f"cannot listen on {address}"), worker_pool.serve(port=int(port)):
            pass
        command = [sys.executable, "-m", "beam_pipelines.runners.worker_pool", "--port", port]
        done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("manyfaces: worker pool: cannot listen on")


def test_a_pipeline_runs_in_its_processes_with_the_jobs_options(tmp_path):
    def describe(number):
        import os

        from apache_beam.io.filesystems import FileSystems

        options = FileSystems._pipeline_options.get_all_options()
        (tmp_path / str(number)).write_text(f"{os.getpid()} {options['temp_location']}")

    with worker_pool.serve() as address:
        arguments = ["--runner=PortableRunner", "--job_endpoint=embed", "--environment_type=EXTERNAL"]
        options = PipelineOptions([*arguments, f"--environment_config={address}", "--temp_location=/a/place"])
        with beam.Pipeline(options=options) as pipeline:
            _ = pipeline | beam.Create(range(3)) | beam.Reshuffle() | beam.Map(describe)
    said = [(tmp_path / str(number)).read_text().split() for number in range(3)]
    assert {where for _, where in said} == {"/a/place"}
    assert not any(alive(int(process_id)) for process_id, _ in said)


def test_stopping_a_worker_ends_its_process():
    with silent_engine() as engine, pool_process() as (pool, address):
        assert not start_worker(address, engine).error
        (worker,) = until(lambda: children(pool.pid))
        stop_worker(address)
        assert not alive(worker)


def test_a_worker_that_is_started_again_replaces_the_first():
    with silent_engine() as engine, pool_process() as (pool, address):
        start_worker(address, engine)
        (first,) = until(lambda: children(pool.pid))
        start_worker(address, engine)
        assert not alive(first)
        assert len(children(pool.pid)) == 1


def test_two_task_managers_cannot_share_a_pool(monkeypatch):
    monkeypatch.setattr(worker_pool, "_STOP_SECONDS", 0.5)
    with silent_engine() as one, silent_engine() as other, worker_pool.serve() as address:
        assert not start_worker(address, one).error
        assert "each needs a pool of its own" in start_worker(address, other).error


def test_a_task_manager_that_comes_back_gets_a_worker():
    with silent_engine() as before, silent_engine() as now, pool_process() as (pool, address):
        start_worker(address, before)
        (first,) = until(lambda: children(pool.pid))
        with ThreadPoolExecutor() as threads:
            answer = threads.submit(start_worker, address, now)
            os.kill(first, signal.SIGKILL)  # as if it had noticed that its own is gone
            assert not answer.result().error
        assert not alive(first)
        assert len(children(pool.pid)) == 1


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_workers_end_with_their_pool(how):
    with silent_engine() as engine, pool_process() as (pool, address):
        start_worker(address, engine)
        (worker,) = until(lambda: children(pool.pid))
        until(lambda: b"worker" in Path(f"/proc/{worker}/cmdline").read_bytes())
        pool.send_signal(how)
        pool.wait()
        until(lambda: not alive(worker), 10)


def test_workers_end_with_their_engine_in_the_middle_of_a_bundle(tmp_path):
    ticks = tmp_path / "ticks"
    with pool_process() as (pool, address):
        with ending([sys.executable, "-c", ENDLESS, address, str(ticks)]) as engine:
            until(lambda: ticks.exists() and engine.poll() is None)
            (worker,) = children(pool.pid)
            engine.kill()
            engine.wait()
        until(lambda: not alive(worker), 10)
        assert pool.poll() is None
