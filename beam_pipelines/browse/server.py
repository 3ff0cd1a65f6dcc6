"""The server of the pages: on 127.0.0.1, for whoever knows the address that was printed, and for no other web site."""

import secrets
import socket
from hmac import compare_digest
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import BoundedSemaphore
from urllib.parse import urlsplit

from beam_pipelines.browse import answers
from beam_pipelines.browse.answers import Answer
from beam_pipelines.browse.site import Site
from beam_pipelines.errors import ConfigError

HOST = "127.0.0.1"
_MOST_FORM = 1 << 20  # bytes
_MOST_UNREAD = 8 * _MOST_FORM  # of a refused form that are taken and thrown away
_SECONDS = 30  # that a connection may say nothing
_AT_ONCE = 4  # answers that are made at a time, each of which may hold a row group
_FORM = "application/x-www-form-urlencoded"
_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",  # no face stays in a browser's files
}


class Server(ThreadingHTTPServer):
    """The server of one run's pages, each request in a thread of its own."""

    daemon_threads = True

    def __init__(self, site: Site, port: int = 0) -> None:
        """Port 0: a free one. ConfigError if the port cannot be had."""
        self.site, self.token = site, secrets.token_urlsafe(24)
        self.making = BoundedSemaphore(_AT_ONCE)
        try:
            super().__init__((HOST, port), Handler)
        except (OSError, OverflowError) as error:
            raise ConfigError(f"--port {port}: this port of {HOST} cannot be had ({error}); give another.") from error
        self.hosts = {f"{name}:{self.server_port}" for name in (HOST, "localhost")}

    @property
    def address(self) -> str:
        """Where the pages begin, with the token."""
        return f"http://{HOST}:{self.server_port}/{self.token}/"

    def handle_error(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        """A connection that breaks off is nothing to tell of."""


class Handler(BaseHTTPRequestHandler):
    """A connection of a browser."""

    server: Server
    protocol_version = "HTTP/1.1"
    timeout = _SECONDS

    def do_GET(self) -> None:
        """A page or a picture."""
        refused = self._refused()
        if refused is not None:
            self._send(refused)
            return
        name, query = self._asked()
        with self.server.making:
            answer = answers.get(self.server.site, name, query)
        self._send(answer)

    def do_POST(self) -> None:
        """A form."""
        refused = self._refused() or self._refused_form()
        if refused is not None:
            self._refuse(refused)
            return
        form = self.rfile.read(int(self.headers["Content-Length"])).decode("ascii", "replace")
        with self.server.making:
            answer = answers.post(self.server.site, self._asked()[0], form)
        self._send(answer)

    def _asked(self) -> tuple[str, str]:
        """The name of the page, and the query."""
        parts = urlsplit(self.path)
        return parts.path.removeprefix(f"/{self.server.token}/"), parts.query

    def _refused(self) -> Answer | None:
        """Why a request is not looked at any further; None if it is one of the user's browser."""
        if self.headers.get("Host", "").lower() not in self.server.hosts:  # another name may lead here: DNS rebinding
            return answers.text(HTTPStatus.FORBIDDEN, f"This server answers as {HOST} and localhost only.")
        token = self.path.split("?")[0].split("/")[1:2]
        begun = "".join(token).encode("utf-8", "replace")
        if not compare_digest(begun, self.server.token.encode()) or self.path.count("/") < 2:
            return answers.text(
                HTTPStatus.FORBIDDEN,
                "This address lacks the token of the server that runs now; open the address that the command printed.",
            )
        return None

    def _refused_form(self) -> Answer | None:
        """Why a form is not read: another site's page sent it, or it is none."""
        origin = self.headers.get("Origin", "null").lower()
        site = self.headers.get("Sec-Fetch-Site", "same-origin")
        if origin not in {"null", *(f"http://{host}" for host in self.server.hosts)} or site != "same-origin":
            return answers.text(
                HTTPStatus.FORBIDDEN, "Another web site's page sent this form; use those of this server."
            )
        if self.headers.get("Content-Type", "").partition(";")[0].strip().lower() != _FORM:
            return answers.text(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"A form is sent as {_FORM}.")
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit() and len(length) < 10 and int(length) <= _MOST_FORM):
            return answers.text(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"A form has at most {_MOST_FORM} bytes.")
        return None

    def _refuse(self, answer: Answer) -> None:
        """Answer a request whose form is not looked at, and end the connection.

        What still comes of the form is thrown away: a connection closed over unread bytes is reset, and the browser
        would tell of that instead of showing the answer.
        """
        self.close_connection = True
        self._send(answer)
        self.connection.shutdown(socket.SHUT_WR)
        unread = _MOST_UNREAD
        while unread > 0 and (thrown := self.rfile.read1(min(unread, 1 << 16))):
            unread -= len(thrown)

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in {**_ALWAYS, **answer.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Type", answer.kind)
        self.send_header("Content-Length", str(len(answer.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(answer.body)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What the standard library refuses: a method that is not there, a header that cannot be read."""
        self.request_version = self.protocol_version  # which may be what could not be read
        status = HTTPStatus(code)
        self._refuse(answers.text(status, f"{status.phrase}: this server answers GET and POST of its own pages."))

    def version_string(self) -> str:
        """What the header Server says."""
        return "manyfaces"

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: addresses hold the token."""
