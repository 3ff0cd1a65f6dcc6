"""Answers read loosely: whatever bytes a server sends, there is an answer or a reason, and nothing grows."""

import time

from hypothesis import given
from hypothesis import strategies as st

from transforms.fetch.http.loose_http import parse_answer
from transforms.tables.reasons import Rejected

URL = "http://a.example/b/c"
PIECES = [
    b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.0 302 Found\r\n", b"Content-Length: 3\r\n",
    b"Content-Length: -3\r\n", b"Transfer-Encoding: chunked\r\n", b"Location: d\r\n", b"Location: http://[\r\n",
    b"foo\r\n", b" folded\r\n", b"\r\n", b"\n", b"\0", b"abc", b"3\r\nabc\r\n", b"0\r\n", b"ffffffffff\r\n", b":\r\n",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=12).map(b"".join) | st.binary(max_size=200))
def test_any_bytes_end_with_an_answer_or_a_reason(data):
    try:
        answer = parse_answer(data, URL)
    except Rejected as why:
        assert why.detail and why.code in ("bad_response", "bad_url")  # noqa: PT017, PT018 an answer is fine too
    else:
        assert answer.status == 101 or answer.status >= 200
        assert len(answer.body) <= len(data)


def test_where_a_redirect_leads():
    for place, onward in (("d", "http://a.example/b/d"), ("//c.example/ e", "http://c.example/%20e"), ("", "")):
        data = f"HTTP/1.1 301 Moved\r\nfoo\r\nLocation: {place}\r\n\r\n".encode()
        assert parse_answer(data, URL).onward in (onward, URL if not place else onward)


def test_answers_before_the_answer_take_no_time():
    """A thousand thousand of them, and chunks of one byte each."""
    began = time.monotonic()
    for data in (b"HTTP/1.1 103 H\r\n\r\n" * 10**6,
                 b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * 10**6):  # fmt: skip
        try:
            parse_answer(data, URL)
        except Rejected as why:
            assert why.code == "bad_response"  # noqa: PT017
    assert time.monotonic() - began < 20
