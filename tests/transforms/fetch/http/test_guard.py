"""The address guard: nothing hostile parses or connects."""

import contextlib
import socket
import threading

import pycurl
import pytest

from transforms.fetch.http import loose_http
from transforms.fetch.http.download import download
from transforms.fetch.http.guard import check_target, is_allowed, parse_allow_host, parse_url, refusal
from transforms.fetch.http.settings import DownloadSettings
from transforms.fetch.http.transfer import Transfer
from transforms.tables.reasons import Rejected

pytestmark = pytest.mark.server

# {port} is a canary's on 127.0.0.1 and ::1
HOSTILE = [
    "",
    " ",
    "http://",
    "http:///path",
    "//127.0.0.1:{port}/",
    "127.0.0.1:{port}",
    "ftp://127.0.0.1:{port}/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:{port}/_",
    "dict://127.0.0.1:{port}/",
    "data:image/png;base64,AAAA",
    "javascript:alert(1)",
    "http:127.0.0.1:{port}/",
    "http:/127.0.0.1:{port}/",
    "http:\\\\127.0.0.1:{port}\\",
    "http://127.0.0.1:{port}/",
    "HTTP://127.0.0.1:{port}/",
    "https://127.0.0.1:{port}/",
    "http://127.0.0.1.:{port}/",
    "http://127.1:{port}/",
    "http://127.0.1:{port}/",
    "http://127.255.255.254:{port}/",
    "http://2130706433:{port}/",
    "http://0x7f000001:{port}/",
    "http://0x7f.0.0.1:{port}/",
    "http://0177.0.0.1:{port}/",
    "http://017700000001:{port}/",
    "http://127.0.0.0x1:{port}/",
    "http://127.0.0.01:{port}/",
    "http://0:{port}/",
    "http://0.0.0.0:{port}/",
    "http://[::]:{port}/",
    "http://[::1]:{port}/",
    "http://[0:0:0:0:0:0:0:1]:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/",
    "http://[::ffff:7f00:1]:{port}/",
    "http://[::127.0.0.1]:{port}/",
    "http://[64:ff9b::7f00:1]:{port}/",
    "http://[64:ff9b:1::7f00:1]:{port}/",
    "http://[2002:7f00:1::]:{port}/",
    "http://[2001:0:7f00:1::]:{port}/",
    "http://[::1%25lo]:{port}/",
    "http://[fe80::1%lo]:{port}/",
    "http://[fe80::1]:{port}/",
    "http://[fd00:ec2::254]/latest/meta-data",
    "http://[ff02::1]:{port}/",
    "http://[::1:{port}/",
    "http://::1:{port}/",
    "http://localhost:{port}/",
    "http://LOCALHOST:{port}/",
    "http://localhost.:{port}/",
    "http://a.localhost:{port}/",
    "http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ:{port}/",
    "http://①②⑦.⓪.⓪.①:{port}/",
    "http://１２７。０。０。１:{port}/",
    "http://127。0。0。1:{port}/",
    "http://10.0.0.1/",
    "http://172.16.0.1/",
    "http://192.168.1.1/",
    "http://100.64.0.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://100.100.100.200/latest/meta-data/",
    "http://168.63.129.16/metadata",
    "http://192.0.0.192/",
    "http://224.0.0.1/",
    "http://240.0.0.1/",
    "http://255.255.255.255/",
    "http://example.com@127.0.0.1:{port}/",
    "http://user:pass@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}#@example.com/",
    "http://127.0.0.1:{port}?@example.com/",
    "http://example.com\\@127.0.0.1:{port}/",
    "http://127.0.0.1\t:{port}/",
    "http://127.0.0.1\r\nHost: example.com:{port}/",
    "http://127.0.0.1 .example.com:{port}/",
    "http://127.0.0.1\x00.example.com:{port}/",
    "http://127.0.0.1%00.example.com:{port}/",
    "http://%31%32%37.0.0.1:{port}/",
    "http://127.0.0.1:{port}:80/",
    "http://127.0.0.1:99999/",
    "http://127.0.0.1:0/",
    "http://127.0.0.1:-1/",
    "http://127.0.0.1:８０/",
    "http://..127.0.0.1:{port}/",
    "http://127..0.0.1:{port}/",
    "http://" + "a" * 9000,
    # names that resolve to the canary (by the stub resolver below)
    "http://loopback.test:{port}/",
    "http://loopback6.test:{port}/",
    "http://mapped.test:{port}/",
    "http://private.test:{port}/",
    "http://both.test:{port}/",
]
RESOLVED = {
    "loopback.test": "127.0.0.1",
    "loopback6.test": "[::1]",
    "mapped.test": "[::ffff:127.0.0.1]",
    "private.test": "10.1.2.3",
    "both.test": "127.0.0.1,[::1]",
}


class Canary:
    """Listens on 127.0.0.1 and ::1 at one port, and counts who connects."""

    def __init__(self):
        self.visits = 0
        self._four = socket.create_server(("127.0.0.1", 0))
        self.port = self._four.getsockname()[1]
        self._sockets = [self._four]
        with contextlib.suppress(OSError):  # a machine without IPv6
            self._sockets.append(socket.create_server(("::1", self.port), family=socket.AF_INET6))
        for listener in self._sockets:
            threading.Thread(target=self._listen, args=(listener,), daemon=True).start()

    def _listen(self, listener):
        while True:
            try:
                listener.accept()[0].close()
            except OSError:
                return
            self.visits += 1

    def close(self):
        for listener in self._sockets:
            listener.close()


@pytest.fixture
def canary():
    guard = Canary()
    yield guard
    guard.close()


@pytest.fixture
def stub_resolver(monkeypatch, canary):
    """Names of RESOLVED resolve as given, through curl's own table: everything after resolving is the real path."""
    prepare = Transfer.prepare

    def prepared(self, job, target, cookies=()):
        prepare(self, job, target, cookies)
        self.handle.setopt(pycurl.RESOLVE, [f"{name}:{canary.port}:{where}" for name, where in RESOLVED.items()])

    monkeypatch.setattr(Transfer, "prepare", prepared)


def test_hostile_urls_reach_nobody(canary, stub_resolver):
    urls = [url.replace("{port}", str(canary.port)) for url in HOSTILE]
    assert len(urls) >= 40
    settings = DownloadSettings(retries=0, connect_timeout=3, total_timeout=5)
    results = {result.number: result for result in download(urls, settings)}
    for number, url in enumerate(urls):
        assert results[number].error is not None, url
        assert results[number].error.code in ("bad_url", "blocked_address"), (url, results[number].error)
    for name in RESOLVED:
        number = next(i for i, url in enumerate(urls) if name in url)
        assert results[number].error.code == "blocked_address"
    assert canary.visits == 0


def test_asking_looser_is_guarded_too(canary, monkeypatch):
    def resolve(host, port, **_):
        return [(socket.AF_INET6 if ":" in RESOLVED[host] else socket.AF_INET, socket.SOCK_STREAM, 0, "",
                 (RESOLVED[host], port))]  # fmt: skip

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    for name in RESOLVED:
        with pytest.raises(Rejected, match="blocked_address"):
            loose_http.ask(parse_url(f"http://{name}:{canary.port}/"), DownloadSettings(), lambda: False)
    assert canary.visits == 0


def test_the_canary_sees_what_is_allowed(canary, stub_resolver):
    settings = DownloadSettings(retries=0, total_timeout=5, allow_hosts=("loopback.test",))
    (result,) = download([f"http://loopback.test:{canary.port}/"], settings)
    assert result.error.code in ("bad_response", "connect_error")
    assert canary.visits == 1


@pytest.mark.parametrize(
    ("url", "rebuilt"),
    [
        ("http://example.com", "http://example.com/"),
        ("https://Example.COM:443/a?b=c#d", "https://example.com/a?b=c"),
        ("http://example.com./a", "http://example.com/a"),
        ("http://example.com:8080/a%20b", "http://example.com:8080/a%20b"),
        ("http://example.com/a b/ü.jpg?q=ä", "http://example.com/a%20b/%C3%BC.jpg?q=%C3%A4"),
        ("http://bücher.example/", "http://xn--bcher-kva.example/"),
        ("http://my_bucket.example.com/x", "http://my_bucket.example.com/x"),
        ("http://93.184.216.34/x.jpg", "http://93.184.216.34/x.jpg"),
        ("http://[2606:2800:0220:1::1]/x", "http://[2606:2800:220:1::1]/x"),
        ("http://example.com?x=http://127.0.0.1/", "http://example.com/?x=http://127.0.0.1/"),
        ("http://1and1.example/a@b:c", "http://1and1.example/a@b:c"),
    ],
)
def test_ordinary_urls_are_rebuilt(url, rebuilt):
    target = parse_url(url)
    check_target(target, ())
    assert target.url == rebuilt
    assert parse_url(rebuilt) == target


@pytest.mark.parametrize(
    ("address", "refused"),
    [
        ("8.8.8.8", False),
        ("100.63.255.255", False),
        ("100.64.0.0", True),
        ("100.127.255.255", True),
        ("100.128.0.0", False),
        ("172.15.255.255", False),
        ("172.31.255.255", True),
        ("172.32.0.0", False),
        ("198.17.255.255", False),
        ("198.19.0.1", True),
        ("223.255.255.255", False),
        ("224.0.0.0", True),
        ("2606:4700::1111", False),
        ("::ffff:8.8.8.8", False),
        ("::ffff:10.0.0.1", True),
        ("64:ff9b::808:808", False),
        ("64:ff9b::a00:1", True),
        ("2002:808:808::1", True),
        ("2001:4860:4860::8888", False),
        ("2001:db8::1", True),
        ("fc00::1", True),
        ("fec0::1", True),
        ("4000::1", True),
        ("2606:4700::1%eth0", True),
        ("not an address", True),
    ],
)
def test_refusal(address, refused):
    assert bool(refusal(address)) == refused


@pytest.mark.parametrize(
    ("entry", "url", "allowed"),
    [
        ("127.0.0.1", "http://127.0.0.1:81/", True),
        ("127.0.0.1:80", "http://127.0.0.1/", True),
        ("127.0.0.1:80", "http://127.0.0.1:81/", False),
        ("[::1]:80", "http://[::1]/", True),
        ("[::1]", "http://[::1]:9/", True),
        ("Images.Example", "http://images.example/", True),
        ("images.example", "http://x.images.example/", False),
    ],
)
def test_allow_hosts(entry, url, allowed):
    assert is_allowed(parse_url(url), (entry,)) == allowed


@pytest.mark.parametrize("entry", ["", "http://a", "a/b", "a:0", "a:x", "u@a", "1.2", "::1"])
def test_bad_allow_hosts_are_refused(entry):
    with pytest.raises(ValueError, match="allow_hosts"):
        parse_allow_host(entry)


def test_blocked_even_if_spelt_as_allowed_elsewhere():
    with pytest.raises(Rejected):
        check_target(parse_url("http://127.0.0.2/"), ("127.0.0.1",))
