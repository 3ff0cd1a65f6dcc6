"""The guard of a process: no library's connection gets past it, and no name or redirect leads around it."""

import contextlib
import json
import socket
import subprocess
import sys
import threading

import pytest

from tests.video_server import wait_until

pytestmark = [pytest.mark.server, pytest.mark.integration]

# names resolve as this says, beneath the guard; what stands after it is what the process then tries
RESOLVER = """
import json, socket, sys
real = socket.getaddrinfo
NAMES = {"loopback.test": "127.0.0.1", "six.test": "::1", "mapped.test": "::ffff:127.0.0.1", "private.test": "10.1.2.3",
         "metadata.test": "169.254.169.254", "alias.test": "127.0.0.1"}
socket.getaddrinfo = lambda host, *more, **named: real(NAMES.get(host, host), *more, **named)
port, allow = int(sys.argv[1]), tuple(json.loads(sys.argv[2]))
from transforms.fetch.videos.socket_guard import guard_process
guard_process(allow)
"""
ATTEMPTS = """
import asyncio, http.client, os, ssl, subprocess, tempfile, urllib.request
import requests, urllib3
from transforms.fetch.videos.site import Session
from transforms.fetch.videos.settings import VideoDownloadSettings
from transforms.fetch.videos.child import fetch
import websockets.sync.client

def raw(host, how="connect"):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as s:
        s.settimeout(2)
        return getattr(s, how)((host, port))

def low(host):
    import _socket
    s = _socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    s.settimeout(2)
    s.connect((host, port))

def udp():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.sendto(b"x", ("127.0.0.1", port))

def unix():
    with socket.socket(socket.AF_UNIX) as s:
        s.connect("/nonexistent")

def tls():
    context = ssl.create_default_context()
    with context.wrap_socket(socket.socket(), server_hostname="a.test") as s:
        s.connect(("127.0.0.1", port))

def unheard():  # it would connect in C, where no hook is asked; whether it is installed or not
    import curl_cffi

def first(answer):  # of a download: its code, as an error
    raise PermissionError(answer["code"])

def site(url):
    with tempfile.TemporaryDirectory() as folder:
        first(fetch(url, VideoDownloadSettings(allow_hosts=allow, stall_timeout=3), folder))

def resolved_before(host):  # a name that is allowed, and then another at the same address
    with contextlib.suppress(OSError):
        socket.create_connection(("alias.test", port), 2).close()
    socket.create_connection((host, port), 2)

import contextlib
tried = {
    "raw": lambda: raw("127.0.0.1"),
    "raw six": lambda: raw("::1"),
    "raw mapped": lambda: raw("::ffff:127.0.0.1"),
    "raw connect_ex": lambda: raw("127.0.0.1", "connect_ex"),
    "localhost in connect": lambda: raw("localhost"),
    "below the module": lambda: low("127.0.0.1"),
    "udp": udp,
    "unix": unix,
    "tls": tls,
    "curl_cffi": unheard,
    "create_connection": lambda: socket.create_connection(("loopback.test", port), 2),
    "resolved before": lambda: resolved_before("loopback.test"),
    "http.client": lambda: http.client.HTTPConnection("loopback.test", port, timeout=2).request("GET", "/"),
    "urllib": lambda: urllib.request.urlopen(f"http://loopback.test:{port}/", timeout=2),
    "requests": lambda: requests.get(f"http://six.test:{port}/", timeout=2),
    "urllib3": lambda: urllib3.PoolManager().request("GET", f"http://mapped.test:{port}/", timeout=2, retries=False),
    "websockets": lambda: websockets.sync.client.connect(f"ws://loopback.test:{port}/", open_timeout=2, proxy=None),
    "asyncio": lambda: asyncio.run(asyncio.open_connection("loopback.test", port)),
    "program": lambda: subprocess.run(["/bin/true"]),
    "shell": lambda: os.system("true"),
    **{f"yt-dlp {name}": (lambda name=name: site(f"http://{name}:{port}/v.mp4")) for name in
       ("loopback.test", "six.test", "mapped.test", "private.test", "metadata.test", "127.0.0.1", "localhost")},
}
found = {}
for name, attempt in tried.items():
    try:
        attempt()
        found[name] = "went through"
    except BaseException as error:
        chain = []
        while error is not None and len(chain) < 9:
            chain.append(f"{type(error).__name__}: {error}")
            error = error.__cause__ or error.__context__ or getattr(error, "reason", None)
        found[name] = " <- ".join(chain)
print(json.dumps(found))
"""


@contextlib.contextmanager
def canary():
    """Listens on 127.0.0.1 and ::1 at one port; gives it and the list of visits."""
    visits: list[object] = []
    four = socket.create_server(("127.0.0.1", 0))
    port = four.getsockname()[1]
    listeners = [four]
    with contextlib.suppress(OSError):
        listeners.append(socket.create_server(("::1", port), family=socket.AF_INET6))

    def listen(listener):
        with contextlib.suppress(OSError):
            while True:
                connection = listener.accept()[0]
                visits.append(1)
                connection.close()

    for listener in listeners:
        threading.Thread(target=listen, args=(listener,), daemon=True).start()
    try:
        yield port, visits
    finally:
        for listener in listeners:
            listener.close()


def run_guarded(script, port, allow=()):
    command = [sys.executable, "-c", RESOLVER + script, str(port), json.dumps(allow)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_nothing_gets_past_the_guard():
    with canary() as (port, visits):
        found = run_guarded(ATTEMPTS, port)
    assert len(found) >= 25
    blocked = ("BlockedAddress", "is refused", "blocked_address", "import of curl_cffi halted")
    assert {name: what for name, what in found.items() if not any(word in what for word in blocked)} == {}
    assert not visits


ALLOWED = """
found = []
for host in ("127.0.0.1", "loopback.test", "alias.test", "loopback.test"):
    try:
        socket.create_connection((host, port), 2).close()
        found.append("")
    except OSError as error:
        found.append(str(error))
print(json.dumps(found))
"""


def test_what_is_allowed_by_name_is_allowed_by_that_name_only():
    with canary() as (port, visits):
        found = run_guarded(ALLOWED, port, [f"alias.test:{port}"])
        assert [bool(error) for error in found] == [True, True, False, True]
        found = run_guarded(ALLOWED, port, ["127.0.0.1"])
        assert [bool(error) for error in found] == [False] * 4  # an address that is allowed has any name
        found = run_guarded(ALLOWED, port, ["alias.test:1"])
        assert all(found)
        wait_until(lambda: len(visits) == 5)
