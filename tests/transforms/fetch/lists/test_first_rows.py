"""The first rows of a list: a run on them goes on with more, and comes to what the whole list comes to."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.integration.removals import hashes
from transforms.fetch.lists.growth import ListChanged
from transforms.fetch.lists.image_settings import ManifestSettings
from transforms.fetch.lists.manifest import new_manifest_rows, split_manifest
from transforms.fetch.lists.video_manifest import new_video_rows, split_videos
from transforms.fetch.lists.video_settings import VideoManifestSettings
from transforms.tables.ledger import tally
from transforms.tables.shards import iter_tables

URLS = [f"http://a.example/{number}.jpg" for number in (0, 1, 2, 1, 3, 4, 5, 0, 6)]  # two are there twice


def csv(path):
    path.write_text("url\n" + "".join(f"{url}\n" for url in URLS))


def text(path):
    path.write_text("".join(f"{url}\n" for url in URLS))


def json_lines(path):
    path.write_text("".join(json.dumps({"url": url}) + "\n" for url in URLS))


def parquet(path):
    pq.write_table(pa.table({"url": URLS}), path)


def table(run):
    return sorted(json.dumps(row) for part in iter_tables(run, "manifest") for row in part.to_pylist())


FORMATS = [("m.csv", csv), ("m.txt", text), ("m.jsonl", json_lines), ("m.parquet", parquet)]


@pytest.mark.parametrize(("name", "write"), FORMATS, ids=[name for name, _ in FORMATS])
@pytest.mark.parametrize("kind", ["images", "videos"])
def test_a_run_on_the_first_rows_becomes_one_on_all(tmp_path, name, write, kind):
    split, new_rows, settings = {
        "images": (split_manifest, new_manifest_rows, ManifestSettings),
        "videos": (split_videos, new_video_rows, VideoManifestSettings),
    }[kind]
    path, run, whole = str(tmp_path / name), str(tmp_path / "run"), str(tmp_path / "whole")
    write(tmp_path / name)
    split(path, run, settings(first_rows=4, rows_per_shard=2))
    assert tally(run, "manifest").by_reason == {"kept": 3, "duplicate_url": 1}
    before = hashes(run)
    for rows, new in ((4, 0), (6, 2), (None, 3)):
        wanted = settings(first_rows=rows, rows_per_shard=2)
        assert new_rows(path, run, wanted) == new
        split(path, run, wanted)
    assert {shard: sha for shard, sha in hashes(run).items() if shard in before} == before
    split(path, whole, settings(rows_per_shard=2))
    assert table(run) == table(whole)
    assert tally(run, "manifest").by_reason == tally(whole, "manifest").by_reason == {"kept": 7, "duplicate_url": 2}


def test_a_row_behind_the_first_that_cannot_be_read_is_not_counted_yet(tmp_path):
    (tmp_path / "m.csv").write_text("id,url\na,http://a.example/1\nb,http://a.example/2\nc,\n")
    path, run = str(tmp_path / "m.csv"), str(tmp_path / "run")
    split_manifest(path, run, ManifestSettings(first_rows=2))
    assert tally(run, "manifest").by_reason == {"kept": 2}
    split_manifest(path, run, ManifestSettings())
    assert tally(run, "manifest").by_reason == {"kept": 2, "no_url": 1}


CLIPS = [("v0000000000", 0), ("v0000000001", 0), ("v0000000000", 10), ("v0000000002", 0), ("v0000000001", 10)]


def test_a_video_of_the_first_rows_has_its_clips_of_all(tmp_path):
    rows = [{"clip_id": f"{video}_{at}", "duration": [f"0:0:{at}", f"0:0:{at + 5}"]} for video, at in CLIPS]
    (tmp_path / "m.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    path, run, whole = str(tmp_path / "m.jsonl"), str(tmp_path / "run"), str(tmp_path / "whole")
    split_videos(path, run, VideoManifestSettings(first_rows=2))
    assert tally(run, "manifest").by_reason == {"kept": 2, "merged_spans": 2}
    split_videos(path, run, VideoManifestSettings())
    split_videos(path, whole, VideoManifestSettings())
    assert table(run) == table(whole)
    assert tally(run, "manifest").by_reason == {"kept": 3, "merged_spans": 2}


def test_rows_that_new_ones_push_out_of_the_first_are_missed(tmp_path):
    csv(tmp_path / "m.csv")
    path, run = str(tmp_path / "m.csv"), str(tmp_path / "run")
    split_manifest(path, run, ManifestSettings(first_rows=3))
    (tmp_path / "m.csv").write_text("url\nhttp://a.example/new.jpg\n" + "".join(f"{url}\n" for url in URLS))
    with pytest.raises(ListChanged, match=r"2\.jpg of this run is in the list no more"):
        new_manifest_rows(path, run, ManifestSettings(first_rows=3))
    assert new_manifest_rows(path, run, ManifestSettings(first_rows=4)) == 1
