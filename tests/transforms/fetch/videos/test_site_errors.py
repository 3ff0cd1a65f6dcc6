"""yt-dlp's errors, as deep as they are wrapped, as reasons."""

import errno
import http.client
import io
import socket

import pytest
import requests.exceptions
import urllib3.exceptions
from yt_dlp.networking.common import Response
from yt_dlp.networking.exceptions import CertificateVerifyError, HTTPError, IncompleteRead, RequestError, TransportError
from yt_dlp.utils import ContentTooShortError, DownloadError, ExtractorError, GeoRestrictedError, UnsupportedError

from transforms.disk import DiskFull
from transforms.fetch.videos.site_errors import causes, reason_of
from transforms.fetch.videos.socket_guard import BlockedAddress
from transforms.tables.reasons import Rejected, reason


def answered(status, redirect_loop=False):
    return HTTPError(Response(io.BytesIO(b""), "http://a.example/", {}, status), redirect_loop)


def pooled(error):
    """As requests gives what urllib3 gives."""
    return TransportError(cause=requests.exceptions.ConnectionError(urllib3.exceptions.MaxRetryError(None, "/", error)))


CASES = [
    (answered(404), "http_404"),
    (answered(302, True), "too_many_redirects"),
    (CertificateVerifyError("bad"), "tls_error"),
    (IncompleteRead(1, 2), "bad_response"),
    (ContentTooShortError(1, 2), "bad_response"),
    (TransportError(cause=TimeoutError("slow")), "timeout"),
    (TransportError(cause=http.client.BadStatusLine("x")), "bad_response"),
    (TransportError(cause=ConnectionRefusedError("no")), "connect_error"),
    (TransportError("no more is known"), "connect_error"),
    (pooled(urllib3.exceptions.NameResolutionError("a", None, socket.gaierror(-2, "unknown"))), "dns_error"),
    (pooled(urllib3.exceptions.NewConnectionError(None, "refused")), "connect_error"),
    (pooled(BlockedAddress("10.0.0.1 is private")), "blocked_address"),
    (RequestError("malformed", cause=requests.exceptions.InvalidURL("x")), "bad_url"),
    (UnsupportedError("http://a.example/"), "not_a_video"),
    (GeoRestrictedError("not here"), "video_unavailable"),
    (ExtractorError("Private video", expected=True), "video_unavailable"),
    (ExtractorError("Unable to extract data"), "unsupported_site"),
    (OSError(errno.EFBIG, "File too large"), "too_large"),
    (Rejected("opted_out", "noai"), "opted_out"),
]


@pytest.mark.parametrize(("error", "code"), CASES)
def test_reasons(error, code):
    assert reason(code)
    assert reason_of(error, None).code == code


@pytest.mark.parametrize(("error", "code"), CASES)
def test_however_deep(error, code):
    if not isinstance(error, ExtractorError):
        assert reason_of(ExtractorError("Unable to download webpage", cause=error), None).code == code
    assert reason_of(DownloadError("ERROR: x", (type(error), error, None)), None).code == code


def test_what_yt_dlp_lost_is_told_by_the_transfer():
    lost = DownloadError("ERROR: \r[download] Got error: 403")
    assert reason_of(lost, answered(403)).code == "http_403"


def test_details_are_the_words_behind():
    assert reason_of(ExtractorError("Private video", expected=True, video_id="x"), None).detail == "Private video"
    assert reason_of(DownloadError("ERROR: \r[download] Got error: slow"), TimeoutError()).detail == "slow"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_no_videos_fault(number):
    with pytest.raises(DiskFull):
        reason_of(DownloadError("x", (OSError, OSError(number, "full"), None)), None)


def test_defects_stay_defects():
    with pytest.raises(ZeroDivisionError):
        reason_of(ZeroDivisionError(), None)


def test_errors_that_lead_to_each_other():
    one, two = ValueError(), ValueError()
    one.__cause__, two.__cause__ = two, one
    assert list(causes(one)) == [one, two]
