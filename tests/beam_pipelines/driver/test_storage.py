"""Paths that cannot be used are told in a sentence, by the real clients."""

import gc
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from beam_pipelines.cli import main
from beam_pipelines.driver.order import Order
from beam_pipelines.driver.run import run
from beam_pipelines.driver.storage import check_folder, is_file, use_options
from beam_pipelines.errors import ConfigError
from tests.beam_pipelines.numbers_recipe import RECIPE, NumbersConfig
from tests.integration.runs import table_content
from transforms.tables.files import commit_file

pytestmark = [pytest.mark.server, pytest.mark.gcs]


@contextmanager
def _refusing(methods):
    """A server that denies requests of these methods and finds nothing for the others; its address and their log."""
    log = []

    class Handler(BaseHTTPRequestHandler):
        def answer(self):
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            log.append(self.command)
            denied = self.command in methods
            found = {"items": []} if self.path.partition("?")[0].endswith("/o") else None
            status = 403 if denied else 200 if found else 404
            body = json.dumps(found if status == 200 else {"error": {"message": "no access for you"}}).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = answer  # noqa: N815 - the names that http.server looks for

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", log
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("path", ["", "runs/new", "/tmp"])
def test_a_local_folder_need_not_be_there(path):
    check_folder(path, "--output")


@pytest.mark.parametrize("path", ["{folder}", "{folder}/", "gs://manyfaces", "gs://manyfaces/", "{folder}/a b+é&c=1"])
def test_a_folder_in_a_bucket_need_not_be_there(gcs, path):
    check_folder(path.format(folder=gcs.folder()), "--output")


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("gs:/bucket/run", "write gs:// with two slashes"),
        ("gs://no-such-bucket/run", "there is no such bucket"),
        ("hdfs://cluster/run", r"pip install 'apache-beam\[hadoop\]'"),
        ("ftp://host/run", "no storage is known as ftp://; there are: gs://, s3://"),
    ],
)
def test_a_folder_that_cannot_be_used(gcs, path, sentence):
    use_options([])
    with pytest.raises(ConfigError, match=f"^--output {path}: .*{sentence}"):
        check_folder(path, "--output")


def test_whether_a_file_is_there(gcs):
    path = f"{gcs.folder()}/list é 1.csv"
    assert not is_file(path, "--input")
    with commit_file(path) as out:
        out.write(b"url\n")
    assert is_file(path, "--input")
    assert not is_file("gs://no-such-bucket/list.csv", "--input")
    with pytest.raises(ConfigError, match="gs://manyfaces: "):
        is_file("gs://manyfaces", "--input")


@pytest.mark.parametrize("command", ["inspect", "retry"])
@pytest.mark.parametrize("folder_name", ["s3://bucket/run", "gs://no-such-bucket/run", "gs://manyfaces/no/such/run"])
def test_commands_say_it(gcs, command, folder_name, capsys):
    assert main([command, folder_name]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("methods", [("GET",), ("POST", "PUT")], ids=["may not list", "may not write"])
def test_denied_access(gcs, methods, tmp_path, monkeypatch):
    (tmp_path / "numbers.txt").write_text("1")
    with _refusing(methods) as (url, log):
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", url)
        with pytest.raises(ConfigError, match="access is denied"):
            run(Order(RECIPE, NumbersConfig(), str(tmp_path / "numbers.txt"), "gs://manyfaces/run"))
        asked = len(log)
        gc.collect()
        assert len(log) == asked, "an upload that was given up went on"


@pytest.mark.parametrize("name", ["a b", "é+&=,;@!~()'", "x" * 200, "bucket only"])
def test_odd_names_of_runs(gcs, name, tmp_path):
    (tmp_path / "numbers.txt").write_text("1 2 3 10")
    folder = "gs://manyfaces" if name == "bucket only" else f"{gcs.folder()}/{name}/"
    for output in (folder, str(tmp_path / "run")):
        run(Order(RECIPE, NumbersConfig(), str(tmp_path / "numbers.txt"), output))
    for table in ("manifest", "halves", "ledger/halve", "sums"):
        assert table_content(folder, table) == table_content(str(tmp_path / "run"), table) != {}
