"""Where a video of the manifest comes from: a server, an object store, or a folder that the configuration allows."""

import re
import threading
import time
from typing import BinaryIO

from transforms.fetch.http.guard import check_target, parse_url
from transforms.fetch.lists.local import open_allowed, path_of
from transforms.fetch.videos.child_process import Stopped
from transforms.fetch.videos.settings import VideoDownloadSettings
from transforms.tables.files import open_binary
from transforms.tables.reasons import Rejected
from transforms.tables.upload import http_status

_STORE = re.compile(r"([a-z][a-z0-9+.-]*)://([^/]+)/.*", re.DOTALL)
_BLOCK = 2**20


def is_web(url: str) -> bool:
    """Whether it is fetched from a server by http or https."""
    return url[:8].lower().startswith(("http://", "https://"))


def checked_host(url: str, settings: VideoDownloadSettings) -> str:
    """The host (or bucket, or empty for a path) that the video comes from; Rejected where it must not be fetched."""
    if is_web(url):
        target = parse_url(url)
        check_target(target, settings.allow_hosts)
        return target.host
    if path_of(url) is not None:
        return ""
    store = _STORE.fullmatch(url)
    if store is None:
        raise Rejected("bad_url", "neither an http(s) URL, nor a path from the root, nor a URI of a store")
    if "\0" in url or ".." in url.split("/"):
        raise Rejected("bad_url", "a path with .. or a zero byte")
    if store[1] != "gs" and not any(url.startswith(folder.rstrip("/") + "/") for folder in settings.allow_paths):
        raise Rejected("blocked_path", "in none of the folders of allow_paths")
    return store[2]


def copy_source(url: str, path: str, seconds: float, settings: VideoDownloadSettings, stop: threading.Event) -> None:
    """Copy a file of a store or of this machine to the path; Rejected `no_file`, `too_large`, `timeout` ..."""
    try:
        with _open(url, settings) as source, open(path, "wb") as out:
            deadline, size = time.monotonic() + seconds, 0
            while block := source.read(_BLOCK):
                size += len(block)
                if size > settings.max_bytes:
                    raise Rejected("too_large", f"more than {settings.max_bytes} bytes")
                if time.monotonic() > deadline:
                    raise out_of_time(settings)
                if stop.is_set():
                    raise Stopped
                out.write(block)
    except (FileNotFoundError, PermissionError, IsADirectoryError) as error:
        raise Rejected("no_file", str(error)) from None


def out_of_time(settings: VideoDownloadSettings) -> Rejected:
    """The end of a video that takes too long."""
    return Rejected("timeout", f"no end within {settings.total_timeout:g} s, all tries together")


def _open(url: str, settings: VideoDownloadSettings) -> BinaryIO:
    path = path_of(url)
    if path is not None:
        return open_allowed(path, settings.allow_paths)
    try:
        return open_binary(url)
    except FileNotFoundError:
        raise
    except Exception as error:  # every store's client has its own
        status = http_status(error)
        raise Rejected(f"http_{status}" if status else "no_file", str(error)) from error
