"""Header lines without a colon are passed over: Python's own parser would drop every header behind one."""

import http.client
from typing import IO, Any


def read_headers_loosely() -> None:
    """From now on this process reads the headers of HTTP answers so, whatever library asks."""
    parse: Any = http.client.parse_headers

    def parse_headers(file: Any, *more: Any, **named: Any) -> Any:
        return parse(_Lines(file), *more, **named)

    http.client.parse_headers = parse_headers  # type: ignore[assignment]


class _Lines:
    """The lines of a file that are headers, or the end of them."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def readline(self, limit: int) -> bytes:
        line = self._file.readline(limit)
        while line.strip() and b":" not in line and line[:1] not in (b" ", b"\t"):
            line = self._file.readline(limit)
        return line
