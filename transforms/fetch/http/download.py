"""Fetching many URLs: one background thread runs all transfers while the caller decodes what has come."""

import random
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue

from transforms.fetch.http import loose_http
from transforms.fetch.http.answer import Answer, accepted_body
from transforms.fetch.http.backoff import REFUSED, retry_after, retry_delay
from transforms.fetch.http.curl_loop import CurlLoop
from transforms.fetch.http.guard import Target, check_target, parse_url
from transforms.fetch.http.hosts import HostQueue
from transforms.fetch.http.settings import DownloadSettings
from transforms.fetch.http.transfer import Transfer
from transforms.tables.reasons import Rejected

_PATIENCE = 1.0  # seconds between looks at the clock when nothing happens
_LOOSE = 8  # threads that ask again where libcurl refuses an answer


@dataclass(frozen=True, slots=True, eq=False)
class Fetched:
    """What became of one URL: `number` is its place in the list; either `body` or `error`."""

    number: int
    body: bytes
    error: Rejected | None


@dataclass(slots=True)
class _Job:
    first: Target
    target: Target
    cookies: tuple[bytes, ...] = ()  # of the redirects that have led to the target
    tries: int = 0
    redirects: int = 0


def download(urls: Sequence[str], settings: DownloadSettings) -> Iterator[Fetched]:
    """Fetch the URLs at once and give each exactly one result, in the order in which they end.

    Fetching goes on in the background while the caller works, until `max_buffer_bytes` wait to be taken.
    """
    fetching = _Fetching(urls, settings)
    thread = threading.Thread(target=fetching.run, name="download", daemon=True)
    thread.start()
    try:
        for _ in urls:
            yield fetching.take()
    finally:
        fetching.stop()
        thread.join()
        fetching.close()


class _Fetching:
    """The state of one `download`: `take`, `stop`, `close` are the caller's, all else is the thread's of `run`."""

    def __init__(self, urls: Sequence[str], settings: DownloadSettings) -> None:
        self._urls, self._settings = urls, settings
        self._loop = CurlLoop()
        self._queue = HostQueue(settings.per_host, settings.host_interval)
        self._jobs: dict[int, _Job] = {}
        self._free: list[Transfer] = []
        self._running: dict[object, Transfer] = {}  # by curl handle
        self._loose = ThreadPoolExecutor(_LOOSE)
        self._asking: set[int] = set()  # numbers of the URLs that the threads ask for
        self._asked: SimpleQueue[tuple[int, Answer | Rejected]] = SimpleQueue()
        self._results: SimpleQueue[Fetched | Exception] = SimpleQueue()
        self._waiting_bytes = 0
        self._lock = threading.Lock()  # of _waiting_bytes
        self._stopped = False
        self._dice = random.Random()

    def take(self) -> Fetched:
        """The next result; waits for it."""
        result = self._results.get()
        if isinstance(result, Exception):
            raise result
        with self._lock:
            full = self._waiting_bytes >= self._settings.max_buffer_bytes
            self._waiting_bytes -= len(result.body)
        if full:
            self._loop.wake()
        return result

    def stop(self) -> None:
        """Give up what is not fetched."""
        self._stopped = True
        self._loop.wake()

    def run(self) -> None:
        """Fetch everything."""
        try:
            for number, url in enumerate(self._urls):
                self._admit(number, url)
            while (self._queue or self._running or self._asking) and not self._stopped:
                self._start()
                for handle, errno, message in self._loop.step(self._patience()):
                    self._end(self._running.pop(handle), errno, message)
                while not self._asked.empty():
                    number, answer = self._asked.get()
                    self._asking.remove(number)
                    self._conclude(number, answer)
        except Exception as defect:
            self._results.put(defect)
        finally:
            self._release()

    def close(self) -> None:
        """Let go of the loop, when neither thread can ring it any more."""
        self._loop.close()

    def _admit(self, number: int, url: str) -> None:
        try:
            target = parse_url(url)
            check_target(target, self._settings.allow_hosts)
        except Rejected as why:
            self._give(number, why)
            return
        self._jobs[number] = _Job(target, target)
        self._queue.push(target.host, number)

    def _has_room(self) -> bool:
        with self._lock:
            return len(self._running) + len(self._asking) < self._settings.connections and (
                self._waiting_bytes < self._settings.max_buffer_bytes
            )

    def _start(self) -> None:
        while self._has_room():
            number = self._queue.pop(time.monotonic())
            if number is None:
                return
            transfer = self._free.pop() if self._free else Transfer(self._settings)
            job = self._jobs[number]
            transfer.prepare(number, job.target, job.cookies)
            self._running[transfer.handle] = transfer
            self._loop.add(transfer.handle)

    def _patience(self) -> float:
        due = self._queue.next_due()
        if due is None or not self._has_room():
            return _PATIENCE
        return min(_PATIENCE, max(0.0, due - time.monotonic()))

    def _end(self, transfer: Transfer, errno: int, message: str) -> None:
        """A transfer has ended."""
        number = transfer.job
        self._loop.remove(transfer.handle)
        if errno in REFUSED and not self._settings.proxy:
            self._asking.add(number)
            self._loose.submit(self._ask, number, self._jobs[number].target)
        else:
            self._conclude(number, transfer.answer(errno, message))
        transfer.clear()
        self._free.append(transfer)

    def _ask(self, number: int, target: Target) -> None:
        """Ask again, reading more loosely; in a thread of its own."""
        answer: Answer | Rejected
        try:
            answer = loose_http.ask(target, self._settings, lambda: self._stopped)
        except Rejected as why:
            answer = why
        except Exception as defect:
            answer = Rejected("internal_error", repr(defect))
        self._asked.put((number, answer))
        self._loop.wake()

    def _conclude(self, number: int, answer: Answer | Rejected) -> None:
        """A URL has its answer: it is redirected, tried again, or done."""
        job = self._jobs[number]
        self._queue.done(job.target.host)
        try:
            if isinstance(answer, Rejected):
                raise answer
            if answer.onward:
                self._follow(number, job, answer)
            else:
                self._give(number, None, accepted_body(answer, self._settings))
        except Rejected as why:
            self._retry(number, job, why, answer.header("retry-after") if isinstance(answer, Answer) else "")

    def _follow(self, number: int, job: _Job, answer: Answer) -> None:
        job.redirects += 1
        if job.redirects > self._settings.max_redirects:
            raise Rejected("too_many_redirects", f"more than {self._settings.max_redirects}")
        target = parse_url(answer.onward)
        check_target(target, self._settings.allow_hosts)
        job.target, job.cookies = target, answer.cookies
        self._queue.push(target.host, number)

    def _retry(self, number: int, job: _Job, why: Rejected, retry_header: str) -> None:
        now = time.monotonic()
        asked = retry_after(retry_header, time.time())
        job.tries += 1
        delay = retry_delay(why.code, job.tries, asked, self._settings, self._dice)
        if asked and why.code in ("http_429", "http_503"):
            self._queue.pause(job.target.host, now + min(asked, self._settings.max_backoff))
        if delay is None:
            self._give(number, why)
            return
        job.target, job.cookies, job.redirects = job.first, (), 0
        self._queue.push(job.first.host, number, now + delay)

    def _give(self, number: int, error: Rejected | None, body: bytes = b"") -> None:
        self._jobs.pop(number, None)
        with self._lock:
            self._waiting_bytes += len(body)
        self._results.put(Fetched(number, body, error))

    def _release(self) -> None:
        self._stopped = True
        self._loose.shutdown(cancel_futures=True)
        for transfer in self._running.values():
            self._loop.remove(transfer.handle)
        for transfer in [*self._running.values(), *self._free]:
            transfer.close()
