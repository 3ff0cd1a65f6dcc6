"""Compressed bodies: what is read, what is passed over, and what is refused before it grows."""

import gzip
import tracemalloc
import zlib

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.fetch.http.content_encoding import decode_body
from transforms.tables.reasons import Rejected

DATA = bytes(range(256)) * 40
RAW = zlib.compress(DATA)[2:-4]
PACKED = {
    "gzip": gzip.compress(DATA),
    "x-gzip": gzip.compress(DATA),
    "deflate": zlib.compress(DATA),
    "br": brotli.compress(DATA),
}


@pytest.mark.parametrize(
    ("named", "body"),
    [
        *PACKED.items(),
        ("GZip ", PACKED["gzip"]),
        ("deflate", RAW),
        ("identity, gzip", PACKED["gzip"]),
        ("gzip, aws-chunked", PACKED["gzip"]),
        ("gzip, br", brotli.compress(PACKED["gzip"])),
        ("gzip", PACKED["gzip"] + bytes(10)),
        ("gzip", PACKED["gzip"] + b"\x1f\x8b\x08 and so on"),
        ("deflate", PACKED["deflate"] + b"more"),
        ("gzip", DATA),
        ("", DATA),
        ("none", DATA),
        ("utf-8", DATA),
        ("aws-chunked", DATA),
        ("compress", DATA),
        ("zstd", DATA),
        (",,;q=1", DATA),
    ],
)
def test_what_is_read(named, body):
    assert decode_body(body, named, len(DATA)) == DATA
    assert decode_body(b"", "none", 0) == b""


@pytest.mark.parametrize("named", PACKED)
def test_what_lacks_its_end(named):
    for lost in (1, 9, 60):
        with pytest.raises(Rejected) as why:
            decode_body(PACKED[named][:-lost], named, 10**6)
        assert why.value.code == "bad_response"
        assert why.value.detail


@pytest.mark.parametrize(("named", "body"), [("gzip", b"\x1f\x8b\x08nonsense"), ("deflate", DATA), ("br", DATA)])
def test_what_is_damaged(named, body):
    with pytest.raises(Rejected, match="bad_response"):
        decode_body(body, named, 10**6)


@pytest.mark.parametrize("named", PACKED)
def test_one_byte_more_than_may_be_is_too_many(named):
    assert decode_body(PACKED[named], named, len(DATA)) == DATA
    with pytest.raises(Rejected, match="too_large"):
        decode_body(PACKED[named], named, len(DATA) - 1)


def zeros() -> bytes:
    return bytes(200_000_000)


BOMBS = {
    "gzip": lambda: gzip.compress(zeros()),
    "deflate": lambda: zlib.compress(zeros()),
    "br": lambda: brotli.compress(zeros(), quality=1),
    "gzip, gzip": lambda: gzip.compress(gzip.compress(zeros())),
    ", ".join(["gzip"] * 6): lambda: b"\x1f\x8b\x08",
}


@pytest.mark.parametrize("named", BOMBS)
def test_a_bomb_is_refused_before_it_is_made(named):
    bomb = BOMBS[named]()
    tracemalloc.start()
    with pytest.raises(Rejected):
        decode_body(bomb, named, 1_000_000)
    assert tracemalloc.get_traced_memory()[1] < 8_000_000
    tracemalloc.stop()


@given(st.sampled_from(sorted(PACKED)), st.binary(max_size=300), st.integers(0, 300))
def test_any_bytes_end_with_a_body_or_a_reason(named, body, most):
    try:
        assert len(decode_body(body, named, most)) <= max(most, len(body))
    except Rejected as why:
        assert why.code in ("bad_response", "too_large")  # noqa: PT017 a body is fine too
