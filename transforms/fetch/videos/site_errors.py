"""What went wrong inside yt-dlp, as a reason; imported in the process of a download only."""

import errno
import http.client
import re
import socket
from collections.abc import Iterator

import requests.exceptions
import urllib3.exceptions
from yt_dlp.networking.exceptions import (
    HTTPError,
    IncompleteRead,
    NoSupportingHandlers,
    RequestError,
    SSLError,
    UnsupportedRequest,
)
from yt_dlp.utils import (
    ContentTooShortError,
    ExtractorError,
    GeoRestrictedError,
    UnsupportedError,
    UserNotLive,
    YoutubeDLError,
)

from transforms.disk import FULL, DiskFull
from transforms.fetch.videos.socket_guard import BlockedAddress
from transforms.tables.reasons import Rejected

_LINKS = ("cause", "__cause__", "__context__", "reason")  # where the libraries keep the error behind an error
_PREFIX = re.compile(r"^(ERROR:)?\s*(\[download\] Got error:)?\s*")


def reason_of(error: BaseException, behind: Exception | None) -> Rejected:
    """The reason behind an error of yt-dlp; `behind` is the last error of its transfers, which it may have lost.

    Raises DiskFull, and the error itself where it is a defect.
    """
    chain = [*causes(error), *(causes(behind) if behind else ())]
    rejected = [link for link in chain if isinstance(link, Rejected)]
    if rejected:
        return rejected[0]
    blocked = [link for link in chain if isinstance(link, BlockedAddress)]
    if blocked:
        return Rejected("blocked_address", str(blocked[0]))
    for link in chain:
        if isinstance(link, OSError) and link.errno in FULL:
            raise DiskFull(str(link)) from error
        if isinstance(link, OSError) and link.errno == errno.EFBIG:
            return Rejected("too_large", "the file grew beyond the cap")
        if isinstance(link, HTTPError):
            return Rejected("too_many_redirects" if link.redirect_loop else f"http_{link.status}")
    code = next((code for kinds, code in _CODES for link in chain if isinstance(link, kinds)), "")
    if not code:
        raise error
    if code == "video_unavailable" and not all(link.expected for link in chain if isinstance(link, ExtractorError)):
        code = "unsupported_site"  # yt-dlp did not understand the page
    return Rejected(code, _message(error))


# by kind, the most telling first
_CODES: tuple[tuple[tuple[type[BaseException], ...], str], ...] = (
    ((socket.gaierror, urllib3.exceptions.NameResolutionError), "dns_error"),
    ((IncompleteRead, ContentTooShortError, http.client.IncompleteRead), "bad_response"),
    ((urllib3.exceptions.NewConnectionError,), "connect_error"),  # to urllib3 a kind of timeout
    ((TimeoutError, requests.exceptions.Timeout, urllib3.exceptions.TimeoutError), "timeout"),
    ((SSLError,), "tls_error"),
    ((http.client.HTTPException, urllib3.exceptions.DecodeError), "bad_response"),
    (
        (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema, NoSupportingHandlers, UnsupportedRequest),
        "bad_url",
    ),
    ((RequestError, ConnectionError), "connect_error"),
    ((UnsupportedError,), "not_a_video"),
    ((GeoRestrictedError, UserNotLive, ExtractorError), "video_unavailable"),
    ((YoutubeDLError,), "unsupported_site"),  # what its own fetching cannot do
)


def causes(error: BaseException) -> Iterator[BaseException]:
    """The error and all that stand behind it."""
    waiting, seen = [error], set()
    while waiting:
        link = waiting.pop(0)
        if id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        behind = [getattr(link, name, None) for name in _LINKS]
        behind += [*link.args, *(getattr(link, "exc_info", None) or ())]
        waiting += [other for other in behind if isinstance(other, BaseException)]


def _message(error: BaseException) -> str:
    text = next((link.orig_msg for link in causes(error) if isinstance(link, ExtractorError)), str(error))
    return _PREFIX.sub("", str(text))[:300]
