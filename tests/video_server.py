"""A server of videos on 127.0.0.1 that counts requests and bytes, with ranges or without, and with faults."""

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BLOCK = 65_536


@dataclass
class File:
    """A file and how it is served."""

    body: bytes = b""
    kind: str = "video/mp4"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    ranges: bool = True
    length: int | None = None  # announced instead of the true one
    endless: bool = False  # nothing is announced, and the last byte is repeated for ever
    stall_after: int | None = None  # bytes, after which nothing more is sent
    drip: float = 0  # seconds before each single byte
    fails_first: int = 0  # requests that are answered with 429 and the headers
    hold: threading.Event | None = None  # the answer's body waits for it
    to_ranges: "File | None" = None  # what is answered to requests with a range
    cookie: bool = False  # leads to itself with a cookie until the cookie comes
    line: bytes = b""  # sent among the headers as it is


class VideoServer(ThreadingHTTPServer):
    """`files` by path; `requests` and `sent` (bytes of bodies) count by path, `times` has when each request came."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, File] = {}
        self.requests: Counter[str] = Counter()
        self.sent: Counter[str] = Counter()
        self.times: dict[str, list[float]] = {}
        self.agents: dict[str, str] = {}
        self.ranges: dict[str, list[str]] = {}
        self.cookies: dict[str, list[str]] = {}
        self.closing = threading.Event()
        self.port = self.server_address[1]
        self.allow = f"127.0.0.1:{self.port}"

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def handle_error(self, request, client_address) -> None:
        """Say nothing of clients that hang up."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        server, path = self.server, self.path.split("?")[0]
        server.requests[path] += 1
        server.times.setdefault(path, []).append(time.monotonic())
        server.agents[path] = self.headers.get("User-Agent", "")
        server.ranges.setdefault(path, []).append(self.headers.get("Range", ""))
        server.cookies.setdefault(path, []).append(self.headers.get("Cookie", ""))
        file = server.files.get(path, File(status=404))
        if file.to_ranges and "Range" in self.headers:
            file = file.to_ranges
        if file.cookie and "seen=1" not in self.headers.get("Cookie", ""):
            file = File(status=302, headers={"Set-Cookie": "seen=1; Path=/", "Location": self.path})
        self.close_connection = True
        if server.requests[path] <= file.fails_first:
            self._head(429, {**file.headers, "Content-Length": "0"})
            return
        start, end = self._range(file)
        headers = {"Content-Type": file.kind, **file.headers}
        if not file.endless:
            headers["Content-Length"] = str(end - start if file.length is None else file.length)
        if (start, end) != (0, len(file.body)) or (file.ranges and file.status == 200 and "Range" in self.headers):
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{len(file.body)}"
        self._head(206 if "Content-Range" in headers else file.status, headers, file.line)
        if file.hold is not None:
            file.hold.wait(60)
        self._send(file, path, start, end)

    def _range(self, file: File) -> tuple[int, int]:
        asked = self.headers.get("Range")
        if not asked or not file.ranges or file.status != 200 or not file.body:
            return 0, len(file.body)
        first, _, last = asked.removeprefix("bytes=").partition("-")
        return min(int(first), len(file.body) - 1), min(int(last) + 1 if last else len(file.body), len(file.body))

    def _head(self, status: int, headers: dict[str, str], line: bytes = b"") -> None:
        self.send_response(status)
        self.flush_headers()
        self.wfile.write(line)
        self.send_header("Connection", "close")
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _send(self, file: File, path: str, start: int, end: int) -> None:
        stop = end if file.stall_after is None else min(end, file.stall_after)
        step = 1 if file.drip else BLOCK
        for place in range(start, stop, step):
            if file.drip and self.server.closing.wait(file.drip):
                return
            self._write(path, file.body[place : min(place + step, stop)])
        while file.endless:
            self._write(path, file.body[-1:] * BLOCK)
        if file.stall_after is not None:
            self.server.closing.wait(60)

    def _write(self, path: str, data: bytes) -> None:
        self.wfile.write(data)
        self.server.sent[path] += len(data)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextlib.contextmanager
def serving() -> Iterator[VideoServer]:
    """A running server."""
    with VideoServer() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        try:
            yield server
        finally:
            server.closing.set()
            server.shutdown()


def wait_until(condition: Callable[[], bool], seconds: float = 30) -> None:
    """Return when the condition holds; AssertionError after so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition does not come true"
        time.sleep(0.02)
