"""Counts of a run as OpenMetrics, for Prometheus and others, on a port of the driver's machine."""

from collections.abc import Iterator
from threading import Thread
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from beam_pipelines.driver.seen import Seen
from beam_pipelines.recipes.monitoring_settings import MonitoringSettings


class Served(Collector):
    """What was seen last of each job of a run, served until it is closed."""

    def __init__(self, recipe: str) -> None:
        self._recipe = recipe
        self._seen: dict[str, Seen] = {}
        self._server: tuple[WSGIServer, Thread] | None = None

    def listen(self, host: str, port: int) -> int:
        """Serve from now on; the port. OSError if it is taken."""
        registry = CollectorRegistry(auto_describe=False)
        registry.register(self)
        self._server = start_http_server(port, host, registry)
        return int(self._server[0].server_port)

    def take(self, seen: Seen) -> None:
        """One look."""
        self._seen[seen.job] = seen

    def collect(self) -> Iterator[Metric]:
        """The metrics of all jobs so far, as the client's registry asks for them."""
        items = CounterMetricFamily(
            "manyfaces_items", "Items that a stage has done.", labels=("recipe", "job", "stage", "state")
        )
        asked = GaugeMetricFamily("manyfaces_job_items", "Items that a job has to do.", labels=("recipe", "job"))
        seconds = GaugeMetricFamily("manyfaces_job_seconds", "How long a job is at work.", labels=("recipe", "job"))
        for job, seen in list(self._seen.items()):
            for stage, states in seen.counts.items():
                for state, count in states.items():
                    items.add_metric((self._recipe, job, stage, state), count)
            if seen.items is not None:
                asked.add_metric((self._recipe, job), seen.items)
            seconds.add_metric((self._recipe, job), seen.seconds)
        yield from (items, asked, seconds)

    def close(self) -> None:
        """Serve no more."""
        if self._server is not None:
            server, thread = self._server
            server.shutdown()
            thread.join()
            server.server_close()


def serve(settings: MonitoringSettings, recipe: str) -> Served:
    """Counts of a run of the recipe, on the settings' port."""
    served = Served(recipe)
    served.listen(settings.metrics_host, settings.metrics_port or 0)
    return served
