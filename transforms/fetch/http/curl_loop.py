"""Many curl transfers on one thread, driven by the operating system's readiness events (epoll where there is one)."""

import os
import selectors
import time
from contextlib import suppress

import pycurl

_FOREVER = float("inf")


class CurlLoop:
    """Runs transfers until some end. All but `wake` belong to one thread."""

    def __init__(self) -> None:
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._watch)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._set_timer)
        self._selector = selectors.DefaultSelector()
        self._watched: set[int] = set()
        self._timer = _FOREVER
        self._bell_out, self._bell_in = os.pipe()
        os.set_blocking(self._bell_out, False)
        os.set_blocking(self._bell_in, False)
        self._selector.register(self._bell_out, selectors.EVENT_READ)

    def add(self, handle: pycurl.Curl) -> None:
        """Start a transfer."""
        self._multi.add_handle(handle)

    def remove(self, handle: pycurl.Curl) -> None:
        """Let go of a transfer, ended or not."""
        self._multi.remove_handle(handle)

    def step(self, timeout: float) -> list[tuple[pycurl.Curl, int, str]]:
        """Wait at most so many seconds and do what can be done; returns what ended as (handle, error or 0, message)."""
        wait = max(0.0, min(timeout, self._timer - time.monotonic()))
        for key, mask in self._selector.select(wait):
            if key.fd == self._bell_out:
                os.read(self._bell_out, 4096)
                continue
            ready = pycurl.CSELECT_IN if mask & selectors.EVENT_READ else 0
            ready |= pycurl.CSELECT_OUT if mask & selectors.EVENT_WRITE else 0
            self._multi.socket_action(key.fd, ready)
        if time.monotonic() >= self._timer:
            self._timer = _FOREVER
            self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
        return self._ended()

    def wake(self) -> None:
        """Make a waiting `step` return; from any thread."""
        with suppress(BlockingIOError):  # it is rung already
            os.write(self._bell_in, b"!")

    def close(self) -> None:
        """Release everything; handles must have been removed."""
        self._multi.close()
        self._selector.close()
        os.close(self._bell_out)
        os.close(self._bell_in)

    def _ended(self) -> list[tuple[pycurl.Curl, int, str]]:
        ended: list[tuple[pycurl.Curl, int, str]] = []
        more = 1
        while more:
            more, good, bad = self._multi.info_read()
            ended += [(handle, 0, "") for handle in good]
            ended += bad
        return ended

    def _watch(self, event: int, fd: int, _multi: object, _data: object) -> None:
        if event == pycurl.POLL_REMOVE:
            if fd in self._watched:
                self._watched.remove(fd)
                self._selector.unregister(fd)
            return
        mask = selectors.EVENT_READ if event in (pycurl.POLL_IN, pycurl.POLL_INOUT) else 0
        mask |= selectors.EVENT_WRITE if event in (pycurl.POLL_OUT, pycurl.POLL_INOUT) else 0
        if fd in self._watched:
            self._selector.modify(fd, mask)
        else:
            self._watched.add(fd)
            self._selector.register(fd, mask)

    def _set_timer(self, milliseconds: int) -> None:
        self._timer = _FOREVER if milliseconds < 0 else time.monotonic() + milliseconds / 1000
