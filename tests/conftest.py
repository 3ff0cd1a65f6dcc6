"""Fixtures that tests of several packages share, and the word at the end on which engines ran."""

import os
from collections import Counter
from importlib.util import find_spec

import pytest
from hypothesis import HealthCheck, settings

from tests.engines.chromium import chromium
from tests.engines.fetch import Unavailable
from tests.engines.gcs_emulator import gcs_emulator
from tests.engines.s3_server import s3_server
from tests.storages import STORAGES, folder_on

ENGINES = {
    "integration": "local runner, real models",
    "prism": "Prism",
    "flink": "Flink, embedded and as a cluster",
    "gcs": "Google Cloud Storage, an emulator",
    "s3": "S3, a server on this machine",
    "dataflow": "Dataflow, a stand-in for the service",
    "chromium": "Chromium, headless",
}

SHARING = ("integration", "server", "gcs", "chromium")  # markers of tests whose module's fixtures take seconds

# Java processes of tests live for seconds: the second compiler would never pay
os.environ.setdefault("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")

# machines are shared; pytest has a time limit of its own; in CI, which sets CI, the same cases each time
settings.register_profile(
    "manyfaces", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize="CI" in os.environ
)
settings.load_profile("manyfaces")


@pytest.fixture(scope="module")
def gcs():
    """A storage emulator, which `gs://` means for the tests of a module."""
    with gcs_emulator() as emulator:
        yield emulator


@pytest.fixture(scope="session")
def s3():
    """A server for objects, which `s3://` means from then on: it takes a second to start."""
    try:
        with s3_server() as server:
            yield server
    except Unavailable as why:
        pytest.skip(str(why))


@pytest.fixture(scope="module")
def page():
    """A browser's tab for the tests of a module, which are marked `chromium`."""
    try:
        with chromium() as tab:
            yield tab
    except Unavailable as why:
        pytest.skip(str(why))


@pytest.fixture(params=STORAGES)
def folder(request, tmp_path) -> str:
    """A folder for a run on each kind of storage."""
    return folder_on(request.param, request, tmp_path)


def pytest_make_parametrize_id(val, argname) -> str | None:
    """Files in a test's name would make it long, and another one wherever they hold the time (gzip does)."""
    return argname if isinstance(val, bytes) else None


@pytest.hookimpl(wrapper=True)  # its first part comes before xdist, which reads the groups as early as it can
def pytest_collection_modifyitems(config, items):
    """Whole runs first, so that short tests fill the end. Tests that share what is slow to start share a worker.

    Modules that share a costly run name their own group: `pytest.mark.xdist_group("webbody")`. Tests of heavy
    frameworks are skipped in an environment without them.
    """
    if find_spec("torch") is None:
        for item in items:
            if item.get_closest_marker("frameworks"):
                item.add_marker(pytest.mark.skip("needs the environment of the frameworks, .venv-frameworks"))
    items.sort(key=lambda item: item.get_closest_marker("integration") is None)
    for item in items:
        shares = any(item.get_closest_marker(name) for name in SHARING)
        if shares and item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.path.stem))
    yield
    if getattr(config.option, "loadgroup", False):  # in a worker of pytest-xdist
        groups = [item for item in items if item.get_closest_marker("xdist_group")]
        assert all("@" in item.nodeid for item in groups), "pytest-xdist has not read the groups"


def pytest_terminal_summary(terminalreporter) -> None:
    """Say which engines ran, and why others did not."""
    found: dict[str, Counter[str]] = {name: Counter() for name in ENGINES}
    reasons: dict[str, Counter[str]] = {name: Counter() for name in ENGINES}
    for outcome in ("passed", "failed", "error", "skipped"):
        for report in terminalreporter.stats.get(outcome, []):
            engine = _engine(report)
            if engine is not None:
                found[engine][outcome] += 1
                if outcome == "skipped":
                    reasons[engine][report.longrepr[2].removeprefix("Skipped: ")] += 1
    terminalreporter.section("engines")
    for name, title in ENGINES.items():
        counts = ", ".join(f"{n} {outcome}" for outcome, n in found[name].items()) or "not asked for"
        terminalreporter.line(f"{title}: {counts}")
        for reason in reasons[name]:
            terminalreporter.line(f"    skipped: {reason}")


def _engine(report) -> str | None:
    """The engine that a test is about: the last of its markers here."""
    if report.when == "collect" or (report.when != "call" and report.outcome == "passed"):
        return None
    return next((name for name in reversed(ENGINES) if name in report.keywords), None)
