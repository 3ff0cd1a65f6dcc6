"""Fetching many videos: some at once, each in a process of its own, with every host treated as it asks."""

import os
import random
import shutil
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from typing import Any

from transforms.disk import full
from transforms.fetch.http.backoff import retry_delay
from transforms.fetch.http.hosts import HostQueue
from transforms.fetch.videos import media_store
from transforms.fetch.videos.child_process import ChildLost, ask_child
from transforms.fetch.videos.media_store import Stored
from transforms.fetch.videos.settings import VideoDownloadSettings
from transforms.fetch.videos.source import checked_host, copy_source, is_web, out_of_time
from transforms.tables.reasons import Rejected, told
from transforms.tables.video_rows import ListedVideo
from transforms.videos.container import VideoInfo, probe
from transforms.videos.library import local_file

_CHILD = "transforms.fetch.videos.child"
_PATIENCE = 1.0  # seconds between looks at the clock when nothing happens
_WAIT = frozenset({"http_429", "http_503"})  # after which a host is left alone for as long as it asks


@dataclass(frozen=True, slots=True, eq=False)
class _Failure:
    why: Rejected
    asked: float = 0.0  # seconds that the server asked to wait


def fetch_videos(
    sources: Sequence[ListedVideo], run: str, settings: VideoDownloadSettings
) -> Iterator[tuple[int, Stored | Rejected]]:
    """What became of each video, with its number: in the run's media folder, or the reason why not.

    A finished download of an earlier time is not repeated. If the caller stops, the downloads on their way are killed.
    """
    stop = threading.Event()
    with media_store.work_folder(run) as work, ThreadPoolExecutor(settings.downloads) as pool:
        try:
            yield from _Downloads(sources, run, settings, work, stop).results(pool)
        finally:
            stop.set()


class _Downloads:
    """The state of one `download_videos`; all but `_fetch` runs in the caller's thread."""

    def __init__(
        self,
        sources: Sequence[ListedVideo],
        run: str,
        settings: VideoDownloadSettings,
        work: str,
        stop: threading.Event,
    ) -> None:
        self._sources, self._run, self._settings, self._work, self._stop = sources, run, settings, work, stop
        self._queue = HostQueue(settings.per_host, settings.host_interval)
        self._hosts: dict[int, str] = {}
        self._tries: Counter[int] = Counter()
        self._left: dict[int, float] = {}  # seconds that a video may still take
        self._running: dict[Future[Stored | _Failure], int] = {}
        self._dice = random.Random()

    def results(self, pool: ThreadPoolExecutor) -> Iterator[tuple[int, Stored | Rejected]]:
        for number, source in enumerate(self._sources):
            try:
                self._hosts[number] = checked_host(source.url, self._settings)
            except Rejected as why:
                yield number, why
                continue
            self._queue.push(self._hosts[number], number)
        while self._queue or self._running:
            self._start(pool)
            if not self._running:
                time.sleep(self._patience())
            for future in wait(self._running, self._patience(), FIRST_COMPLETED).done:
                number = self._running.pop(future)
                result = self._end(number, future.result())
                if result is not None:
                    yield number, result

    def _start(self, pool: ThreadPoolExecutor) -> None:
        while len(self._running) < self._settings.downloads:
            number = self._queue.pop(time.monotonic())
            if number is None:
                return
            self._left.setdefault(number, self._settings.total_timeout)
            self._running[pool.submit(self._fetch, number)] = number

    def _patience(self) -> float:
        due = self._queue.next_due()
        if due is None or len(self._running) == self._settings.downloads:
            return _PATIENCE
        return max(0.0, min(_PATIENCE, due - time.monotonic()))

    def _end(self, number: int, result: Stored | _Failure) -> Stored | Rejected | None:
        """What came of the video, or None if it is tried again."""
        host = self._hosts[number]
        self._queue.done(host)
        if isinstance(result, _Failure):
            now = time.monotonic()
            self._tries[number] += 1
            if result.asked and result.why.code in _WAIT:
                self._queue.pause(host, now + min(result.asked, self._settings.max_backoff))
            delay = retry_delay(result.why.code, self._tries[number], result.asked, self._settings, self._dice)
            if delay is not None and self._left[number] > 0:
                self._queue.push(host, number, now + delay)
                return None
        shutil.rmtree(self._folder(number), ignore_errors=True)
        return result.why if isinstance(result, _Failure) else result

    def _folder(self, number: int) -> str:
        return os.path.join(self._work, str(number))

    def _fetch(self, number: int) -> Stored | _Failure:
        """Find or fetch one video; in a thread of the pool. Its folder stays for another try."""
        source, folder, began = self._sources[number], self._folder(number), time.monotonic()
        try:
            found = media_store.find(self._run, source.video_id, made_by(source.url, self._settings))
            if found is not None:
                return accepted_again(self._run, source.video_id, found, self._settings)
            os.makedirs(folder, exist_ok=True)
            if is_web(source.url):
                answer = self._ask(source.url, folder, self._left[number])
            else:
                answer = {"path": os.path.join(folder, "copy"), "origin": {}}
                copy_source(source.url, answer["path"], self._left[number], self._settings, self._stop)
            if "code" in answer:
                return _Failure(told(answer["code"], answer["detail"]), answer["asked"])
            return store(self._run, source, answer["path"], answer["origin"], self._settings)
        except Rejected as why:
            return _Failure(why)
        finally:  # measured here: whoever takes the results may be busy with others
            self._left[number] -= time.monotonic() - began

    def _ask(self, url: str, folder: str, seconds: float) -> dict[str, Any]:
        order = {"url": url, "folder": folder, "settings": self._settings.model_dump(mode="json")}
        try:
            answer = ask_child(_CHILD, order, folder, seconds, self._stop)
        except TimeoutError:
            raise out_of_time(self._settings) from None
        except ChildLost as lost:
            if lost.signal:
                raise Rejected("broken_video", f"the process of the download ended by signal {lost.signal}") from lost
            raise Rejected("internal_error", str(lost)) from lost
        if "full" in answer:
            raise full(folder)
        return answer


def made_by(url: str, settings: VideoDownloadSettings) -> dict[str, Any]:
    """What the bytes of a download depend on."""
    return {"url": url, "max_height": settings.max_height}


def _rules(settings: VideoDownloadSettings) -> dict[str, Any]:
    names = {"max_bytes", "check_bytes", "unknown_resolution", "accept"}
    return settings.model_dump(mode="json", include=names)


def store(run: str, source: ListedVideo, path: str, origin: dict[str, Any], settings: VideoDownloadSettings) -> Stored:
    """Let a fetched file into the run's media folder; Rejected if it is no video that is accepted."""
    size = os.path.getsize(path)
    if size > settings.max_bytes:  # an earlier try's bytes count too
        raise Rejected("too_large", f"{size} bytes")
    info = _probe(path, settings)
    sha256 = media_store.file_hash(path)
    media = media_store.file_name(source.video_id, sha256, info.container)
    stored = Stored(media, size, sha256, info, origin, made_by(source.url, settings), _rules(settings))
    media_store.keep(run, source.video_id, path, stored)
    return stored


def _probe(path: str, settings: VideoDownloadSettings) -> VideoInfo:
    try:
        return probe(path, settings.accept)
    except RuntimeError as defect:  # whatever a decoder does with a hostile file, it costs this item only
        raise Rejected("internal_error", str(defect)) from defect


def accepted_again(run: str, video_id: str, stored: Stored, settings: VideoDownloadSettings) -> Stored:
    """The finished download under rules that may have changed since; Rejected if they refuse it."""
    rules = _rules(settings)
    if stored.accepted_by == rules:
        return stored
    if stored.bytes > settings.max_bytes:
        raise Rejected("too_large", f"{stored.bytes} bytes")
    if "unknown" in stored.origin.get("height", {}) and settings.unknown_resolution == "drop":
        raise Rejected("unknown_resolution", stored.origin["height"]["unknown"])
    with local_file(run, stored.media) as path:
        stored = replace(stored, info=_probe(path, settings), accepted_by=rules)
    media_store.write_record(run, video_id, stored)
    return stored
