"""One curl handle: how it is set up, what it guards while it runs, and what its end means."""

import os
import socket
from dataclasses import dataclass, field

import certifi
import pycurl

from transforms.fetch.backoff import curl_reason
from transforms.fetch.guard import Target, is_allowed, refusal
from transforms.fetch.optout import opt_out
from transforms.fetch.settings import DownloadSettings
from transforms.tables.reasons import Rejected

# formats that need no conversion first, so that servers which negotiate send those
_ACCEPT = "Accept: image/jpeg,image/png,image/webp;q=0.9,image/*;q=0.8,*/*;q=0.5"
_BUFFER = 131_072  # bytes; fewer, larger calls of `_write`


@dataclass(slots=True, eq=False)
class Transfer:
    """A handle, used for one request after another."""

    settings: DownloadSettings
    handle: pycurl.Curl = field(default_factory=pycurl.Curl)
    job: int = -1
    _target: Target | None = None
    _allowed: bool = False
    _parts: list[bytes] = field(default_factory=list)
    _size: int = 0
    _headers: list[bytes] = field(default_factory=list)
    _refused: str = ""

    def __post_init__(self) -> None:
        options = self.settings
        handle = self.handle
        handle.setopt(pycurl.NOSIGNAL, 1)
        handle.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
        handle.setopt(pycurl.FOLLOWLOCATION, 0)  # each hop is parsed and checked like a first URL
        handle.setopt(pycurl.PROXY, options.proxy)  # set even when empty: that keeps the environment's proxies out
        handle.setopt(pycurl.CONNECTTIMEOUT_MS, int(options.connect_timeout * 1000))
        handle.setopt(pycurl.TIMEOUT_MS, int(options.total_timeout * 1000))
        handle.setopt(pycurl.LOW_SPEED_LIMIT, 1)
        handle.setopt(pycurl.LOW_SPEED_TIME, options.stall_timeout)
        handle.setopt(pycurl.MAXFILESIZE_LARGE, options.max_bytes)  # stops early; `_write` is what enforces
        handle.setopt(pycurl.BUFFERSIZE, _BUFFER)
        contact = f" (+{options.contact})" if options.contact else ""
        handle.setopt(pycurl.USERAGENT, options.user_agent + contact)
        handle.setopt(pycurl.ENCODING, "identity")  # and decode what comes compressed all the same
        handle.setopt(pycurl.HTTPHEADER, [_ACCEPT])
        handle.setopt(pycurl.SSL_VERIFYPEER, int(options.verify_tls))
        handle.setopt(pycurl.SSL_VERIFYHOST, 2 if options.verify_tls else 0)
        handle.setopt(pycurl.CAINFO, os.environ.get("SSL_CERT_FILE") or certifi.where())
        handle.setopt(pycurl.WRITEFUNCTION, self._write)
        handle.setopt(pycurl.HEADERFUNCTION, self._header)
        handle.setopt(pycurl.OPENSOCKETFUNCTION, self._open_socket)

    def prepare(self, job: int, target: Target) -> None:
        """Make the handle ready to fetch the target."""
        self.job, self._target = job, target
        self._allowed = bool(self.settings.proxy) or is_allowed(target, self.settings.allow_hosts)
        self.clear()
        self.handle.setopt(pycurl.URL, target.url)

    def clear(self) -> None:
        """Forget the last answer."""
        self._parts, self._size, self._headers, self._refused = [], 0, [], ""

    def close(self) -> None:
        """Release the handle."""
        self.handle.close()

    def body(self) -> bytes:
        """What came."""
        return self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)

    def header(self, name: str) -> str:
        """The last value of a header, by its lower case name; empty if there is none."""
        return next((value for key, value in reversed(self._pairs()) if key == name), "")

    def redirect(self) -> str:
        """Where a redirect leads, absolute; empty if the answer is none."""
        url = self.handle.getinfo_raw(pycurl.REDIRECT_URL)
        return url.decode("utf-8", "surrogateescape") if url else ""

    def check(self, errno: int, message: str) -> None:
        """Rejected unless the transfer brought a whole, permitted answer (a redirect is one); `errno` is curl's."""
        status = self.handle.getinfo(pycurl.RESPONSE_CODE)
        if errno == 0 and self.redirect():
            return
        if status and not 200 <= status < 300:
            raise Rejected(f"http_{status}")
        if errno == pycurl.E_WRITE_ERROR and self._size > self.settings.max_bytes:
            raise Rejected("too_large", f"more than {self.settings.max_bytes} bytes")
        if errno:
            code = curl_reason(errno, message)
            if code == "connect_error" and self._refused:
                raise Rejected("blocked_address", self._refused)
            raise Rejected(code, message)
        agent = self.settings.user_agent.split("/")[0].strip().lower()
        refused = opt_out(self._pairs(), agent, self.settings.opt_out, self.settings.tdm_reservation)
        if refused:
            raise Rejected("opted_out", refused)

    def _pairs(self) -> list[tuple[str, str]]:
        pairs = (line.decode("latin-1").partition(":") for line in self._headers)
        return [(name.strip().lower(), value.strip()) for name, colon, value in pairs if colon]

    def _header(self, line: bytes) -> None:
        if line.startswith(b"HTTP/"):
            self._headers = []  # of the final answer only, not of 1xx before it
        self._headers.append(line)

    def _write(self, data: bytes) -> int | None:
        self._size += len(data)
        if self._size > self.settings.max_bytes:
            return 0
        self._parts.append(data)
        return None

    def _open_socket(self, _purpose: int, address: tuple[int, int, int, tuple[str, int]]) -> socket.socket | int:
        """Called for each connection with the address that the name resolved to, before any packet is sent."""
        family, kind, protocol, where = address
        why = "" if self._allowed else refusal(where[0]) if family in (socket.AF_INET, socket.AF_INET6) else "no IP"
        if why:
            self._refused = f"{where[0]} is {why}"
            return int(pycurl.SOCKET_BAD)
        return socket.socket(family, kind, protocol)
