"""The process of one download: an order in and an answer out, JSON both; see child_process.

What it is told by servers is hostile: its sockets are guarded, its memory, files and time are bounded, and what it
fetches is written into one folder. The process that started it kills it with all that it started.
"""

import json
import os
import zlib
from typing import TYPE_CHECKING, Any

from transforms.disk import DiskFull
from transforms.fetch.http.guard import parse_url
from transforms.fetch.http.loose_headers import read_headers_loosely
from transforms.fetch.videos.child_process import limit_resources, receive_order
from transforms.fetch.videos.formats import check_length, choose, known_height, origin
from transforms.fetch.videos.range_file import Exhausted, RangeFile, upright_height
from transforms.fetch.videos.settings import VideoDownloadSettings
from transforms.fetch.videos.socket_guard import guard_process
from transforms.tables.detail import steady
from transforms.tables.reasons import Rejected
from transforms.videos.join import join

if TYPE_CHECKING:
    from transforms.fetch.videos.site import Session

Info = dict[str, Any]
_WORK, _BYTES_A_SECOND = 120.0, 20e6  # seconds of processor for reading pages, and how fast it then is at least
# what a look at a file's first bytes says for good
_FINAL = frozenset({"opted_out", "blocked_address", "playlist", "no_video_stream"})
_SLACK = 64_000_000  # bytes that a file may have beyond the cap: what a container adds


def main() -> None:
    """Do what the order on standard input says."""
    order, answers = receive_order()
    settings = VideoDownloadSettings.model_validate(order["settings"])
    seconds = _WORK + settings.max_bytes / _BYTES_A_SECOND
    limit_resources(settings.max_memory, settings.max_bytes + settings.max_bytes // 8 + _SLACK, seconds)
    programs = frozenset({settings.js_runtime} if settings.js_runtime else ())
    read_headers_loosely()
    guard_process((*settings.allow_hosts, *_proxy_host(settings.proxy)), programs)
    print(json.dumps(fetch(order["url"], settings, order["folder"])), file=answers, flush=True)


def _proxy_host(proxy: str) -> tuple[str, ...]:
    if not proxy:
        return ()
    target = parse_url(proxy)
    return (f"[{target.host}]:{target.port}" if ":" in target.host else f"{target.host}:{target.port}",)


def fetch(url: str, settings: VideoDownloadSettings, folder: str) -> Info:
    """The answer: `path` of the file and its `origin`; or `code`, `detail` and how long the server `asked` to wait."""
    from transforms.fetch.videos.site import Session
    from transforms.fetch.videos.site_errors import reason_of

    session: Session | None = None
    try:
        session = Session(url, settings, folder)
        path, words = _fetch(session, url)
        return {"path": path, "origin": words}
    except Rejected as why:
        found = why
    except MemoryError:
        found = Rejected("too_large", f"more memory than {settings.max_memory} bytes")
    except Exception as error:
        try:
            found = reason_of(error, session.broke if session else None)
        except DiskFull as full:
            return {"full": str(full)}
    return {"code": found.code, "detail": found.detail, "asked": session.asked if session else 0.0}


def _fetch(session: "Session", url: str) -> tuple[str, Info]:
    settings = session.settings
    info = session.look_up(url)
    formats = choose(info, settings.accept.min_height)
    check_length(info, formats, settings.accept.max_seconds, settings.max_bytes)
    words = origin(info, formats)
    words["height"] = _check_height(session, formats[0])
    with session.file_room(settings.max_bytes):
        parts = [session.save(form, info, _part_name(number, form)) for number, form in enumerate(formats)]
    if len(parts) == 1:
        return parts[0], words
    path = os.path.join(session.folder, "joined")
    join(parts[0], parts[1], path)
    for part in parts:
        os.unlink(part)
    return path, words


def _part_name(number: int, form: Info) -> str:
    """The file of a format: another format's bytes are not gone on with."""
    return f"part{number}-{zlib.crc32(str(form.get('format_id')).encode()):08x}"


def _check_height(session: "Session", form: Info) -> Info:
    """What was known of the format's height before it is fetched, and from where; Rejected if it will not do."""
    accept = session.settings.accept
    found, source, why = known_height(form), "site", ""
    if found is None:
        source = "file"
        try:
            found = _probed_height(session, form)
        except Exhausted as error:
            why = steady(str(error))[:200]
        except Exception as error:
            why = _excused(session, error)
    if found is None and session.settings.unknown_resolution == "drop":
        raise Rejected("unknown_resolution", why)
    if found is not None and found < accept.min_height:
        raise Rejected("low_resolution", f"{found} pixels high, says the {source}")
    return {"unknown": why} if found is None else {"pixels": found, "source": source}


def _excused(session: "Session", error: Exception) -> str:
    """Why a look has failed: it is no more than a look, and what a plain request may fetch is fetched all the same.

    Raises where no request could do better.
    """
    from transforms.fetch.videos.site_errors import reason_of

    try:
        why = reason_of(error, session.broke)
    except DiskFull:
        raise
    except Exception as defect:
        return steady(f"{type(defect).__name__}: {defect}")[:200]
    if why.code in _FINAL:
        raise why from None
    session.asked = 0.0  # what the server asked of a look, it may not ask of the plain request
    return f"{why.code}: {why.detail}"[:200]


def _probed_height(session: "Session", form: Info) -> int:
    if form["protocol"] not in ("http", "https"):
        raise Exhausted(f"the site does not say, and a {form['protocol']} has no one file to look into")
    most = session.settings.check_bytes
    with session.file_room(most):
        return upright_height(RangeFile(lambda start, end: session.open_range(form, start, end), most))
