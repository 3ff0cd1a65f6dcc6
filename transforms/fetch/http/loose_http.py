"""One URL asked over a socket of our own, its answer read as loosely as browsers read it.

For servers whose answers libcurl refuses: a header line without a colon, a zero byte, an odd status line or length.
The address guard, the caps and the times are those of every other transfer.
"""

import re
import socket
import ssl
import time
from collections.abc import Callable
from urllib.parse import urljoin

from transforms.fetch.http.answer import Answer
from transforms.fetch.http.guard import Target, is_allowed, refusal
from transforms.fetch.http.request import ACCEPT, trusted_roots, user_agent
from transforms.fetch.http.settings import DownloadSettings
from transforms.tables.reasons import Rejected

_MOST_HEAD = 262_144  # bytes of status lines and headers, as in Chrome
_BLOCK = 65_536
_TICK = 0.5  # seconds between looks at the clock
_END = re.compile(rb"\r?\n\r?\n")
# four bytes before it are passed over, as in Chrome, and a version that is missing or none
_STATUS = re.compile(rb".{0,4}?(?:HTTP|ICY)[^\s]{0,20}[ \t]+(\d{3})", re.DOTALL | re.IGNORECASE)
_CHUNK = re.compile(rb"[ \t]*([0-9a-fA-F]{1,15})[^\n]{0,4096}\n")
_LENGTH = re.compile(r"\+?\d{1,18}", re.ASCII)
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
Headers = list[tuple[str, str]]


def ask(target: Target, settings: DownloadSettings, stopped: Callable[[], bool]) -> Answer:
    """The final answer to a GET of the target; Rejected says why there is none. Ends soon when `stopped` is true."""
    deadline = time.monotonic() + settings.total_timeout
    try:
        with _connect(target, settings) as connection:
            connection.sendall(_request(target, settings))
            connection.settimeout(_TICK)
            data = _receive(connection, settings, deadline, stopped)
    except TimeoutError:
        raise Rejected("timeout", "no connection in time") from None
    except ssl.SSLError as error:
        raise Rejected("tls_error", str(error)) from None
    except socket.gaierror as error:
        raise Rejected("dns_error", str(error)) from None
    except OSError as error:
        raise Rejected("connect_error", str(error) or type(error).__name__) from None
    return parse_answer(data, target.url)


def _request(target: Target, settings: DownloadSettings) -> bytes:
    _, _, host, path = target.url.split("/", 3)
    lines = [f"GET /{path} HTTP/1.1", f"Host: {host}", f"User-Agent: {user_agent(settings)}", ACCEPT]
    return "\r\n".join([*lines, "Accept-Encoding: identity", "Connection: close", "", ""]).encode("ascii")


def _connect(target: Target, settings: DownloadSettings) -> socket.socket:
    """A connection to the first of the name's addresses that may be asked and takes it."""
    allowed = is_allowed(target, settings.allow_hosts)
    failed: OSError | Rejected = OSError("the name has no address")
    for family, kind, protocol, _, where in socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM):
        why = "" if allowed else refusal(str(where[0]))
        if why:
            failed = Rejected("blocked_address", f"{where[0]} is {why}")
            continue
        connection = socket.socket(family, kind, protocol)
        try:
            connection.settimeout(settings.connect_timeout)
            connection.connect(where)
            return _secured(connection, target, settings) if target.scheme == "https" else connection
        except OSError as error:
            connection.close()
            failed = error
    raise failed


def _secured(connection: socket.socket, target: Target, settings: DownloadSettings) -> socket.socket:
    context = ssl.create_default_context(cafile=trusted_roots())
    if not settings.verify_tls:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context.wrap_socket(connection, server_hostname=target.host)


def _receive(
    connection: socket.socket, settings: DownloadSettings, deadline: float, stopped: Callable[[], bool]
) -> bytes:
    """All that comes until the connection ends, or nothing more comes and the answer is whole."""
    data, heard = bytearray(), time.monotonic()
    while len(data) <= settings.max_bytes + _MOST_HEAD:
        now = time.monotonic()
        if stopped() or now > deadline or now - heard > settings.stall_timeout:
            raise Rejected("timeout", f"{len(data)} bytes came")
        try:
            block = connection.recv(_BLOCK)
        except TimeoutError:
            if _is_whole(data):
                return bytes(data)
            continue
        if not block:
            return bytes(data)
        data += block
        heard = now
    raise Rejected("too_large", f"more than {settings.max_bytes} bytes")


def _is_whole(data: bytearray) -> bool:
    """Whether an answer has all that it announces."""
    try:
        status, headers, at = _final_head(data)
    except Rejected:
        return False
    length = _length(headers)
    return status < 200 or status in (204, 304) or (length is not None and len(data) - at >= length)


def parse_answer(data: bytes, url: str) -> Answer:
    """The final answer in what a server sent for the URL; Rejected `bad_response` where even a browser finds none."""
    status, headers, at = _final_head(data)
    length = _length(headers)
    if any(name == "transfer-encoding" and "chunked" in value.lower() for name, value in headers):
        body = _join_chunks(data, at)
    elif length is None:
        body = data[at:]
    elif len(data) - at < length:
        raise Rejected("bad_response", f"{length - len(data) + at} bytes of {length} are missing")
    else:
        body = data[at : at + length]
    places = [value for name, value in headers if name == "location"] if status in _REDIRECTS else []
    try:
        onward = urljoin(url, places[-1].encode("latin-1").decode("utf-8").replace(" ", "%20")) if places else ""
    except ValueError as error:
        raise Rejected("bad_url", f"a redirect to {places[-1][:100]!r}: {error}") from None
    return Answer(status, headers, body, onward)


def _final_head(data: bytes | bytearray) -> tuple[int, Headers, int]:
    """(status, headers, where the body begins) of the answer behind those of the kind `100 Continue`."""
    at = 0
    while True:
        end, line = _END.search(data, at, _MOST_HEAD), _STATUS.match(data, at)
        if end is None or line is None or line.end() > end.start() + 1:
            raise Rejected("bad_response", f"no HTTP: {bytes(data[at : at + 40])!r}")
        status, headers, at = int(line[1]), _headers(bytes(data[line.end() : end.start()])), end.end()
        if status == 101 or status >= 200:
            return status, headers, at


def _headers(head: bytes) -> Headers:
    """The header lines behind a status line; those without a colon are none."""
    lines: list[str] = []
    for line in head.replace(b"\0", b"").decode("latin-1").split("\n")[1:]:
        if line[:1] in (" ", "\t") and lines:
            lines[-1] += line
        else:
            lines.append(line)
    pairs = (line.partition(":") for line in lines)
    return [(name.strip().lower(), value.strip()) for name, colon, value in pairs if colon]


def _length(headers: Headers) -> int | None:
    """The length that is announced; None if there is none that is a number. Rejected where there are several."""
    values = [part.strip() for name, value in headers if name == "content-length" for part in value.split(",")]
    lengths = {int(value) for value in values if _LENGTH.fullmatch(value)}
    if len(lengths) > 1:
        raise Rejected("bad_response", f"{len(lengths)} different lengths are announced")
    return next(iter(lengths), None)


def _join_chunks(data: bytes, at: int) -> bytes:
    """The chunks from a place on put together (RFC 9112, 7.1); what is wrong behind the last one does not matter."""
    parts: list[bytes] = []
    while (line := _CHUNK.match(data, at)) is not None:
        at = line.end() + int(line[1], 16)
        if at == line.end():
            return b"".join(parts)
        if at > len(data):
            break
        parts.append(data[line.end() : at])
        at += 2 if data[at : at + 1] == b"\r" else 1
    raise Rejected("bad_response", "a chunk without a length or an end")
