"""Google Cloud Storage on 127.0.0.1: the PyPI package gcp-storage-emulator in a process of its own, its data on disk.

As a program it is that process: `gcs_emulator.py PORT FOLDER`.
"""

import http.server
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

BUCKET = "manyfaces"
_START_SECONDS = 30
_REQUESTS = "requests.log"


@dataclass(slots=True)
class Emulator:
    """A running emulator: its port, the folder with its data, and its process while there is one."""

    port: int
    data: Path
    process: subprocess.Popen | None = field(default=None)

    @property
    def url(self) -> str:
        """Where the emulator listens."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start the server, on the same port and with the data that it had; returns when it answers."""
        with (self.data / "server.log").open("ab") as log:
            command = [sys.executable, str(Path(__file__).resolve()), str(self.port), str(self.data)]
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(
                    f"the storage emulator did not start: {(self.data / 'server.log').read_text()[-500:]}"
                )
            time.sleep(0.02)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(self.url, timeout=5) as answer:
                return answer.status == 200
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def kill(self) -> None:
        """SIGKILL; the data stay."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def folder(self) -> str:
        """A folder on the emulator that nothing else uses."""
        return f"gs://{BUCKET}/{uuid.uuid4().hex}"

    def requests(self) -> list[str]:
        """The requests so far, as `METHOD path?query status`."""
        lines = (self.data / _REQUESTS).read_text().splitlines()
        return [
            f"{method} {path} {status}"
            for method, path, _, status, *_ in (line.replace(chr(34), "").split() for line in lines)
        ]

    def environment(self) -> dict[str, str]:
        """What Google's clients need to find this server, and no other one.

        Without credentials Beam looks for some for half a minute in every process, so there is a token that never
        expires; the emulator takes any.
        """
        return {
            "STORAGE_EMULATOR_HOST": self.url,
            "GOOGLE_APPLICATION_CREDENTIALS": str(self.data / "credentials.json"),
            "GOOGLE_CLOUD_PROJECT": "manyfaces",
            "NO_GCE_CHECK": "true",
        }

    def write_credentials(self) -> None:
        """The file that `environment` names."""
        user = {"type": "authorized_user", "client_id": "-", "client_secret": "-", "refresh_token": "-"}
        token = {"token": "none", "expiry": "2999-01-01T00:00:00Z", "quota_project_id": "manyfaces"}
        (self.data / "credentials.json").write_text(json.dumps(user | token))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def gcs_emulator() -> Iterator[Emulator]:
    """A running emulator with an empty bucket; this process and those that it starts use it for `gs://` meanwhile."""
    with tempfile.TemporaryDirectory(prefix="gcs-") as folder:
        emulator = Emulator(_free_port(), Path(folder))
        emulator.write_credentials()
        before = {name: os.environ.get(name) for name in emulator.environment()}
        try:
            emulator.start()
            os.environ.update(emulator.environment())
            yield emulator
        finally:
            emulator.kill()
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value


def _write_whole(store, path: str, content: bytes) -> None:
    """Like the store's own `write_bytes`, but a killed server leaves the old file or the new one, as a real store."""
    target = store._disk_path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{uuid.uuid4().hex}")
    temporary.write_bytes(content)
    temporary.replace(target)


def _write_metadata(self) -> None:
    """Like the store's own, which indents: Python then encodes JSON ten times slower, at every request that writes."""
    names = ("buckets", "objects", "resumable", "bucket_iam_policies", "soft_deleted")
    self._store.write_bytes(".meta", json.dumps({name: getattr(self, name) for name in names}).encode())


def _serve(port: int, data: Path) -> None:
    from gcp_storage_emulator import server, storage

    storage._FileStore.write_bytes = _write_whole
    storage.Storage._write_config_to_file = _write_metadata
    http.server.HTTPServer.request_queue_size = 128  # of connections not yet accepted; beyond 5 a client waits a second
    log = logging.FileHandler(data / _REQUESTS)
    log.addFilter(lambda record: record.getMessage().startswith('"'))
    logging.getLogger(server.__name__).addHandler(log)
    logging.getLogger(server.__name__).setLevel(logging.INFO)
    server.create_server("127.0.0.1", port, default_bucket=BUCKET, data_dir=str(data)).run()


if __name__ == "__main__":
    _serve(int(sys.argv[1]), Path(sys.argv[2]))
