"""An HTTP answer, however it was fetched, and what it means for the item."""

from dataclasses import dataclass

from transforms.fetch.http.content_encoding import decode_body
from transforms.fetch.http.optout import opt_out
from transforms.fetch.http.settings import DownloadSettings
from transforms.tables.reasons import Rejected


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """A final answer: `headers` are (lower case name, value), `body` is as it was sent.

    `onward` is where a redirect leads, absolute, or empty; `cookies` are those that hold from here on, as libcurl
    writes them.
    """

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    onward: str = ""
    cookies: tuple[bytes, ...] = ()

    def header(self, name: str) -> str:
        """The last value of a header, by its lower case name; empty if there is none."""
        return next((value for key, value in reversed(self.headers) if key == name), "")


def accepted_body(answer: Answer, settings: DownloadSettings) -> bytes:
    """The body, decompressed; Rejected `http_<status>`, `opted_out`, `too_large`, `bad_response`."""
    if not 200 <= answer.status < 300:
        raise Rejected(f"http_{answer.status}")
    if len(answer.body) > settings.max_bytes:
        raise Rejected("too_large", f"{len(answer.body)} bytes")
    agent = settings.user_agent.split("/")[0].strip().lower()
    refused = opt_out(answer.headers, agent, settings.opt_out, settings.tdm_reservation)
    if refused:
        raise Rejected("opted_out", refused)
    encodings = ",".join(value for name, value in answer.headers if name == "content-encoding")
    return decode_body(answer.body, encodings, settings.max_bytes) if encodings else answer.body
