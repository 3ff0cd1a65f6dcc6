"""The queue of what is to be fetched: with each host so many at once and so far apart, and nothing before its time."""

import heapq
from dataclasses import dataclass, field
from itertools import count


@dataclass(slots=True)
class _Host:
    jobs: list[tuple[float, int, int]] = field(default_factory=list)  # heap of (not before, number, job)
    active: int = 0
    not_before: float = 0.0

    def due(self) -> float:
        return max(self.not_before, self.jobs[0][0])


class HostQueue:
    """Jobs (whole numbers) by host. All times are seconds on one clock that the caller reads."""

    def __init__(self, per_host: int, interval: float) -> None:
        self._per_host, self._interval = per_host, interval
        self._hosts: dict[str, _Host] = {}
        self._due: list[tuple[float, int, str]] = []  # heap; entries may be out of date, pop() looks again
        self._number = count()
        self._waiting = 0

    def __len__(self) -> int:
        """Jobs that wait, due or not."""
        return self._waiting

    def push(self, host: str, job: int, not_before: float = 0.0) -> None:
        """Add a job."""
        state = self._hosts.setdefault(host, _Host())
        heapq.heappush(state.jobs, (not_before, next(self._number), job))
        self._waiting += 1
        self._announce(host, state)

    def pop(self, now: float) -> int | None:
        """Take a job that is due; `done` must be called with its host later. None if there is none."""
        while self._due and self._due[0][0] <= now:
            host = heapq.heappop(self._due)[2]
            state = self._hosts[host]
            if not state.jobs or state.active >= self._per_host:
                continue
            if state.due() > now:
                self._announce(host, state)
                continue
            job = heapq.heappop(state.jobs)[2]
            state.active += 1
            state.not_before = max(state.not_before, now + self._interval)
            self._waiting -= 1
            self._announce(host, state)
            return job
        return None

    def done(self, host: str) -> None:
        """A job of the host has ended."""
        state = self._hosts[host]
        state.active -= 1
        self._announce(host, state)

    def pause(self, host: str, until: float) -> None:
        """Start nothing with the host before then."""
        self._hosts[host].not_before = max(self._hosts[host].not_before, until)

    def next_due(self) -> float | None:
        """When a job may be due, at the earliest; None if that depends on `done` or nothing waits."""
        return self._due[0][0] if self._due else None

    def _announce(self, host: str, state: _Host) -> None:
        if state.jobs and state.active < self._per_host:
            heapq.heappush(self._due, (state.due(), next(self._number), host))
