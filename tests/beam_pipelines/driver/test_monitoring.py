"""The counts of a real run, as a Prometheus would read them and as W&B keeps them without a network."""

import urllib.request

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from beam_pipelines.driver import monitoring, openmetrics, wandb_counts
from beam_pipelines.driver.monitoring import Monitoring
from beam_pipelines.driver.order import Order
from beam_pipelines.driver.run import check, run
from beam_pipelines.driver.seen import Seen
from beam_pipelines.errors import ConfigError
from beam_pipelines.recipes.monitoring_settings import MonitoringSettings
from tests.beam_pipelines.numbers_recipe import RECIPE, NumbersConfig
from tests.engines.flink import free_port

OPENMETRICS = {"Accept": "application/openmetrics-text; version=1.0.0"}
SEEN = Seen("job 1 double", {"double": {"kept": 3, "dropped": 1, "failed": 0}}, 2.0, 8)


def scraped(port):
    request = urllib.request.Request(f"http://127.0.0.1:{port}/metrics", headers=OPENMETRICS)
    with urllib.request.urlopen(request, timeout=10) as answer:
        families = list(text_string_to_metric_families(answer.read().decode()))
    return {
        (sample.name, *(sample.labels.get(key) for key in ("recipe", "job", "stage", "state"))): sample.value
        for family in families
        for sample in family.samples
    }


def test_what_was_seen_is_served_as_openmetrics_until_the_end():
    served = openmetrics.Served("numbers")
    port = served.listen("127.0.0.1", 0)
    assert scraped(port) == {}
    served.take(SEEN)
    job = ("numbers", "job 1 double")
    expected = {
        ("manyfaces_items_total", *job, "double", "kept"): 3,
        ("manyfaces_items_total", *job, "double", "dropped"): 1,
        ("manyfaces_items_total", *job, "double", "failed"): 0,
        ("manyfaces_job_items", *job, None, None): 8,
        ("manyfaces_job_seconds", *job, None, None): 2,
    }
    assert scraped(port) == expected
    served.close()
    with pytest.raises(OSError, match="refused"):
        scraped(port)


def order(tmp_path, **settings):
    (tmp_path / "numbers.txt").write_text("1 2 3 10")
    config = NumbersConfig(monitoring=MonitoringSettings(**settings))
    return Order(RECIPE, config, str(tmp_path / "numbers.txt"), str(tmp_path / "run"))


def test_a_run_that_is_watched(tmp_path, monkeypatch):
    port, last = free_port(), {}
    close = openmetrics.Served.close
    monkeypatch.setattr(openmetrics.Served, "close", lambda self: [last.update(scraped(port)), close(self)])
    run(order(tmp_path, metrics_port=port))
    counts = {(stage, state): value for (name, _, _, stage, state), value in last.items() if name.endswith("_total")}
    assert {key: value for key, value in counts.items() if value} == {
        ("double", "kept"): 3,
        ("double", "dropped"): 1,
        ("halve", "kept"): 3,
        ("sum", "kept"): 6,
    }
    with pytest.raises(OSError, match="refused"):
        scraped(port)


def test_a_port_that_is_taken_is_one_line_and_no_end(tmp_path, capsys):
    other = openmetrics.Served("another")
    port = other.listen("127.0.0.1", 0)
    try:
        run(order(tmp_path, metrics_port=port))
    finally:
        other.close()
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "OpenMetrics" in line]
    assert "Address already in use" in line


class Broken:
    """A sink that fails from its second look on."""

    def __init__(self):
        self.asked = []

    def take(self, seen):
        self.asked.append(seen)
        if len(self.asked) > 1:
            raise ConnectionError("no way\nthere")

    def close(self):
        self.asked.append("closed")


def test_a_sink_that_fails_is_told_once_and_asked_no_more(capsys):
    broken, sound = Broken(), openmetrics.Served("numbers")
    sinks = Monitoring({"one": broken, "other": sound})
    look = sinks.watched(lambda: SEEN.counts, SEEN.job, None)
    assert [look() for _ in range(3)] == [SEEN.counts] * 3
    sinks.close()
    assert len(broken.asked) == 2
    assert len(next(iter(sound.collect())).samples) == 3
    assert capsys.readouterr().err == "manyfaces: one gets no more counts of this run: no way there\n"


@pytest.mark.parametrize("setting", [{"metrics_port": 9000}, {"wandb_project": "x"}])
def test_without_its_package_a_sink_is_refused_before_anything_is_done(setting, tmp_path, monkeypatch):
    monkeypatch.setattr(monitoring, "find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=r"monitoring.*pip install 'manyfaces\[(metrics|wandb)\]'"):
        check(order(tmp_path, **setting))


class Kept:
    """What a run of W&B was given."""

    def __init__(self):
        self.points, self.ended = [], False

    def log(self, points):
        self.points.append(points)

    def finish(self):
        self.ended = True


def test_wandb_gets_a_point_in_ten_seconds_and_the_last_one(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(wandb_counts.time, "monotonic", lambda: now[0])
    kept = Kept()
    logged = wandb_counts.Logged(kept)
    for seconds, done in ((0, 1), (9, 2), (1, 3), (5, 4)):
        now[0] += seconds
        logged.take(Seen("job 1 double", {"double": {"kept": done}}, 2.0, None))
    logged.close()
    assert [points["double/kept"] for points in kept.points] == [1, 3, 4]
    assert kept.points[-1]["double/per_second"] == 2
    assert kept.ended


@pytest.mark.frameworks
def test_wandb_offline(tmp_path, monkeypatch):
    for name, value in {"WANDB_MODE": "offline", "WANDB_DIR": str(tmp_path), "WANDB_SILENT": "true"}.items():
        monkeypatch.setenv(name, value)
    run(order(tmp_path, wandb_project="faces"))
    (kept,) = tmp_path.glob("wandb/offline-run-*/run-*.wandb")
    content = kept.read_bytes()
    assert b"double/kept" in content
    assert b"faces" in content
