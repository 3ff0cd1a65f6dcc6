"""From a manifest to outcomes in a real pipeline, and the row of an image."""

import hashlib

import apache_beam as beam
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.testing.util import assert_that

from tests.fault_server import JPEG, serving
from transforms.fetch.http import download_stage
from transforms.fetch.http.download import Fetched
from transforms.fetch.http.download_stage import DownloadImages, fetch_all, image_row
from transforms.fetch.http.settings import DownloadSettings
from transforms.fetch.lists.image_settings import Columns, ManifestSettings
from transforms.fetch.lists.manifest import split_manifest
from transforms.flow.chunks import Chunk
from transforms.images.settings import StoreSettings
from transforms.tables.reasons import Rejected
from transforms.tables.rows import ListedImage
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import shard_names, to_table

pytestmark = pytest.mark.server

SOURCE = ListedImage("id1", "http://a.example/1.jpg", "cat", '{"x": 1}')


def test_the_row_of_an_image():
    row = image_row(SOURCE, Fetched(0, JPEG, None), DownloadSettings(store=StoreSettings(mode="border", size=32)))
    assert (row.image_id, row.url, row.label, row.source) == ("id1", SOURCE.url, "cat", '{"x": 1}')
    assert (row.width, row.height, row.original_width, row.original_height) == (32, 32, 64, 48)
    assert (row.original_bytes, row.original_format) == (len(JPEG), "jpeg")
    assert row.sha256 == hashlib.sha256(JPEG).hexdigest()
    to_table([row], arrow_schema(download_stage.Image)).validate(full=True)


def test_what_is_stored_is_capped_like_what_is_fetched():
    store = StoreSettings(mode="keep_ratio", size=480, only_if_bigger=False, format="png")
    assert len(image_row(SOURCE, Fetched(0, JPEG, None), DownloadSettings(store=store)).image) > 10_000
    with pytest.raises(Rejected, match="too_large_result"):
        image_row(SOURCE, Fetched(0, JPEG, None), DownloadSettings(store=store, max_bytes=10_000))


def test_a_defect_costs_one_item(monkeypatch):
    def fail(*_):
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(download_stage, "store_image", fail)
    with pytest.raises(Rejected, match="internal_error"):
        image_row(SOURCE, Fetched(0, JPEG, None), DownloadSettings())


@pytest.mark.integration
def test_a_pipeline_accounts_for_every_item(tmp_path):
    paths = ["ok", "status/404", "html", "truncated", "redirect/ok", "chunked"]
    expected = {"0": "", "1": "http_404", "2": "not_an_image", "3": "broken_image", "4": "", "5": ""}
    run = str(tmp_path / "run")
    with serving() as server:
        manifest = tmp_path / "m.lst"
        manifest.write_text("".join(f"{i} term {server.url(path)}\n" for i, path in enumerate(paths)))
        columns = Columns(id="idx", url="url", label="label")
        split_manifest(str(manifest), run, ManifestSettings(format="list", columns=columns, rows_per_shard=4))
        chunks = [Chunk(name, "manifest") for name in shard_names(run, "manifest")]
        assert len(chunks) == 2

        def check(outcomes):
            assert {o.verdict.item_id: o.verdict.reason for o in outcomes} == expected
            assert sum(o.share for o in outcomes) == 2
            assert all(len(o.rows) == (o.verdict.state == "kept") for o in outcomes)

        settings = DownloadSettings(allow_hosts=(server.allow,), retries=0)
        with beam.Pipeline(runner=FnApiRunner()) as pipeline:
            assert_that(pipeline | beam.Create(chunks) | DownloadImages(run, settings), check)


def test_files_of_this_machine_only_where_they_are_allowed(tmp_path):
    (tmp_path / "in").mkdir()
    for name in ("in/1.jpg", "out.jpg"):
        (tmp_path / name).write_bytes(JPEG)
    with serving() as server:
        urls = [
            f"http://127.0.0.1:{server.port}/ok",
            f"{tmp_path}/in/1.jpg",
            f"file://{tmp_path}/out.jpg",
            f"{tmp_path}/in/none.jpg",
            "//x",
        ]
        allowed = DownloadSettings(allow_paths=(f"{tmp_path}/in",), allow_hosts=(f"127.0.0.1:{server.port}",))
        found = {one.number: one.error.code if one.error else one.body for one in fetch_all(urls, allowed)}
    assert found == {0: JPEG, 1: JPEG, 2: "blocked_path", 3: "no_file", 4: "bad_url"}
    (one,) = fetch_all(urls[1:2], DownloadSettings())
    assert one.error.code == "blocked_path"
