"""Bodies that servers send compressed, read as browsers read them.

Names that are no compression (`aws-chunked`, `UTF-8`, `none`) are passed over, and so are bytes behind the end of the
compressed ones. A body that lacks its end, or holds more than is allowed, is refused before it is made.
"""

import zlib
from collections.abc import Callable

import brotli

from transforms.tables.reasons import Rejected

_GZIP = b"\x1f\x8b\x08"
_MOST_LAYERS = 5  # as many as libcurl takes
_BLOCK = 2**16  # bytes unpacked at a time


def decode_body(body: bytes, encodings: str, most: int) -> bytes:
    """The body without the compression that the header `Content-Encoding` names (RFC 9110, 8.4).

    Rejected `too_large` where it holds more than `most` bytes, `bad_response` where it is damaged or lacks its end.
    """
    named = [name.strip().lower() for name in encodings.split(",")]
    layers = [_READERS[name] for name in reversed(named) if name in _READERS]
    if len(layers) > _MOST_LAYERS:
        raise Rejected("bad_response", f"{len(layers)} layers of compression")
    try:
        for read in layers:
            body = read(body, most)
    except (zlib.error, brotli.error) as error:
        raise Rejected("bad_response", f"Content-Encoding {encodings[:100]}: {error}") from None
    return body


def _gunzip(body: bytes, most: int) -> bytes:
    """The first member of a gzip file (RFC 1952), what lies behind it is passed over; a body that is none as it is."""
    return _inflate(body, 31, most) if body.startswith(_GZIP) else body


def _undeflate(body: bytes, most: int) -> bytes:
    """With the header of RFC 1950, as it should be, or without, as some servers send it."""
    wrapped = len(body) > 1 and body[0] & 15 == zlib.DEFLATED and int.from_bytes(body[:2], "big") % 31 == 0
    return _inflate(body, 15 if wrapped else -15, most)


def _inflate(body: bytes, kind: int, most: int) -> bytes:
    press = zlib.decompressobj(kind)
    data = press.decompress(body, most + 1)
    return _checked(data, press.eof, most)


def _unbrotli(body: bytes, most: int) -> bytes:
    press = brotli.Decompressor()
    part = press.process(body, output_buffer_limit=_BLOCK)
    parts, size = [part], len(part)
    while part and size <= most:
        part = press.process(b"", output_buffer_limit=_BLOCK)
        parts.append(part)
        size += len(part)
    return _checked(b"".join(parts), press.is_finished(), most)


def _checked(data: bytes, ended: bool, most: int) -> bytes:
    if len(data) > most:
        raise Rejected("too_large", f"more than {most} bytes, decompressed")
    if not ended:
        raise Rejected("bad_response", "the compressed body lacks its end")
    return data


_READERS: dict[str, Callable[[bytes, int], bytes]] = {
    "gzip": _gunzip,
    "x-gzip": _gunzip,
    "deflate": _undeflate,
    "br": _unbrotli,
}
