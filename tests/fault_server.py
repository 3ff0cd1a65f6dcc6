"""A server on 127.0.0.1 that answers as it is told by the path: rightly, or with one fault of many."""

import contextlib
import gzip
import io
import socket
import socketserver
import struct
import threading
import time
import zlib
from collections import Counter
from urllib.parse import unquote

import numpy as np
from PIL import Image


def picture(width=64, height=48, file_format="JPEG", seed=0):
    """An image file with some texture."""
    pixels = np.random.default_rng(seed).integers(0, 255, (height // 8 + 1, width // 8 + 1, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC).save(out, file_format)
    return out.getvalue()


JPEG = picture()


class _Handler(socketserver.StreamRequestHandler):
    def handle(self):
        with contextlib.suppress(OSError):
            self.request.settimeout(30)
            line = self.rfile.readline(65536).decode("latin-1").split()
            self.headers = {}
            while (header := self.rfile.readline(65536).decode("latin-1").strip()) != "":
                name, _, value = header.partition(":")
                self.headers[name.lower()] = value.strip()
            if len(line) == 3:
                self.server.seen.append((line[1], self.headers, time.monotonic()))
                with self.server.lock:
                    self.server.visits[line[1]] += 1
                self.answer(line[1].split("?")[0].strip("/").split("/"))

    def send(self, body=JPEG, status="200 OK", length=None, headers=(), close=True):
        head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", *headers]
        self.request.sendall("\r\n".join([*head, "Connection: close", "", ""]).encode("latin-1") + body)

    def answer(self, parts):
        fault = "fault_" + parts[0].replace("-", "_").removesuffix(".jpg")
        getattr(self, fault)(*(unquote(part) for part in parts[1:]))

    def fault_ok(self, *_):
        self.send()

    def fault_slow(self, seconds, *_):
        with self.server.lock:
            self.server.active += 1
            self.server.most_active = max(self.server.most_active, self.server.active)
        time.sleep(float(seconds))
        with self.server.lock:
            self.server.active -= 1  # before the answer, after which the client may come again
        self.send()

    def fault_status(self, code, *_):
        self.send(b"sorry", f"{code} Status")

    def fault_flaky(self, times, *_):
        """Fails so many times, then succeeds."""
        visits = self.server.visits[self.server.seen[-1][0]]
        self.send() if visits > int(times) else self.send(b"", "503 Busy")

    def fault_retry_after(self, seconds, *_):
        path = "/retry-after/" + seconds
        done = self.server.visits[path] > 1
        self.send() if done else self.send(b"", "429 Slow", headers=[f"Retry-After: {seconds}"])

    def fault_html(self, *_):
        self.send(b"<html><body>no image here</body></html>", headers=["Content-Type: image/jpeg"])

    def fault_typed_wrong(self, *_):
        self.send(headers=["Content-Type: text/html"])

    def fault_nothing(self, *_):
        self.send(b"")

    def fault_truncated(self, *_):
        self.send(JPEG[: len(JPEG) // 2])

    def fault_stall_header(self, *_):
        time.sleep(6)

    def fault_stall_body(self, *_):
        self.send(JPEG[:100], length=len(JPEG))
        time.sleep(6)

    def fault_drip(self, *_):
        self.send(b"", length=1000)
        for byte in range(60):
            self.request.sendall(bytes([byte]))
            time.sleep(0.1)

    def fault_reset(self, *_):
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.request.close()

    def fault_reset_body(self, *_):
        self.send(JPEG[:100], length=len(JPEG))
        time.sleep(0.1)
        self.fault_reset()

    def fault_hang_up(self, *_):
        pass

    def fault_short(self, *_):
        self.send(JPEG, length=len(JPEG) + 10)

    def fault_long(self, *_):
        self.send(JPEG, length=len(JPEG) // 2)

    def fault_negative(self, *_):
        self.send(JPEG, length=-5)

    def fault_two_lengths(self, *_):
        self.send(JPEG, length=len(JPEG), headers=[f"Content-Length: {len(JPEG) + 5}"])

    def fault_garbage(self, *_):
        self.request.sendall(b"\x00\x01\x02 no protocol at all\r\n\r\n")

    def fault_http09(self, *_):
        self.request.sendall(JPEG)

    def fault_no_length(self, *_):
        self.request.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + JPEG)

    def fault_chunked(self, *_):
        chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (JPEG[:50], JPEG[50:]))
        self.request.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n")

    def fault_bad_chunk(self, *_):
        self.request.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n")

    def fault_cut_chunk(self, *_):
        self.request.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nhello")

    def fault_gzip(self, *_):
        self.send(gzip.compress(JPEG), headers=["Content-Encoding: gzip"])

    def fault_bad_gzip(self, *_):
        self.send(b"\x1f\x8b\x08not gzip at all" * 10, headers=["Content-Encoding: gzip"])

    def fault_gzip_bomb(self, *_):
        press = zlib.compressobj(9, wbits=31)
        self.send(press.compress(bytes(50_000_000)) + press.flush(), headers=["Content-Encoding: gzip"])

    def fault_endless(self, *_):
        self.request.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + JPEG)
        while True:
            self.request.sendall(bytes(65536))

    def fault_announced_big(self, *_):
        self.send(JPEG, length=10**12)

    def fault_lying_small(self, *_):
        self.fault_endless()

    def fault_headers(self, *_):
        self.request.sendall(b"HTTP/1.1 200 OK\r\n")
        while True:
            self.request.sendall(b"X-Filler: " + b"a" * 1000 + b"\r\n")

    def fault_robots(self, value, *_):
        self.send(headers=[f"X-Robots-Tag: {value}"])

    def fault_tdm(self, value, *_):
        self.send(headers=[f"TDM-Reservation: {value}"])

    def fault_redirect(self, *where):
        target = "/" + "/".join(where)
        self.send(b"moved", "302 Found", headers=[f"Location: {target}"])

    def fault_to(self, url, *_):
        self.send(b"moved", "301 Moved", headers=[f"Location: {url}"])

    def fault_raw(self, name, *_):
        """Sends the bytes as they are."""
        self.request.sendall(self.server.raw[name])

    def fault_cookie(self, *path):
        """Leads to itself with a cookie, until the cookie comes."""
        if "seen=1" in self.headers.get("cookie", ""):
            self.send()
        else:
            headers = ["Set-Cookie: seen=1; Path=/", f"Location: /{'/'.join(('cookie', *path))}"]
            self.send(b"", "302 Found", headers=headers)

    def fault_give_cookie(self, url, *_):
        """Leads elsewhere with a cookie."""
        self.send(b"", "302 Found", headers=["Set-Cookie: given=1", f"Location: {url}"])

    def fault_loop(self, *_):
        self.send(b"", "302 Found", headers=["Location: /loop"])

    def fault_no_location(self, *_):
        self.send(b"", "302 Found")


class FaultServer(socketserver.ThreadingTCPServer):
    """`url(path)` names a fault; `seen` has (path, headers, time) of every request, `raw` answers by name."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.lock = threading.Lock()
        self.visits, self.seen, self.active, self.most_active = Counter(), [], 0, 0
        self.raw = {}
        self.port = self.server_address[1]
        self.allow = f"127.0.0.1:{self.port}"

    def url(self, path):
        return f"http://127.0.0.1:{self.port}/{path}"

    def handle_error(self, request, client_address):
        pass  # clients hang up on many of these answers


@contextlib.contextmanager
def serving():
    """A running server."""
    with FaultServer() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        yield server
        server.shutdown()
