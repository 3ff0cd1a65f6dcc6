"""Children that answer, fail, hang, crash, and lose their parent; real processes throughout."""

import json
import os
import resource
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.video_server import File, serving, wait_until
from tests.videos import File as Written
from tests.videos import number_frames, write
from transforms.fetch.videos import child_process
from transforms.fetch.videos.child_process import ChildLost, Stopped, ask_child
from transforms.fetch.videos.settings import VideoDownloadSettings

pytestmark = [pytest.mark.server, pytest.mark.integration]

CHILD = """
import json, os, signal, subprocess, sys, time
from transforms.fetch.videos.child_process import limit_resources, receive_order
def main():
    order, answers = receive_order()
    print("noise")
    def hang():
        grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        with open("pids", "w") as out:
            print(os.getpid(), grandchild.pid, file=out)
        time.sleep(600)
    def limits():
        limit_resources(300_000_000, 1000, 5)
        found = []
        for attempt in (lambda: bytearray(10**9), lambda: open("big", "wb").write(bytes(50_000))):
            try:
                attempt()
                found.append("went through")
            except (MemoryError, OSError) as error:
                found.append(type(error).__name__)
        return found
    answer = {
        "echo": lambda: order,
        "environment": lambda: [sorted(os.environ), os.listdir("/proc/self/fd")],
        "group": lambda: os.getpgid(0) == os.getpid(),
        "hang": hang,
        "crash": lambda: os.kill(os.getpid(), signal.SIGSEGV),
        "fail": lambda: 1 / 0,
        "silent": lambda: sys.exit(3),
        "limits": limits,
    }[order["do"]]()
    print(json.dumps({"answer": answer}), file=answers, flush=True)
"""


@pytest.fixture
def child(tmp_path, monkeypatch):
    (tmp_path / "some_child.py").write_text(CHILD)
    monkeypatch.syspath_prepend(str(tmp_path))
    return "some_child"


def ask(module, folder, what, seconds=20.0, stop=None):
    return ask_child(module, {"do": what}, str(folder), seconds, stop or threading.Event())["answer"]


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):  # it may end while it is read
        return False


def test_it_answers_whatever_else_it_prints(child, tmp_path):
    assert ask(child, tmp_path, "echo") == {"do": "echo"}
    assert ask(child, tmp_path, "group") is True


def test_it_inherits_neither_files_nor_proxies_nor_secrets(child, tmp_path, monkeypatch):
    for name in ("http_proxy", "HTTPS_PROXY", "ALL_PROXY", "GOOGLE_APPLICATION_CREDENTIALS", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with open(os.devnull) as file:
        os.set_inheritable(file.fileno(), True)
        names, files = ask(child, tmp_path, "environment")
    allowed = {"LANG", "LC_ALL", "LC_CTYPE", "TZ", "PATH", "HOME", "TMPDIR", "PYTHONNOUSERSITE"}
    assert set(names) <= allowed | {"SSL_CERT_FILE", "SSL_CERT_DIR", "YTDLP_NO_PLUGINS"}
    assert len(files) <= 5  # the three standard ones, its answers, and the folder that is listed


@pytest.mark.parametrize(
    ("what", "by", "message"), [("crash", 11, "-11"), ("fail", 0, "ZeroDivision"), ("silent", 0, "3")]
)
def test_one_that_ends_without_an_answer(child, tmp_path, what, by, message):
    with pytest.raises(ChildLost, match=message) as lost:
        ask(child, tmp_path, what)
    assert lost.value.signal == by


def test_one_that_ends_before_it_was_asked(child, tmp_path, monkeypatch):
    start = child_process._start

    def started_and_ended(*args):
        process = start(*args)
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        return process

    monkeypatch.setattr(child_process, "_start", started_and_ended)
    with pytest.raises(ChildLost, match="No module named"):
        ask("no_such_child", tmp_path, "echo")


def test_it_answers_a_process_that_has_many_files_open(child, tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 1100  # more than select() can wait for
    if hard != resource.RLIM_INFINITY and hard < 2 * wanted:
        pytest.skip(f"no process may have more than {hard} files open here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2 * wanted), hard))
    files = [os.open(os.devnull, os.O_RDONLY) for _ in range(wanted)]
    try:
        assert ask(child, tmp_path, "echo") == {"do": "echo"}
    finally:
        for file in files:
            os.close(file)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_limits_hold(child, tmp_path):
    assert ask(child, tmp_path, "limits") == ["MemoryError", "OSError"]


def test_the_deadline_ends_it_and_all_that_it_started(child, tmp_path):
    pids, told = [], tmp_path / "pids"
    for seconds in (3, 12, 48):  # a busy machine may need longer until the child has started another
        with pytest.raises(TimeoutError, match=f"no end after {seconds}.0 s"):
            ask(child, tmp_path, "hang", seconds=seconds)
        pids = told.read_text().split() if told.exists() else []
        if len(pids) == 2:
            break
    assert len(pids) == 2
    wait_until(lambda: not any(map(is_alive, pids)))


def test_it_ends_when_nobody_wants_its_answer(child, tmp_path):
    stop = threading.Event()
    threading.Timer(0.5, stop.set).start()
    with pytest.raises(Stopped):
        ask(child, tmp_path, "hang", stop=stop)


PARENT = """
import json, sys
from transforms.fetch.videos.downloads import fetch_videos
from transforms.fetch.videos.settings import VideoDownloadSettings
from transforms.tables.video_rows import ListedVideo
sources = [ListedVideo(f"v{n}", url, None, "{}", None) for n, url in enumerate(sys.argv[3:])]
for number, result in fetch_videos(sources, sys.argv[1], VideoDownloadSettings.model_validate_json(sys.argv[2])):
    print(json.dumps([number, getattr(result, "sha256", None) or result.code]), flush=True)
"""


def processes_in(folder):
    """The processes that work in a folder or below it."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cwd"):
        try:
            place = os.readlink(path)
        except OSError:
            continue
        if place.startswith(str(folder)):
            found.append(int(path.parent.name))
    return found


def test_after_sigkill_of_the_parent_its_children_end_and_nothing_finished_is_fetched_again(tmp_path):
    body = write(tmp_path / "a.mp4", number_frames(30), Written()).read_bytes()
    run = tmp_path / "run"
    hold = threading.Event()
    with serving() as server:
        server.files = {"/a.mp4": File(body), "/b.mp4": File(body), "/slow.mp4": File(body, hold=hold)}
        settings = VideoDownloadSettings(allow_hosts=(server.allow,)).model_dump_json()
        urls = [server.url(path) for path in server.files]
        command = [sys.executable, "-c", PARENT, str(run), settings, *urls]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
            done = sorted(json.loads(parent.stdout.readline()) for _ in range(2))
            wait_until(lambda: server.requests["/slow.mp4"] > 0 and bool(processes_in(run)))
            parent.send_signal(signal.SIGKILL)
            parent.wait()
        wait_until(lambda: not processes_in(run))
        assert [number for number, _ in done] == [0, 1]
        asked = dict(server.requests)
        hold.set()
        again = subprocess.run(command, capture_output=True, text=True, check=True, timeout=180)
        results = sorted(map(json.loads, again.stdout.splitlines()))
        assert results[:2] == done
        assert results[2] == [2, done[0][1]]
        assert (server.requests["/a.mp4"], server.requests["/b.mp4"]) == (asked["/a.mp4"], asked["/b.mp4"])
        assert server.requests["/slow.mp4"] > asked["/slow.mp4"]
