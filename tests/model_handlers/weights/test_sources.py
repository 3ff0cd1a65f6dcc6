import hashlib
import io
import os
import re
import shutil
import ssl
import subprocess
import sys
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from apache_beam.io.filesystem import FileSystem
from apache_beam.io.localfilesystem import LocalFileSystem

from model_handlers.errors import ModelError
from model_handlers.weights import sources
from model_handlers.weights.sources import fetch, npm_client
from model_handlers.weights.uris import REMOTE, check_uri, local_path

pytestmark = pytest.mark.server


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("a/b.onnx", Path("a/b.onnx")),
        ("/a/b.onnx", Path("/a/b.onnx")),
        ("file:///a/b%20c.onnx", Path("/a/b c.onnx")),
        ("https://host/a", None),
        ("pypi://a==1/b", None),
    ],
)
def test_local_path(uri: str, path: Path | None) -> None:
    assert local_path(uri) == path


@pytest.mark.parametrize(
    "uri",
    [
        "", "http://host/a", "ftp://host/a", "pypi://package/path", "pypi://package==1.0", "pypi://-r==1/x",
        "npm://package/path", "npm://package@latest/path", "npm://--registry@1.0/x", "npm://@a/b/c@1.0/x",
        "npm://a;b@1.0.0/x", "hf://repo/file", "hf://org/repo", "S3://bucket/key",
    ],
)  # fmt: skip
def test_what_is_no_source(uri: str) -> None:
    with pytest.raises(ValueError, match="is no source"):
        check_uri(uri)


@pytest.mark.parametrize(
    "uri",
    [
        "hf://org/repo/a.onnx", "hf://org/repo@main/a/b.onnx", "gs://b/k", "npm://a@1.2.3-beta.1/x",
        "npm://@s/a@1.2.3/p/x", "pypi://a.b-c==1.0+cpu/x/y",
    ],
)  # fmt: skip
def test_what_is_a_source(uri: str) -> None:
    assert check_uri(uri) == uri


class Pages(BaseHTTPRequestHandler):
    """Answers /ok with 1000 bytes, /gzip as a coded body, /away with a redirection to plain http, /cut half a body."""

    def do_GET(self) -> None:
        if self.path == "/away":
            self.send_response(302)
            self.send_header("Location", "http://127.0.0.1:9/x")
            self.end_headers()
            return
        self.send_response(404 if self.path == "/none" else 200)
        self.send_header("Content-Length", "2000" if self.path == "/cut" else "1000")
        self.end_headers()
        self.wfile.write(b"x" * 1000)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture(scope="module")
def https_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server with a certificate of its own, which requests is told to trust."""
    if shutil.which("openssl") is None:
        pytest.skip("needs the openssl command to make a certificate")
    folder = tmp_path_factory.mktemp("tls")
    key, certificate = folder / "key.pem", folder / "cert.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
        patch.setenv("NO_PROXY", "127.0.0.1")
        yield f"https://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_https(https_server: str, tmp_path: Path) -> None:
    assert fetch(f"{https_server}/ok", tmp_path / "out", tmp_path) is None
    assert (tmp_path / "out").read_bytes() == b"x" * 1000


@pytest.mark.parametrize(
    ("page", "message"), [("none", "404"), ("away", "http://127.0.0.1:9"), ("cut", "cannot be fetched")]
)
def test_https_failures(https_server: str, tmp_path: Path, page: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        fetch(f"{https_server}/{page}", tmp_path / "out", tmp_path)


def test_https_cap(https_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "MAX_DOWNLOAD", 999)
    with pytest.raises(ModelError, match="larger than the limit of 999"):
        fetch(f"{https_server}/ok", tmp_path / "out", tmp_path)


def test_https_certificate_is_checked(https_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    with pytest.raises(ModelError, match="certificate"):
        fetch(f"{https_server}/ok", tmp_path / "out", tmp_path)


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package index on this machine: package `demo` 1.0 with a wheel (demo/a.bin) and an sdist (data/b.bin)."""
    folder = tmp_path / "index" / "demo"
    folder.mkdir(parents=True)
    with zipfile.ZipFile(folder / "demo-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("demo/a.bin", b"in the wheel")
    with tarfile.open(folder / "demo-1.0.tar.gz", "w:gz") as sdist:
        info = tarfile.TarInfo("demo-1.0/data/b.bin")
        info.size = 12
        sdist.addfile(info, io.BytesIO(b"in the sdist"))
    rows = [
        f'<a href="{path.name}#sha256={hashlib.sha256(path.read_bytes()).hexdigest()}">{path.name}</a>'
        for path in sorted(folder.iterdir())
    ]
    (folder / "index.html").write_text(f"<html><body>{''.join(rows)}</body></html>")
    handler = partial(_Quiet, directory=str(tmp_path / "index"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.server_port}/")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield folder
    server.shutdown()
    server.server_close()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        pass


@pytest.mark.parametrize(("path", "content"), [("demo/a.bin", b"in the wheel"), ("data/b.bin", b"in the sdist")])
def test_pypi(index: Path, tmp_path: Path, path: str, content: bytes) -> None:
    archive = fetch(f"pypi://demo==1.0/{path}", tmp_path / "out", tmp_path / "archives")
    assert (tmp_path / "out").read_bytes() == content
    assert archive is not None
    assert archive.parent == tmp_path / "archives"


def test_pypi_archive_is_downloaded_once(index: Path, tmp_path: Path) -> None:
    fetch("pypi://demo==1.0/demo/a.bin", tmp_path / "out", tmp_path / "archives")
    shutil.rmtree(index)
    fetch("pypi://demo==1.0/demo/a.bin", tmp_path / "again", tmp_path / "archives")
    assert (tmp_path / "again").read_bytes() == b"in the wheel"


def test_pypi_wrong_digest_is_refused(index: Path, tmp_path: Path) -> None:
    wheel = index / "demo-1.0-py3-none-any.whl"
    wheel.write_bytes(wheel.read_bytes() + b"tampered")
    with pytest.raises(ModelError, match="digest"):
        fetch("pypi://demo==1.0/demo/a.bin", tmp_path / "out", tmp_path / "archives")
    assert not [path for path in (tmp_path / "archives").iterdir() if path.suffix == ".whl"]


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("pypi://demo==2.0/demo/a.bin", "has no wheel .* has no sdist"),
        ("pypi://demo==1.0/demo/c.bin", "there is no demo/c.bin"),
        ("pypi://other==1.0/a", "there is no package 'other'"),
    ],
)
def test_pypi_absent(index: Path, tmp_path: Path, uri: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        fetch(uri, tmp_path / "out", tmp_path / "archives")


def test_pypi_without_digest_is_refused(index: Path, tmp_path: Path) -> None:
    page = index / "index.html"
    page.write_text('<html><body><a href="demo-1.0-py3-none-any.whl">demo-1.0-py3-none-any.whl</a></body></html>')
    with pytest.raises(ModelError, match="no digest"):
        fetch("pypi://demo==1.0/demo/a.bin", tmp_path / "out", tmp_path / "archives")


def test_pypi_cap(index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "MAX_DOWNLOAD", 50)
    with pytest.raises(ModelError, match="larger than 50"):
        fetch("pypi://demo==1.0/demo/a.bin", tmp_path / "out", tmp_path / "archives")


def fake_npm(folder: Path, body: str) -> None:
    folder.mkdir()
    program = folder / "npm"
    program.write_text(f"#!{sys.executable}\nimport io, sys, tarfile\n{body}\n")
    program.chmod(0o755)


PACK = """
assert sys.argv[1:] == ["pack", "--ignore-scripts", "--silent", "@scope/demo@1.0.0"], sys.argv
with tarfile.open("scope-demo-1.0.0.tgz", "w:gz") as out:
    info = tarfile.TarInfo("package/m.bin"); info.size = 3
    out.addfile(info, io.BytesIO(b"abc"))
"""


def test_npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_npm(tmp_path / "bin", PACK)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    archive = fetch("npm://@scope/demo@1.0.0/package/m.bin", tmp_path / "out", tmp_path / "archives")
    assert (tmp_path / "out").read_bytes() == b"abc"
    assert archive is not None
    assert archive.exists()


@pytest.mark.parametrize(
    ("body", "message"), [("sys.exit('E404 no such package')", "npm pack failed: E404"), ("", "npm pack failed: 0")]
)
def test_npm_failures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, message: str) -> None:
    fake_npm(tmp_path / "bin", body)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    with pytest.raises(ModelError, match=message):
        fetch("npm://@scope/demo@1.0.0/package/m.bin", tmp_path / "out", tmp_path / "archives")


def test_npm_comes_with_the_environment_where_the_path_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    client = npm_client()
    assert client is not None
    done = subprocess.run([*client, "--version"], capture_output=True, text=True, timeout=60, check=True)
    assert re.fullmatch(r"\d+\.\d+\.\d+", done.stdout.strip())


def test_npm_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sources, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match=r"manyfaces\[cpu\].*Node\.js"):
        fetch("npm://@scope/demo@1.0.0/package/m.bin", tmp_path / "out", tmp_path / "archives")


def test_absent_clients_name_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    monkeypatch.setattr(FileSystem, "get_all_subclasses", lambda: [LocalFileSystem])  # as Beam is without its extra
    for uri, extra in (("hf://org/repo@main/a.onnx", "hf"), ("gs://bucket/a.onnx", "gcp")):
        with pytest.raises(ModelError, match=rf"manyfaces\[{extra}\]"):
            fetch(uri, tmp_path / "out", tmp_path)


def test_there_is_a_function_for_every_scheme():
    assert set(sources._FETCHERS) == set(REMOTE)
