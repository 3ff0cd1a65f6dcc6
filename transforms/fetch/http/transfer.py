"""One curl handle: how it is set up, what it guards while it runs, and what its end means."""

import socket
from collections.abc import Sequence
from dataclasses import dataclass, field

import pycurl

from transforms.fetch.http.answer import Answer
from transforms.fetch.http.backoff import curl_reason
from transforms.fetch.http.guard import Target, is_allowed, refusal
from transforms.fetch.http.request import ACCEPT, trusted_roots, user_agent
from transforms.fetch.http.settings import DownloadSettings
from transforms.tables.reasons import Rejected

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
        handle.setopt(pycurl.USERAGENT, user_agent(options))
        handle.setopt(pycurl.ENCODING, "identity")
        handle.setopt(pycurl.HTTP_CONTENT_DECODING, 0)  # what comes compressed all the same is decoded by us
        handle.setopt(pycurl.COOKIEFILE, "")  # cookies are kept, in memory; see `prepare`
        handle.setopt(pycurl.HTTPHEADER, [ACCEPT])
        handle.setopt(pycurl.SSL_VERIFYPEER, int(options.verify_tls))
        handle.setopt(pycurl.SSL_VERIFYHOST, 2 if options.verify_tls else 0)
        handle.setopt(pycurl.CAINFO, trusted_roots())
        handle.setopt(pycurl.WRITEFUNCTION, self._write)
        handle.setopt(pycurl.HEADERFUNCTION, self._header)
        handle.setopt(pycurl.OPENSOCKETFUNCTION, self._open_socket)

    def prepare(self, job: int, target: Target, cookies: Sequence[bytes] = ()) -> None:
        """Make the handle ready to fetch the target, with these cookies and none that other items were given."""
        self.job, self._target = job, target
        self._allowed = bool(self.settings.proxy) or is_allowed(target, self.settings.allow_hosts)
        self.clear()
        self.handle.setopt(pycurl.URL, target.url)
        for cookie in (b"ALL", *cookies):  # ALL: those that the handle has are forgotten
            self.handle.setopt(pycurl.COOKIELIST, cookie)

    def clear(self) -> None:
        """Forget the last answer."""
        self._parts, self._size, self._headers, self._refused = [], 0, [], ""

    def close(self) -> None:
        """Release the handle."""
        self.handle.close()

    def answer(self, errno: int, message: str) -> Answer | Rejected:
        """What the transfer has brought, whatever it says, or why that is no answer; `errno` is curl's."""
        status = self.handle.getinfo(pycurl.RESPONSE_CODE)
        if errno and (not status or 200 <= status < 300):
            if errno == pycurl.E_WRITE_ERROR and self._size > self.settings.max_bytes:
                return Rejected("too_large", f"more than {self.settings.max_bytes} bytes")
            why = curl_reason(errno, message)
            return Rejected("blocked_address", self._refused) if why.code == "connect_error" and self._refused else why
        onward = self.handle.getinfo_raw(pycurl.REDIRECT_URL) if errno == 0 else None
        body = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        if not onward:
            return Answer(status, self._pairs(), body)
        cookies = tuple(self.handle.getinfo_raw(pycurl.INFO_COOKIELIST))
        return Answer(status, self._pairs(), body, onward.decode("utf-8", "surrogateescape"), cookies)

    def _pairs(self) -> list[tuple[str, str]]:
        pairs = (line.decode("latin-1").partition(":") for line in self._headers)
        return [(name.strip().lower(), value.strip()) for name, colon, value in pairs if colon]

    def _header(self, line: bytes) -> None:
        if line[:5].upper() == b"HTTP/":
            self._headers = []  # of the final answer only, not of 1xx before it
        if line[:1] in (b" ", b"\t") and self._headers:
            self._headers[-1] += line  # a header's value goes on
        else:
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
