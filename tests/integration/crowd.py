"""Many small images on a server: runs long enough to be disturbed in the middle."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np

from beam_pipelines.demos.photographs import Page, serve
from tests.integration import command
from tests.integration.command import Command
from tests.integration.runs import Site, overrides, table_content

ITEMS = 2400
CHUNK = 50
TABLES = ("manifest", "images", "ledger/manifest", "ledger/download")


def pages(items: int) -> dict[str, Page]:
    """Distinct JPEGs of 48 x 48 pixels; every 40th is missing and every 60th is no image."""
    rng = np.random.default_rng(1)
    found = {}
    for number in range(items):
        colours = rng.integers(0, 256, (4, 4, 3), np.uint8)
        image = cv2.resize(colours, (48, 48), interpolation=cv2.INTER_CUBIC)
        page = Page(200, {}, cv2.imencode(".jpg", image)[1].tobytes())
        if number % 40 == 7:
            page = Page(404, {}, b"")
        elif number % 60 == 11:
            page = Page(200, {}, b"<!doctype html><title>no image</title>")
        found[f"/{number:06d}.jpg"] = page
    return found


@contextmanager
def crowd(folder: Path, items: int = ITEMS) -> Iterator[Site]:
    """A server of so many images, and their manifest in the folder."""
    served = pages(items)
    with serve(served) as port:
        manifest = folder / "crowd.txt"
        manifest.write_text("\n".join(f"http://127.0.0.1:{port}{path}" for path in served))
        yield Site(port, manifest, [], served)


def crowd_overrides() -> list[str]:
    """Settings for a run that downloads the crowd and nothing else."""
    return ["jobs=[[download]]", "manifest.columns.id=null", f"manifest.rows_per_shard={CHUNK}"]


def start(site: Site, output: Path, *beam: str) -> Command:
    """The command that downloads the crowd, on its way."""
    return command.start("webbody", site.manifest, output, overrides(site.port, *crowd_overrides()), *beam)


def wait_for_chunks(process: Command, output: Path, chunks: int) -> None:
    """Return when so many chunks are committed, and the run is not over."""
    deadline = time.monotonic() + 300
    while len(finished(output)) < chunks:
        assert process.wait(0.02) is None, process.messages()
        assert time.monotonic() < deadline
    assert len(finished(output)) < ITEMS // CHUNK, "the run was over before it could be disturbed"


def finished(output: Path) -> dict[Path, int]:
    """The ledger shards of finished chunks, with their times of change."""
    return {path: path.stat().st_mtime_ns for path in output.glob("ledger/download/part-*.parquet")}


def assert_same_download(one: str, other: str) -> None:
    """The two runs have the same shards with the same rows and verdicts."""
    for table in TABLES:
        assert table_content(one, table) == table_content(other, table), table
