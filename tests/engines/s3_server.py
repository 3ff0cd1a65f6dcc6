"""S3 on 127.0.0.1: S3Proxy, a server of objects over a file system, in a process of its own with its data on disk."""

import os
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from tests.engines.fetch import Unavailable, fetch, from_maven
from tests.engines.flink import free_port
from transforms.child_python import child_command
from transforms.tables.s3 import forget_client

BUCKET = "manyfaces"
_VERSION = "4.1.0"
_SHA256 = "a4d025969aaf796616ed4b1e2491d87d455ce84bb28cb9db086b2e6aaa68b48d"
_START_SECONDS = 60
_KEY_ID, _KEY = "manyfaces", "known-to-all"
_SETTINGS = """
s3proxy.endpoint=http://127.0.0.1:{port}
s3proxy.authorization=aws-v4
s3proxy.identity={key_id}
s3proxy.credential={key}
jclouds.provider=filesystem-nio2
jclouds.identity=none
jclouds.credential=none
jclouds.filesystem.basedir={data}
"""


def jar() -> Path:
    """The server, fetched once and kept. Raises Unavailable."""
    coordinates = f"org.gaul:s3proxy:{_VERSION}:jar:jar-with-dependencies"
    return fetch(f"s3proxy-{_VERSION}.jar", _SHA256, from_maven(coordinates))


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: its address."""

    url: str

    def folder(self) -> str:
        """A folder on the server that nothing else uses."""
        return f"s3://{BUCKET}/{uuid.uuid4().hex}"

    def environment(self) -> dict[str, str]:
        """What S3's clients need to find this server, and no other one."""
        return {"AWS_ENDPOINT_URL": self.url, "AWS_DEFAULT_REGION": "us-east-1", **self.credentials()}

    def credentials(self) -> dict[str, str]:
        """The keys alone."""
        return {"AWS_ACCESS_KEY_ID": _KEY_ID, "AWS_SECRET_ACCESS_KEY": _KEY, "AWS_EC2_METADATA_DISABLED": "true"}


@contextmanager
def s3_server() -> Iterator[Server]:
    """A running server with an empty bucket; this process and those that it starts use it for `s3://` meanwhile."""
    if shutil.which("java") is None:
        raise Unavailable("the S3 server cannot be run: there is no Java (java) on the PATH.")
    port = free_port()
    server = Server(f"http://127.0.0.1:{port}")
    with tempfile.TemporaryDirectory(prefix="s3-") as folder:
        data = Path(folder, "data")
        (data / BUCKET).mkdir(parents=True)
        settings = Path(folder, "s3proxy.conf")
        settings.write_text(_SETTINGS.format(port=port, key_id=_KEY_ID, key=_KEY, data=data))
        with Path(folder, "server.log").open("wb") as log:
            server_command = ["java", "-jar", str(jar()), "--properties", str(settings)]
            command = child_command("beam_pipelines.runners.leash", *server_command)  # it ends with the tests
            process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        try:
            _wait(server, process, Path(folder, "server.log"))
            with patch.dict(os.environ, server.environment()):
                forget_client()
                yield server
        finally:
            forget_client()
            process.terminate()
            process.wait()


def _wait(server: Server, process: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not _answers(server.url):
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the S3 server did not start: {log.read_text()[-500:]}")
        time.sleep(0.05)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except urllib.error.HTTPError:
        return True  # it asks who this is
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False
