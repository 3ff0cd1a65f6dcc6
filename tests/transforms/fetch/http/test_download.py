"""Downloading from a real server with every fault: each URL ends in bounded time with the right reason."""

import gzip
import random
import shutil
import socket
import ssl
import subprocess
import threading
import time
from fractions import Fraction
from urllib.parse import quote

import pytest

from tests.fault_server import JPEG, serving
from transforms.fetch.http import loose_http
from transforms.fetch.http.download import download
from transforms.fetch.http.download_stage import fetch_items
from transforms.fetch.http.guard import parse_url
from transforms.fetch.http.settings import DownloadSettings
from transforms.flow.items import Item
from transforms.tables.reasons import Rejected, reason
from transforms.tables.rows import ListedImage

pytestmark = pytest.mark.server

FAULTS = [
    ("ok", ""),
    ("typed-wrong", ""),
    ("no-length", ""),
    ("chunked", ""),
    ("gzip", ""),
    ("redirect/ok", ""),
    ("redirect/redirect/redirect/ok", ""),
    ("flaky/1", ""),
    ("retry-after/1", ""),
    ("robots/all", ""),
    ("robots/otherbot: noai", ""),
    ("tdm/0", ""),
    ("robots/noai", "opted_out"),
    ("robots/max-snippet:-1, NoImageAI", "opted_out"),
    ("robots/manyfaces: noindex", "opted_out"),
    ("tdm/1", "opted_out"),
    ("status/404", "http_404"),
    ("status/403", "http_403"),
    ("status/410", "http_410"),
    ("status/500", "http_500"),
    ("status/304", "http_304"),
    ("status/999", "http_999"),
    ("no-location", "http_302"),
    ("flaky/9", "http_503"),
    ("retry-after/3600", "http_429"),
    ("html", "not_an_image"),
    ("nothing", "not_an_image"),
    ("truncated", "broken_image"),
    ("long", "broken_image"),
    ("stall-header", "timeout"),
    ("stall-body", "timeout"),
    ("drip", "timeout"),
    ("slow/4", "timeout"),
    ("reset", "connect_error"),
    ("reset-body", "connect_error"),
    ("hang-up", "bad_response"),
    ("short", "bad_response"),
    ("negative", ""),
    ("two-lengths", "bad_response"),
    ("garbage", "bad_response"),
    ("http09", "bad_response"),
    ("bad-chunk", "bad_response"),
    ("cut-chunk", "bad_response"),
    ("bad-gzip", "bad_response"),
    ("headers", "bad_response"),
    ("gzip-bomb", "too_large"),
    ("endless", "too_large"),
    ("announced-big", "too_large"),
    ("loop", "too_many_redirects"),
    ("cookie", ""),
    ("redirect/status/404", "http_404"),
    ("to/ftp:%2F%2Fexample.com%2Fx", "bad_url"),
    ("to/http:%2F%2F127.0.0.1%2Fx", "blocked_address"),
    ("to/http:%2F%2F169.254.169.254%2Flatest", "blocked_address"),
    ("to/http:%2F%2F[::1]%2Fx", "blocked_address"),
    ("to/http:%2F%2F2130706433%2Fx", "blocked_address"),
    ("to/file:%2F%2F%2Fetc%2Fpasswd", "bad_url"),
]


@pytest.fixture(scope="module")
def server():
    with serving() as running:
        yield running


def quick(server, **changes):
    """Settings under which every fault ends within a few seconds."""
    options = {
        "connect_timeout": 1,
        "stall_timeout": 1,
        "total_timeout": 3,
        "retries": 1,
        "backoff": 0.05,
        "max_backoff": 5,
        "max_bytes": 2_000_000,
        "allow_hosts": (server.allow,),
    }
    return DownloadSettings(**{**options, **changes})


def items_of(urls):
    share = Fraction(1, len(urls))
    return [Item("c", (i,), share, ListedImage(f"id{i}", url, None, "{}")) for i, url in enumerate(urls)]


def test_nothing_to_fetch(server):
    assert list(download([], quick(server))) == []
    assert list(fetch_items([], quick(server))) == []


def test_an_item_that_ended_before_only_passes(server):
    (outcome,) = fetch_items([Item("c", (), Fraction(1), None)], quick(server))
    assert (outcome.verdict, outcome.rows, outcome.share) == (None, (), Fraction(1))


def test_every_fault_ends_in_time_with_its_reason(server):
    started = time.monotonic()
    urls = [server.url(path) for path, _ in FAULTS]
    outcomes = {outcome.verdict.item_id: outcome for outcome in fetch_items(items_of(urls), quick(server))}
    assert time.monotonic() - started < 40
    got = [(path, outcomes[f"id{i}"].verdict.reason) for i, (path, _) in enumerate(FAULTS)]
    assert got == FAULTS
    for outcome in outcomes.values():
        assert len(outcome.rows) == (outcome.verdict.state == "kept")


HEAD = f"HTTP/1.1 200 OK\r\nContent-Length: {len(JPEG)}\r\n".encode()
CHUNKS = b"%x;a=b\r\n%s\r\n%x  \n%s\n" % (50, JPEG[:50], len(JPEG) - 50, JPEG[50:])
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
PRESSED = gzip.compress(JPEG)
RAW = {
    # names that are no compression
    "aws-chunked": (HEAD + b"Content-Encoding: aws-chunked\r\n\r\n" + JPEG, ""),
    "utf-8": (HEAD + b"Content-Encoding: UTF-8\r\n\r\n" + JPEG, ""),
    "binary": (HEAD + b"Content-Encoding: binary, none\r\n\r\n" + JPEG, ""),
    "no name": (HEAD + b"Content-Encoding:\r\n\r\n" + JPEG, ""),
    "gzip in name only": (HEAD + b"Content-Encoding: gzip\r\n\r\n" + JPEG, ""),
    "gzip among others": (b"HTTP/1.1 200 OK\r\nContent-Encoding: aws-chunked,gzip\r\n\r\n" + PRESSED, ""),
    "trailing": (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + PRESSED + bytes(10), ""),
    "cut gzip": (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + PRESSED[:-12], "bad_response"),
    # header lines
    "no colon": (HEAD + b"Warning foo in bar.php\r\n\r\n" + JPEG, ""),
    "no colon first": (HEAD.replace(b"OK\r\n", b"OK\r\nWarning foo\r\n") + b"\r\n" + JPEG, ""),
    "no colon, cut": (HEAD + b"Warning foo\r\n\r\n" + JPEG[:-1], "bad_response"),
    "no colon, opted out": (HEAD + b"Warning foo\r\nX-Robots-Tag: noai\r\n\r\n" + JPEG, "opted_out"),
    "no colon, 404": (HEAD.replace(b"200 OK", b"404 No") + b"Warning foo\r\n\r\n" + JPEG, "http_404"),
    "no colon, onward": (b"HTTP/1.1 302 F\r\nWarning foo\r\nLocation: ../ok\r\n\r\n", ""),
    "no colon, astray": (b"HTTP/1.1 302 F\r\nWarning foo\r\nLocation: http://[\r\n\r\n", "bad_url"),
    "no colon, inward": (b"HTTP/1.1 302 F\r\nWarning\r\nLocation: http://10.0.0.1/\r\n\r\n", "blocked_address"),
    "no colon, gzip": (b"HTTP/1.1 200 OK\r\nWarning foo\r\nContent-Encoding: gzip\r\n\r\n" + PRESSED, ""),
    "no colon, chunks": (CHUNKED + b"Warning foo\r\n\r\n" + CHUNKS + b"0\r\n\r\n", ""),
    "no colon, cut chunks": (CHUNKED + b"Warning foo\r\n\r\n" + CHUNKS[:-9], "bad_response"),
    "no colon behind the chunks": (CHUNKED + b"\r\n" + CHUNKS + b"0\r\nfoo\r\n\r\n", ""),
    "zero byte": (HEAD + b"X-A: b\0c\r\n\r\n" + JPEG, ""),
    "folded": (HEAD + b"X-A: b\r\n c\r\n\r\n" + JPEG, ""),
    "folded opt-out": (HEAD + b"X-Robots-Tag:\r\n noai\r\n\r\n" + JPEG, "opted_out"),
    "no name before the colon": (HEAD + b": c\r\n\r\n" + JPEG, ""),
    "long": (HEAD + b"X-A: " + b"b" * 150_000 + b"\r\n\r\n" + JPEG, ""),
    "too long": (HEAD + b"X-A: " + b"b" * 300_000 + b"\r\n\r\n" + JPEG, "bad_response"),
    "lone line feeds": (HEAD.replace(b"\r", b"") + b"\n" + JPEG, ""),
    # status lines
    "line before": (b"\r\n" + HEAD + b"\r\n" + JPEG, ""),
    "two spaces": (HEAD.replace(b" 200", b"  200") + b"\r\n" + JPEG, ""),
    "no reason": (HEAD.replace(b" OK", b"") + b"\r\n" + JPEG, ""),
    "no version": (HEAD.replace(b"/1.1", b"") + b"\r\n" + JPEG, ""),
    "odd version": (HEAD.replace(b"1.1", b"1.10") + b"\r\n" + JPEG, ""),
    "icecast": (HEAD.replace(b"HTTP/1.1", b"ICY") + b"\r\n" + JPEG, ""),
    "hints first": (b"HTTP/1.1 103 Hints\r\nfoo\r\n\r\n" + HEAD + b"\r\n" + JPEG, ""),
    "hints only": (b"HTTP/1.1 103 Hints\r\nfoo\r\n\r\n" * 9, "bad_response"),
    # lengths
    "length in words": (b"HTTP/1.1 200 OK\r\nContent-Length: all\r\n\r\n" + JPEG, ""),
    "no length": (b"HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n" + JPEG, ""),
    "length twice": (HEAD + HEAD.split(b"\r\n")[1] + b"\r\n\r\n" + JPEG, ""),
    "unknown transfer": (HEAD + b"Transfer-Encoding: foo\r\n\r\n" + JPEG, ""),
}


def test_answers_are_read_as_browsers_read_them(server):
    """Those that are read are the whole picture, byte for byte."""
    server.raw = {name: data for name, (data, _) in RAW.items()}
    got = dict.fromkeys(RAW)
    for result in download([server.url(f"raw/{name.replace(' ', '%20')}") for name in RAW], quick(server, retries=0)):
        name = list(RAW)[result.number]
        got[name] = result.error.code if result.error else ""
        assert result.error or result.body == JPEG, name
        assert result.error is None or result.error.detail or name == "no colon, 404"
    assert got == {name: reason for name, (_, reason) in RAW.items()}


def test_no_odd_answer_reaches_further_than_others(server):
    """Asking again looser: the address guard, the cap, the time."""
    server.raw["odd"] = HEAD + b"Warning foo\r\n\r\n" + JPEG
    settings = quick(server, max_bytes=len(JPEG) - 1, retries=0)
    (result,) = download([server.url("raw/odd")], settings)
    assert result.error.code == "too_large"
    with pytest.raises(Rejected, match="blocked_address"):
        loose_http.ask(parse_url(server.url("raw/odd")), quick(server, allow_hosts=()), lambda: False)
    with pytest.raises(Rejected, match="timeout"):
        loose_http.ask(parse_url(server.url("stall-header")), quick(server), lambda: False)
    with pytest.raises(Rejected, match="timeout"):
        loose_http.ask(parse_url(server.url("drip")), quick(server), lambda: False)
    with pytest.raises(Rejected, match="too_large"):
        loose_http.ask(parse_url(server.url("endless")), quick(server, total_timeout=30), lambda: False)
    patient = quick(server, total_timeout=600, stall_timeout=600)  # the server hangs up long before: another reason
    with pytest.raises(Rejected, match="timeout"):
        loose_http.ask(parse_url(server.url("stall-header")), patient, lambda: True)


def test_a_server_that_does_not_hang_up_is_not_waited_for(server):
    """The answer is whole by its own word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        kept = []
        data = HEAD + b"Warning foo\r\n\r\n" + JPEG

        def serve():
            for _ in range(2):
                kept.append(listener.accept()[0])
                kept[-1].recv(10_000)
                kept[-1].sendall(data)

        threading.Thread(target=serve, daemon=True).start()
        allow = f"127.0.0.1:{listener.getsockname()[1]}"
        (result,) = download([f"http://{allow}/"], quick(server, allow_hosts=(allow,), stall_timeout=30))
        assert result.body == JPEG


def test_cookies_live_as_long_as_the_redirects_of_one_item(server):
    other = server.url("ok/other").replace("127.0.0.1", "localhost")
    urls = [server.url("cookie/a"), server.url("cookie/b"), server.url(f"give-cookie/{quote(other, safe='')}")]
    settings = quick(server, connections=1, retries=0, allow_hosts=(server.allow, f"localhost:{server.port}"))
    assert [result.error for result in download(urls, settings)] == [None] * 3
    sent = {(path, headers.get("cookie", "")) for path, headers, _ in server.seen}
    assert {sent for sent in sent if sent[0].startswith(("/cookie/", "/ok/other"))} == {
        ("/cookie/a", ""), ("/cookie/a", "seen=1"), ("/cookie/b", ""), ("/cookie/b", "seen=1"), ("/ok/other", ""),
    }  # fmt: skip


def test_connecting_to_nobody(server):
    (result,) = download(["http://127.0.0.1:1/x"], quick(server, allow_hosts=("127.0.0.1",)))
    assert result.error.code == "connect_error"


def test_a_name_that_does_not_resolve(server):
    (result,) = download(["http://no-such-host.invalid/x"], quick(server, retries=0, total_timeout=20))
    assert result.error.code in ("dns_error", "timeout")


def test_no_tls_on_a_plain_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=lambda: listener.accept()[0].sendall(b"HTTP/1.1 400 Bad\r\n\r\n" * 9)).start()
        allow = f"127.0.0.1:{listener.getsockname()[1]}"
        (result,) = download([f"https://{allow}/"], DownloadSettings(retries=0, allow_hosts=(allow,)))
    assert result.error.code == "tls_error"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="the certificate is made with openssl")
def test_certificates_are_checked(server, tmp_path):
    names = ["-keyout", str(tmp_path / "key"), "-out", str(tmp_path / "cert"), "-subj", "/CN=127.0.0.1"]
    command = ["openssl", "req", "-x509", "-nodes", "-newkey", "rsa:2048", "-days", "2", *names]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert", tmp_path / "key")
    with serving() as secure:
        secure.socket = context.wrap_socket(secure.socket, server_side=True)
        url = f"https://127.0.0.1:{secure.port}/ok"
        codes = [next(download([url], quick(secure, verify_tls=verify, retries=0))).error for verify in (True, False)]
    assert codes[0].code == "tls_error"
    assert codes[1] is None


@pytest.mark.parametrize(
    ("path", "retries", "visits"),
    [("status/404/a", 3, 1), ("status/500/b", 3, 4), ("status/503/c", 0, 1), ("robots/noai/d", 3, 1), ("html/e", 3, 1)],
)
def test_only_transient_errors_are_tried_again(server, path, retries, visits):
    list(fetch_items(items_of([server.url(path)]), quick(server, retries=retries)))
    assert server.visits["/" + path] == visits


def test_retry_after_is_waited_for(server):
    list(download([server.url("retry-after/2")], quick(server, retries=1)))
    first, second = [at for path, _, at in server.seen if path == "/retry-after/2"]
    assert 1.9 <= second - first < 10


def test_one_host_gets_no_more_than_its_connections():
    with serving() as alone:
        settings = quick(alone, per_host=3, connections=20)
        assert all(r.error is None for r in download([alone.url(f"slow/0.05/{i}") for i in range(20)], settings))
        assert alone.most_active == 3


def test_one_host_gets_requests_no_faster_than_its_interval():
    with serving() as alone:
        list(download([alone.url(f"ok/{i}") for i in range(5)], quick(alone, host_interval=0.2)))
        times = sorted(at for _, _, at in alone.seen)
        assert times[-1] - times[0] > 4 * 0.2 * 0.75  # a busy machine may notice one of them late


def test_who_asks_is_said(server):
    settings = quick(server, user_agent="manyfaces/0.1", contact="mailto:someone@example.org")
    list(download([server.url("ok/agent")], settings))
    headers = next(headers for path, headers, _ in server.seen if path == "/ok/agent")
    assert headers["user-agent"] == "manyfaces/0.1 (+mailto:someone@example.org)"
    assert "cookie" not in headers
    assert "authorization" not in headers


def test_the_environment_names_no_proxy(server, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    (result,) = download([server.url("ok")], quick(server))
    assert result.body == JPEG


def test_a_slow_caller_stops_the_fetching(server):
    settings = quick(server, max_buffer_bytes=5 * len(JPEG), connections=4)
    before = len(server.seen)
    results = download([server.url(f"ok/slow{i}") for i in range(60)], settings)
    next(results)
    time.sleep(1)
    assert len(server.seen) - before < 15
    assert sum(1 for _ in results) == 59


def test_giving_up_ends_the_thread(server):
    results = download([server.url(f"slow/2/{i}") for i in range(50)], quick(server))
    results.close()
    results = download([server.url("ok")] + [server.url(f"slow/2/{i}") for i in range(50)], quick(server))
    next(results)
    results.close()
    assert not any(thread.name == "download" for thread in threading.enumerate())


def test_random_faults_balance(server):
    dice = random.Random(7)
    quick_faults = [path for path, _ in FAULTS if not path.startswith(("stall", "drip", "slow", "retry", "gzip-bomb"))]
    urls = [server.url(f"{dice.choice(quick_faults)}?{i}") for i in range(300)]
    urls += dice.choices(["", "http://", "http://[::1]/", "nonsense", "http://10.0.0.1/"], k=30)
    items = items_of(urls)
    outcomes = list(fetch_items(items, quick(server, backoff=0.01)))
    assert sorted(outcome.order for outcome in outcomes) == [item.order for item in items]
    assert sum(outcome.share for outcome in outcomes) == 1
    for outcome in outcomes:
        if outcome.verdict.state == "kept":
            assert len(outcome.rows) == 1
        else:
            assert outcome.verdict.reason != "internal_error"
            assert reason(outcome.verdict.reason).state == outcome.verdict.state
