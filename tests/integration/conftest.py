"""Real runs of the recipe webbody: photographs from published packages, served on 127.0.0.1."""

import pytest

from beam_pipelines.demos.photographs import photographs, serve
from tests.integration.crowd import crowd, crowd_overrides
from tests.integration.runs import Site, run_webbody, write_list

LEFT_OUT = ("obama-4", "obama-5", "obama-6", "pitch-1", "party-1")  # of what each shows there are others


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """Most of the demo's photographs, on a server that lives as long as the tests."""
    pairs = [(row, page) for row, page in photographs() if not row.id.startswith(LEFT_OUT)]
    with serve({row.path: page for row, page in pairs}) as port:
        manifest = tmp_path_factory.mktemp("site") / "list.csv"
        rows = [row for row, _ in pairs]
        write_list(manifest, rows, port)
        yield Site(port, manifest, rows, {row.path: page for row, page in pairs})


@pytest.fixture(scope="session")
def whole_run(site, tmp_path_factory):
    """One undisturbed run of the whole recipe, shared by the tests that only read."""
    return run_webbody(site.manifest, tmp_path_factory.mktemp("runs") / "whole", site.port)


@pytest.fixture(scope="session")
def crowd_site(tmp_path_factory):
    """Thousands of small images on a server that lives as long as the tests."""
    with crowd(tmp_path_factory.mktemp("crowd")) as site:
        yield site


@pytest.fixture(scope="session")
def whole_crowd(crowd_site, tmp_path_factory):
    """One undisturbed download of them."""
    output = tmp_path_factory.mktemp("runs") / "crowd"
    return run_webbody(crowd_site.manifest, output, crowd_site.port, *crowd_overrides())
