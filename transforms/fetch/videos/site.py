"""yt-dlp in the process of one download: finding a video's formats and fetching them, with every byte counted.

Only this process imports it. Its own fetching is used and nothing else of it: no post-processing, no external
programs, no configuration or cookies of the user, no plugins.
"""

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from yt_dlp import YoutubeDL
from yt_dlp.extractor import gen_extractor_classes
from yt_dlp.networking import Request
from yt_dlp.networking.common import Response
from yt_dlp.networking.exceptions import HTTPError

from transforms.fetch.http.backoff import retry_after
from transforms.fetch.http.optout import opt_out
from transforms.fetch.videos.settings import VideoDownloadSettings
from transforms.tables.reasons import Rejected
from transforms.videos.container import HEAD, sniff_container

Info = dict[str, Any]
_PAGE_BYTES = 16_000_000  # of all pages and lists that are read to find a video
_BLOCK = 131_072  # bytes read at a time
_WHOLE = ("http", "https")  # protocols of files that come in one piece


class Session(YoutubeDL):
    """A YoutubeDL whose answers are counted.

    `room` is how many bytes it may still read, `asked` a server's wait in seconds, `broke` the last error of a transfer
    of the video's file: of some, yt-dlp keeps the message only.
    """

    def __init__(self, url: str, settings: VideoDownloadSettings, folder: str) -> None:
        self.settings, self.folder = settings, folder
        self.room = _PAGE_BYTES
        self.asked = 0.0
        self.fetching_file = False
        self._sniffs = False
        self.broke: Exception | None = None
        self._responses: list[Response] = []
        super().__init__(_parameters(url, settings, folder))

    def urlopen(self, req: Any) -> Response:
        """Open a URL; what is read of the answer is taken off `room`."""
        try:
            response = super().urlopen(req)
        except Exception as error:
            self._note(error)
            if isinstance(error, HTTPError):
                self.asked = retry_after(error.response.headers.get("Retry-After", ""), time.time())
            raise
        if self.fetching_file:
            self._check_file(response)
        self._responses.append(response)
        response.read = self._counted(self._sniffed(response) if self._sniffs else response.read)
        return response

    @contextmanager
    def file_room(self, size: int) -> Iterator[None]:
        """Within the block, answers are parts of the video's file, of at most so many bytes in all."""
        room, self.room = self.room, size
        self.fetching_file, self.broke = True, None
        self.close_responses()
        try:
            yield
        finally:
            self.close_responses()
            self.fetching_file, self.room = False, room

    def open_range(self, form: Info, start: int, end: int) -> Response:
        """The answer to a request of bytes `start` to `end` (inclusive) of the format's file."""
        headers = {**(form.get("http_headers") or {}), "Range": f"bytes={start}-{end}", "Accept-Encoding": "identity"}
        return self.urlopen(Request(form["url"], headers=headers))

    def look_up(self, url: str) -> Info:
        """What yt-dlp knows of the one video at the URL, its formats sorted; Rejected `playlist` for many."""
        info: Info = self.extract_info(url, download=False)
        self.close_responses()
        if info.get("_type", "video") != "video":
            raise Rejected("playlist", f"{info.get('extractor_key')} gives a list of videos")
        return info

    def save(self, form: Info, info: Info, name: str) -> str:
        """Fetch a format into a file of the folder; its path. What an earlier try left of a plain file is used."""
        path = os.path.join(self.folder, name)
        if form["protocol"] not in _WHOLE:
            for left in os.listdir(self.folder):
                if left.startswith(name):
                    os.unlink(os.path.join(self.folder, left))
        self._sniffs = form["protocol"] in _WHOLE and form.get("vcodec") != "none"
        common = {key: value for key, value in info.items() if key not in ("formats", "requested_formats")}
        try:
            done, _ = self.dl(path, common | form)
        finally:
            self._sniffs = False
        if not done or not os.path.exists(path):
            raise Rejected("bad_response", "yt-dlp fetched nothing")
        return path

    def close_responses(self) -> None:
        """Close what is open; a server may be sending still."""
        for response in self._responses:
            response.close()
        self._responses.clear()

    def _check_file(self, response: Response) -> None:
        length = response.headers.get("Content-Length", "")
        if length.isascii() and length.isdigit() and int(length[:20]) > self.settings.max_bytes:
            raise self._refuse("too_large", f"{length} bytes announced")
        agent = self.settings.user_agent.split("/")[0].strip().lower()
        pairs = [(name.lower(), value) for name, value in response.headers.items()]
        refused = opt_out(pairs, agent, self.settings.opt_out, self.settings.tdm_reservation)
        if refused:
            raise self._refuse("opted_out", refused)

    def _sniffed(self, response: Response) -> Callable[[int], bytes]:
        """Reading the answer, which ends where its first bytes are no video's."""
        read, first = response.read, response.status == 200

        def take(size: int) -> bytes:
            nonlocal first
            data = bytes(read(size))
            if first and (len(data) >= HEAD or not data):
                try:
                    sniff_container(data[:HEAD])
                except Rejected as why:
                    raise self._refuse(why.code, why.detail) from None
            first = False
            return data

        return take

    def _counted(self, read: Callable[[int], bytes]) -> Callable[..., bytes]:
        def take(size: int) -> bytes:
            try:
                data = read(size)
            except Exception as error:
                self._note(error)
                raise
            self.room -= len(data)
            if self.room < 0:
                raise self._refuse("too_large", "more bytes than the cap")
            return data

        def counted(size: int | None = None) -> bytes:
            if size is not None and size >= 0:
                return take(size)
            return b"".join(iter(lambda: take(_BLOCK), b""))

        return counted

    def _refuse(self, code: str, detail: str) -> Rejected:
        why = Rejected(code, detail)
        self._note(why)
        return why

    def _note(self, error: Exception) -> None:
        if self.fetching_file:
            self.broke = error


def is_known_site(url: str) -> bool:
    """Whether yt-dlp has an extractor of its own for the URL; else it is a plain file or page."""
    return any(site.suitable(url) for site in gen_extractor_classes() if site.ie_key() != "Generic")


def _parameters(url: str, settings: VideoDownloadSettings, folder: str) -> Info:
    """YoutubeDL's parameters: all that it would do beside finding and fetching is off."""
    contact = f" (+{settings.contact})" if settings.contact else ""
    headers = {} if is_known_site(url) else {"User-Agent": settings.user_agent + contact}
    return {
        "quiet": True,
        "noprogress": True,
        "color": "never",
        "logger": _Quiet(),
        "cachedir": False,
        "cookiefile": _own_cookies(settings.cookies, folder),
        "http_headers": headers,
        "proxy": settings.proxy,
        "nocheckcertificate": not settings.verify_tls,
        "socket_timeout": settings.stall_timeout,
        "retries": 0,
        "extractor_retries": 0,
        "fragment_retries": 0,
        "file_access_retries": 0,
        "skip_unavailable_fragments": False,
        "noplaylist": True,
        "extract_flat": "in_playlist",
        "geo_bypass": False,  # else it invents addresses in other countries for us
        "playlistend": 2,
        "format": lambda context: context["formats"][-1:],  # the choice is made after it; see formats.choose
        # of one height, the format that the site itself made of standard range before one that media.tone would convert
        "format_sort": [f"height:{settings.max_height}", "hdr:sdr", "vcodec:h264", "acodec:aac"],
        "external_downloader": {"default": "native"},
        "ffmpeg_location": os.path.join(folder, "none"),
        "fixup": "never",
        "updatetime": False,
        "buffersize": _BLOCK,
        "noresizebuffer": True,
        "js_runtimes": {"deno": {"path": settings.js_runtime}} if settings.js_runtime else {},
        "remote_components": [],
    }


def _own_cookies(path: str, folder: str) -> str | None:
    """A copy of the cookie file, since yt-dlp writes what the sites answer into the one that it is given."""
    if not path:
        return None
    copy = os.path.join(folder, "cookies")
    shutil.copyfile(path, copy)
    return copy


class _Quiet:
    """A logger that drops all but errors, which go to standard error: the tail of it tells why a process was lost."""

    def debug(self, message: str) -> None:
        """Drop it."""

    info = warning = debug

    def error(self, message: str) -> None:
        """Keep it for whoever looks into a defect."""
        print(message[:500], file=sys.stderr)
