"""Flink on this machine: a standalone cluster, each task manager with a worker pool of its own, all on 127.0.0.x.

Flink's jars come from PyPI, Beam's job server for it from Maven Central; a jar that was got by hand is used if it lies
in the cache (see fetch) under the name that it has here.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

from tests.engines.fetch import Unavailable, engines
from tests.engines.flink_job_server import OPENS, flink_package, job_server, on_the_cluster
from transforms.child_python import child_command

_START_SECONDS = 60
_POOL = "worker-pool"  # the name under which each task manager finds its own pool
_JAVA = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", *(f"--add-opens={package}=ALL-UNNAMED" for package in OPENS)]

_MEMORY = {  # a task manager's, every part of it: without Flink's scripts nothing else works them out
    "framework.heap.size": "128m",
    "task.heap.size": "256m",
    "framework.off-heap.size": "128m",
    "task.off-heap.size": "64m",
    "managed.size": "128m",
    "network.min": "64m",
    "network.max": "64m",
    "jvm-metaspace.size": "256m",
    "jvm-overhead.min": "128m",
    "jvm-overhead.max": "128m",
}


def require_java() -> None:
    """Raise Unavailable where there is no Java."""
    if shutil.which("java") is None:
        raise Unavailable("there is no Java (java) on the PATH; Flink needs 17.")


def flink_jars() -> Path:
    """The folder with Flink's own jars, of the version that the job server is for. Raises Unavailable."""
    release, _ = job_server()
    folder = engines() / f"flink-{release.flink}"
    package = flink_package(release)
    if not folder.exists():
        with TemporaryDirectory(dir=engines()) as scratch:
            jars = Path(scratch) / "jars"
            jars.mkdir()
            for name, jar in _members(package):
                if name.startswith(("flink-dist", "log4j-")):
                    with jar, (jars / name).open("wb") as out:
                        shutil.copyfileobj(jar, out)
            with suppress(OSError):  # another process was faster
                jars.rename(folder)
    return folder


def _members(package: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """The files of a wheel or source archive, without their folders."""
    if package.suffix == ".whl":
        with zipfile.ZipFile(package) as wheel:
            for name in wheel.namelist():
                yield Path(name).name, wheel.open(name)
        return
    with tarfile.open(package) as source:
        for member in source:
            if member.isfile():
                yield Path(member.name).name, source.extractfile(member)


def embedded_arguments() -> list[str]:
    """Beam's options for Flink inside its job server. Raises Unavailable."""
    require_java()
    return ["--runner=FlinkRunner", "--flink_master=[local]", f"--flink_job_server_jar={job_server()[1]}"]


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nobody listens on now."""
    with socket.create_server((host, 0)) as listener:
        return int(listener.getsockname()[1])


@dataclass(slots=True)
class Process:
    """A process on a leash: it ends with the tests, however they end."""

    leash: subprocess.Popen
    log: Path

    @property
    def id(self) -> int:
        """The process's own id, behind the leash's."""
        return int(Path(f"/proc/{self.leash.pid}/task/{self.leash.pid}/children").read_text().split()[0])

    def kill(self) -> None:
        """SIGKILL; the process is gone afterwards."""
        os.kill(self.id, signal.SIGKILL)
        self.leash.wait()

    def end(self) -> None:
        """Let go of the leash; the process is gone afterwards."""
        self.leash.terminate()
        self.leash.wait()


def _start(command: list[str], log: Path) -> Process:
    with log.open("ab") as out:
        leash = child_command("beam_pipelines.runners.leash", *command)
        return Process(subprocess.Popen(leash, stdout=out, stderr=out, start_new_session=True), log)


@dataclass(slots=True)
class Cluster:
    """A cluster: folder, class path, ports of its services and of its pools, task managers with their pools."""

    folder: Path
    class_path: str
    slots: int
    rpc: int = field(default_factory=free_port)
    rest: int = field(default_factory=free_port)
    pools: int = field(default_factory=lambda: free_port(_pool_host(0)))
    task_managers: dict[int, tuple[Process, Process]] = field(default_factory=dict)

    @property
    def master(self) -> str:
        """The job manager's REST service."""
        return f"127.0.0.1:{self.rest}"

    @property
    def arguments(self) -> list[str]:
        """Beam's options for a job with a slot on each task manager. Raises Unavailable without a job server."""
        return [
            "--runner=FlinkRunner",
            f"--flink_master={self.master}",
            f"--flink_job_server_jar={job_server()[1]}",
            f"--parallelism={len(self.task_managers)}",
            "--environment_type=EXTERNAL",
            f"--environment_config={_POOL}:{self.pools}",
        ]

    def start(self, number: int) -> None:
        """Start a task manager and its pool, the first time or again."""
        pool = _start_pool(self.folder, self.pools, number)
        task_manager = _start_task_manager(self, number)
        self.task_managers[number] = task_manager, pool

    def kill(self, number: int) -> None:
        """SIGKILL for a task manager and its pool, as if their machine were gone."""
        for process in self.task_managers[number]:
            process.kill()

    def ask(self, path: str) -> dict:
        """What the job manager's REST service answers."""
        with urllib.request.urlopen(f"http://{self.master}{path}", timeout=5) as answer:
            return json.load(answer)

    def wait_for(self, task_managers: int) -> None:
        """Wait until so many are registered, no more and no fewer, and the pools of those that live listen."""
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            with suppress(urllib.error.URLError, ConnectionError, TimeoutError):
                seen = self.ask("/overview")
                if (seen["taskmanagers"], seen["slots-total"]) == (task_managers, task_managers * self.slots):
                    break
            time.sleep(0.1)
        else:
            raise RuntimeError(f"{task_managers} task managers are not registered: {self.complaints()}")
        for number, (_, pool) in self.task_managers.items():
            if pool.leash.poll() is None:
                _wait_for_port(_pool_host(number), self.pools)

    def complaints(self) -> list[str]:
        """The first lines of the logs that speak of an error."""
        lines = [line for path in sorted(self.folder.glob("*.log")) for line in path.read_text().splitlines()]
        return [line[:300] for line in lines if "ERROR" in line or "Exception" in line][:8]


def _class_path() -> str:
    """Flink's own jars, and those of Beam's runner that no job brings. Raises Unavailable."""
    release, _ = job_server()
    return os.pathsep.join([f"{flink_jars()}/*", *map(str, on_the_cluster(release))])


def _java(class_path: str, options: list[str], main: str, folder: Path, settings: dict[str, str]) -> list[str]:
    pairs = [word for key, value in settings.items() for word in ("-D", f"{key}={value}")]
    classes = ["-classpath", class_path, f"-Dlog4j.configurationFile={folder}/log4j.properties"]
    return ["java", *_JAVA, *options, *classes, f"org.apache.flink.runtime.{main}", "--configDir", str(folder), *pairs]


def _write_configuration(folder: Path) -> None:
    (folder / "config.yaml").write_text("parallelism:\n  default: 1\n")
    (folder / "log4j.properties").write_text(
        "rootLogger.level = INFO\nrootLogger.appenderRef.console.ref = Console\nappender.console.name = Console\n"
        "appender.console.type = CONSOLE\nappender.console.layout.type = PatternLayout\n"
        "appender.console.layout.pattern = %d{HH:mm:ss,SSS} %p %c{1} %m%n\n"
    )


def _common(rpc: int, folder: Path) -> dict[str, str]:
    """What both kinds of process are told: addresses, and to notice a lost neighbour within seconds."""
    return {
        "jobmanager.rpc.address": "127.0.0.1",
        "jobmanager.rpc.port": str(rpc),
        "io.tmp.dirs": str(folder),
        "cluster.evenly-spread-out-slots": "true",
        "classloader.resolve-order": "parent-first",  # a class is loaded once, not once a job
        "heartbeat.interval": "1000",
        "heartbeat.timeout": "8000",
    }


def _start_job_manager(cluster: Cluster) -> Process:
    folder = cluster.folder
    settings = _common(cluster.rpc, folder) | {
        "jobmanager.bind-host": "127.0.0.1",
        "rest.address": "127.0.0.1",
        "rest.bind-address": "127.0.0.1",
        "rest.port": str(cluster.rest),
        "jobmanager.memory.process.size": "1g",
        "restart-strategy.type": "fixed-delay",  # batch jobs of Beam's runner for Flink 1 take the cluster's
        "restart-strategy.fixed-delay.attempts": "3",
        "restart-strategy.fixed-delay.delay": "1 s",
        "web.upload.dir": str(folder),
    }
    main = "entrypoint.StandaloneSessionClusterEntrypoint"
    return _start(_java(cluster.class_path, ["-Xmx448m"], main, folder, settings), folder / "job-manager.log")


def _start_task_manager(cluster: Cluster, number: int) -> Process:
    """Its hosts file makes the one name of all pools its own pool's address."""
    folder = cluster.folder
    hosts = folder / f"hosts-{number}"
    hosts.write_text(f"127.0.0.1 localhost\n{_pool_host(number)} {_POOL}\n")
    settings = _common(cluster.rpc, folder) | {
        "taskmanager.host": "127.0.0.1",
        "taskmanager.bind-host": "127.0.0.1",
        "taskmanager.resource-id": f"task-manager-{number}",
        "taskmanager.numberOfTaskSlots": str(cluster.slots),
        "taskmanager.cpu.cores": "1",
        "taskmanager.network.sort-shuffle.min-buffers": "64",
        **{f"taskmanager.memory.{part}": size for part, size in _MEMORY.items()},
    }
    options = ["-Xmx384m", "-XX:MaxDirectMemorySize=256m", f"-Djdk.net.hosts.file={hosts}"]
    log = folder / f"task-manager-{number}.log"
    return _start(_java(cluster.class_path, options, "taskexecutor.TaskManagerRunner", folder, settings), log)


def _pool_host(number: int) -> str:
    return f"127.0.0.{2 + number}"


def _start_pool(folder: Path, port: int, number: int) -> Process:
    command = [
        sys.executable,
        "-m",
        "beam_pipelines.runners.worker_pool",
        "--bind",
        _pool_host(number),
        "--port",
        str(port),
    ]
    return _start(command, folder / f"worker-pool-{number}.log")


def _wait_for_port(host: str, port: int) -> None:
    """Wait until somebody listens there."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection((host, port), timeout=1):
            return
        time.sleep(0.1)
    raise RuntimeError(f"nobody listens at {host}:{port}")


@contextmanager
def flink_cluster(task_managers: int = 2, slots: int = 2) -> Iterator[Cluster]:
    """A cluster with so many task managers, each with a pool and enough slots for what another one had.

    Raises Unavailable where Java or Flink cannot be had.
    """
    require_java()
    with TemporaryDirectory(prefix="manyfaces-flink-") as name:
        cluster = Cluster(Path(name), _class_path(), slots)
        _write_configuration(cluster.folder)
        job_manager = _start_job_manager(cluster)
        try:
            for number in range(task_managers):
                cluster.start(number)
            cluster.wait_for(task_managers)
            yield cluster
        finally:
            for pair in cluster.task_managers.values():
                for process in pair:
                    process.end()
            job_manager.end()
