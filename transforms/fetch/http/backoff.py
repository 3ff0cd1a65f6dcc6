"""What went wrong with a transfer, and whether and when to try again."""

import random
from email.utils import parsedate_to_datetime
from typing import Protocol

import pycurl

from transforms.tables.reasons import Rejected, reason

# curl errors by number where pycurl has no name: 92 HTTP/2 stream, 95 HTTP/3, 96 QUIC, 97 proxy, 100 headers too large
_CODES = {
    # the URL's scheme is checked before, so this is curl refusing HTTP/0.9
    pycurl.E_UNSUPPORTED_PROTOCOL: "bad_response",
    pycurl.E_URL_MALFORMAT: "bad_url",
    pycurl.E_COULDNT_RESOLVE_PROXY: "connect_error",
    pycurl.E_COULDNT_RESOLVE_HOST: "dns_error",
    pycurl.E_COULDNT_CONNECT: "connect_error",
    pycurl.E_FTP_WEIRD_SERVER_REPLY: "bad_response",
    pycurl.E_HTTP2: "bad_response",
    pycurl.E_PARTIAL_FILE: "bad_response",
    pycurl.E_OPERATION_TIMEDOUT: "timeout",
    pycurl.E_SSL_CONNECT_ERROR: "tls_error",
    pycurl.E_FILESIZE_EXCEEDED: "too_large",
    pycurl.E_GOT_NOTHING: "bad_response",
    pycurl.E_SEND_ERROR: "connect_error",
    pycurl.E_RECV_ERROR: "connect_error",
    pycurl.E_SSL_CERTPROBLEM: "tls_error",
    pycurl.E_SSL_CIPHER: "tls_error",
    pycurl.E_PEER_FAILED_VERIFICATION: "tls_error",
    pycurl.E_BAD_CONTENT_ENCODING: "bad_response",
    pycurl.E_SSL_INVALIDCERTSTATUS: "tls_error",
    pycurl.E_SSL_ISSUER_ERROR: "tls_error",
    pycurl.E_SSL_CACERT_BADFILE: "tls_error",
    92: "bad_response",
    95: "bad_response",
    96: "connect_error",
    97: "connect_error",
    100: "bad_response",
}
_NAMES = {getattr(pycurl, name): name for name in dir(pycurl) if name.startswith("E_") and "MULTI" not in name}
# what libcurl refuses though browsers do not: odd status lines, lengths, encodings of the transfer, long headers
REFUSED = frozenset(
    {pycurl.E_UNSUPPORTED_PROTOCOL, pycurl.E_FTP_WEIRD_SERVER_REPLY, pycurl.E_BAD_CONTENT_ENCODING, 100}
)


def curl_reason(errno: int, message: str) -> Rejected:
    """The reason for a curl error, with curl's words on it or, where it has none, the error's name."""
    code = _CODES.get(errno, "transfer_error")
    # curl gives one number to a broken connection and to what its HTTP parser refuses (chunks, endless headers)
    if errno == pycurl.E_RECV_ERROR and message and not message.startswith("Recv failure"):
        code = "bad_response"
    return Rejected(code, message or f"libcurl's error {errno}, {_NAMES.get(errno, 'which has no name here')}")


def retry_after(value: str, now: float) -> float:
    """The wait that a Retry-After header asks for, seconds (0 if it asks for none); `now` is seconds since the epoch.

    The value is a number of seconds or an HTTP date (RFC 9110, 10.2.3).
    """
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now)
    except (ValueError, TypeError, OverflowError):
        return 0.0


class Patience(Protocol):
    """What the settings of a download say of trying again."""

    @property
    def retries(self) -> int:
        """Further tries."""

    @property
    def backoff(self) -> float:
        """The wait before the first one, seconds."""

    @property
    def max_backoff(self) -> float:
        """The longest wait, seconds."""


def retry_delay(code: str, tries: int, asked: float, settings: Patience, dice: random.Random) -> float | None:
    """Seconds until the next try after `tries` tries, or None if there is to be none.

    Exponential with jitter: half of the wait is fixed and half random, so that retries spread. `asked` is what the
    server asked to wait: it is granted, unless it is above `max_backoff`; then the item is left for a later run.
    """
    if not reason(code).transient or tries > settings.retries or asked > settings.max_backoff:
        return None
    wait = min(settings.max_backoff, settings.backoff * 2.0 ** (tries - 1))
    return max(asked, wait * dice.uniform(0.5, 1.0))
