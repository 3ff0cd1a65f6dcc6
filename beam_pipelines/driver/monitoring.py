"""The counts that the driver shows go to monitoring too, where the configuration asks for it: a look costs no other.

A sink is opened for a run and is given what is seen of its jobs; one that fails is told in a line and asked no more.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from importlib.util import find_spec
from typing import Protocol

from beam_pipelines.driver.progress import Counts
from beam_pipelines.driver.seen import Seen
from beam_pipelines.errors import ConfigError
from beam_pipelines.recipes.monitoring_settings import MonitoringSettings


class Sink(Protocol):
    """What takes the counts of a run."""

    def take(self, seen: Seen) -> None:
        """One look."""

    def close(self) -> None:
        """The run has ended."""


class Monitoring:
    """The sinks of a run."""

    def __init__(self, sinks: dict[str, Sink]) -> None:
        self._sinks = sinks

    def watched(self, read: Callable[[], Counts], job: str, items: int | None) -> Callable[[], Counts]:
        """The reader of a job's counts, of which each look goes to the sinks too."""
        start = time.monotonic()

        def look() -> Counts:
            counts = read()
            for name in list(self._sinks):
                self._ask(name, lambda sink: sink.take(Seen(job, counts, time.monotonic() - start, items)))
            return counts

        return look if self._sinks else read

    def close(self) -> None:
        """Close what is still asked."""
        for name in list(self._sinks):
            self._ask(name, lambda sink: sink.close())

    def _ask(self, name: str, action: Callable[[Sink], None]) -> None:
        try:
            action(self._sinks[name])
        except Exception as error:  # whatever it is, the run is worth more
            del self._sinks[name]
            _warn(name, error)


def _warn(name: str, error: Exception) -> None:
    told = " ".join(str(error).split())[:200] or type(error).__name__
    print(f"manyfaces: {name} gets no more counts of this run: {told}", file=sys.stderr)


def check(settings: MonitoringSettings) -> None:
    """ConfigError if a package is missing that the settings need."""
    for setting, value, package, extra in (
        ("metrics_port", settings.metrics_port, "prometheus_client", "metrics"),
        ("wandb_project", settings.wandb_project, "wandb", "wandb"),
    ):
        if value is not None and find_spec(package) is None:
            raise ConfigError(f"monitoring.{setting} needs {package}: pip install 'manyfaces[{extra}]'.")


@contextmanager
def monitoring(settings: MonitoringSettings, recipe: str, run: str) -> Iterator[Monitoring]:
    """The sinks that the settings ask for, while the run is at work; one that cannot be opened is told in a line."""
    asked: dict[str, Callable[[], Sink]] = {}
    if settings.metrics_port is not None:
        asked["OpenMetrics"] = partial(_openmetrics, settings, recipe)
    if settings.wandb_project is not None:
        asked["W&B"] = partial(_wandb, settings, recipe, run)
    opened: dict[str, Sink] = {}
    for name, make in asked.items():
        try:
            opened[name] = make()
        except Exception as error:  # each client has its own
            _warn(name, error)
    with ExitStack() as stack:
        sinks = Monitoring(opened)
        stack.callback(sinks.close)
        yield sinks


def _openmetrics(settings: MonitoringSettings, recipe: str) -> Sink:
    from beam_pipelines.driver import openmetrics  # its package is there only where it is used

    return openmetrics.serve(settings, recipe)


def _wandb(settings: MonitoringSettings, recipe: str, run: str) -> Sink:
    from beam_pipelines.driver import wandb_counts

    return wandb_counts.begin(settings, recipe, run)
