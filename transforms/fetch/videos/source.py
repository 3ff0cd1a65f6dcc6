"""Where a video of the manifest comes from: a server, an object store, or a folder that the configuration allows."""

import os
import re
import threading
import time
from typing import BinaryIO

from apache_beam.io.filesystems import FileSystems

from transforms.fetch.http.guard import check_target, parse_url
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
    store = _STORE.fullmatch(url)
    if store is None and not url.startswith("/"):
        raise Rejected("bad_url", "neither an http(s) URL, nor a path from the root, nor a URI of a store")
    if "\0" in url or ".." in url.split("/"):
        raise Rejected("bad_url", "a path with .. or a zero byte")
    if store is not None and store[1] == "gs":
        return store[2]
    place = url if store else os.path.realpath(url)
    if not any(_is_below(place, folder) for folder in settings.allow_paths):
        raise Rejected("blocked_path", "in none of the folders of allow_paths")
    return store[2] if store else ""


def _is_below(place: str, folder: str) -> bool:
    known = folder if _STORE.match(f"{folder}/") else os.path.realpath(folder)
    return place.startswith(known.rstrip("/") + "/")


def copy_source(url: str, path: str, seconds: float, settings: VideoDownloadSettings, stop: threading.Event) -> None:
    """Copy a file of a store or of this machine to the path; Rejected `no_file`, `too_large`, `timeout` ..."""
    try:
        with _open(url) as source, open(path, "wb") as out:
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


def _open(url: str) -> BinaryIO:
    if FileSystems.get_scheme(url) is None:
        if not os.path.isfile(url):  # a pipe or a device would be waited for, or never end
            raise Rejected("no_file", f"{url} is no file")
        return open(os.path.realpath(url), "rb")
    try:
        return open_binary(url)
    except FileNotFoundError:
        raise
    except Exception as error:  # every store's client has its own
        status = http_status(error)
        raise Rejected(f"http_{status}" if status else "no_file", str(error)) from error
