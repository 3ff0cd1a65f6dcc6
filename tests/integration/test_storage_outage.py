"""Storage that fails in the middle of a run: an emulator killed for 20 s, connections cut while bytes are on them."""

import os
import threading
import time

import pyarrow as pa
import pytest

from beam_pipelines.driver.order import Order
from beam_pipelines.driver.run import run
from tests.beam_pipelines.numbers_recipe import RECIPE, NumbersConfig
from tests.engines.cutting_proxy import cutting_proxy
from tests.integration.runs import table_content
from transforms.tables.shards import read_shard, shard_names, shard_path, write_shard

pytestmark = [pytest.mark.integration, pytest.mark.gcs]
ITEMS, OUTAGE_SECONDS = 2_400, 20
TABLES = ("manifest", "doubles", "halves", "sums", *(f"ledger/{stage}" for stage in ("manifest", "double", "halve")))


def _chunks_done(lines):
    return sum(line.startswith("PUT") and "ledger%2Fdouble" in line for line in lines)


def _kill_and_restart(emulator, until):
    """Once the run has committed a few chunks of its first stage; `until` gets the number of requests until then."""
    deadline = time.monotonic() + 120
    while _chunks_done(emulator.requests()) < 8:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    until.append(len(emulator.requests()))
    emulator.kill()
    time.sleep(OUTAGE_SECONDS)
    emulator.start()


def test_a_run_outlives_the_storage_being_killed_for_20_seconds(gcs, tmp_path):
    manifest = tmp_path / "numbers.txt"
    manifest.write_text("\n".join(map(str, range(1, ITEMS + 1))))
    beam = ("--direct_running_mode=multi_processing", "--direct_num_workers=2")
    orders = [
        Order(RECIPE, NumbersConfig(manifest={"rows_per_shard": 50}), str(manifest), folder, beam)
        for folder in (str(tmp_path / "undisturbed"), gcs.folder())
    ]
    run(orders[0])
    until = []
    outage = threading.Thread(target=_kill_and_restart, args=(gcs, until))
    outage.start()
    try:
        run(orders[1])
    finally:
        outage.join()
    for table in TABLES:
        assert table_content(orders[1].run, table) == table_content(orders[0].run, table), table
    assert _chunks_done(gcs.requests()[until[0] :]) > 8, (
        "the storage was killed after the run's work, not in its middle"
    )


@pytest.fixture
def shaky(gcs, monkeypatch):
    """The emulator behind a proxy that can cut connections."""
    with cutting_proxy(gcs.port) as proxy:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{proxy.port}")
        yield proxy


TABLE = pa.table({"id": list(range(200)), "file": [os.urandom(100_000) for _ in range(200)]})  # 20 MB: two requests


@pytest.mark.parametrize(
    "cuts",
    [[(True, 5_000_000)], [(True, 10_000_000), (True, 3_000_000)], [(True, 0)], [(False, 0)]],
    ids=["in the first part", "twice", "at its beginning", "the answer is lost"],
)
def test_an_upload_that_is_cut_is_done_again(gcs, shaky, cuts):
    path = shard_path(gcs.folder(), "images", "0")
    shaky.cuts[:] = cuts
    write_shard(path, TABLE)
    assert shaky.made == len(cuts)
    assert read_shard(path).equals(TABLE)


def test_an_upload_that_is_given_up_leaves_what_was_there(gcs, shaky, monkeypatch):
    monkeypatch.setattr("transforms.tables.upload._PATIENCE", 0)
    folder = gcs.folder()
    path = shard_path(folder, "images", "0")
    shaky.cuts[:] = [(True, 5_000_000)]
    with pytest.raises(Exception, match="400"):
        write_shard(path, TABLE)
    assert shard_names(folder, "images") == []
    write_shard(path, TABLE.slice(0, 10))
    shaky.cuts[:] = [(True, 5_000_000)]
    with pytest.raises(Exception, match="400"):
        write_shard(path, TABLE)
    assert read_shard(path).equals(TABLE.slice(0, 10))


@pytest.mark.parametrize("cut", [(False, 0), (False, 5_000_000)], ids=["at once", "in the middle"])
def test_a_download_that_is_cut_is_done_again(gcs, shaky, cut):
    path = shard_path(gcs.folder(), "images", "0")
    write_shard(path, TABLE)
    shaky.cuts[:] = [cut]
    assert read_shard(path).equals(TABLE)
    assert shaky.made == 1
