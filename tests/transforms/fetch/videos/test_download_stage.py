"""The step that fetches videos in a pipeline: good ones and bad ones, each to its own end."""

import gzip
import hashlib
import json
import os
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.testing.util import assert_that

from tests.fault_server import JPEG
from tests.fetched_videos import HLS, animation, canary, page, playlist, settings_for
from tests.video_server import File, serving
from transforms.fetch.lists.video_manifest import split_videos
from transforms.fetch.lists.video_settings import VideoManifestSettings
from transforms.fetch.videos import download_stage
from transforms.fetch.videos.downloads import fetch_videos
from transforms.fetch.videos.settings import VideoDownloadSettings
from transforms.flow.chunks import Chunk
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import shard_names, to_table
from transforms.tables.video_rows import ListedVideo, Video

pytestmark = [pytest.mark.server, pytest.mark.integration]


def cases(made, hidden):
    """The file of each path, and the reason that it ends with; `hidden` is a URL at an address that is not allowed."""
    good = made["good"]
    bomb = File(gzip.compress(b"<html>" + bytes(50_000_000)), "text/html", headers={"Content-Encoding": "gzip"})
    locked = playlist("list0.ts")
    locked.body = locked.body.replace(b"#EXTINF", b'#EXT-X-KEY:METHOD=SAMPLE-AES,URI="/key"\n#EXTINF', 1)
    return {
        "/good.mp4": (File(good), ""),
        "/late.mp4": (File(made["late"]), ""),
        "/no-ranges.mp4": (File(made["late"], ranges=False), ""),
        "/typed-wrong": (File(good, "application/octet-stream"), ""),
        "/redirect": (File(status=302, headers={"Location": "/good.mp4"}), ""),
        "/page.html": (page("/good.mp4"), ""),
        "/hls/list.m3u8": (File(made["list"], HLS), ""),
        "/animation.gif": (File(animation("GIF"), "image/gif"), ""),
        "/animation.png": (File(animation("PNG"), "image/png"), ""),
        "/still.gif": (File(animation("GIF", 1), "image/gif"), "not_a_video"),
        "/picture.jpg": (File(JPEG, "image/jpeg"), "not_a_video"),
        "/slow-down.mp4": (File(good, fails_first=1, headers={"Retry-After": "1"}), ""),
        "/no-video.html": (page(), "not_a_video"),
        "/html.mp4": (File(b"<html><body>nothing</body></html>"), "not_a_video"),
        "/two.html": (page("/good.mp4", "/late.mp4"), "playlist"),
        "/list.mp4": (File(playlist("/good.mp4").body), "playlist"),
        "/gone.mp4": (File(status=404), "http_404"),
        "/short.mp4": (File(good[: len(good) // 2], length=len(good), ranges=False), "bad_response"),
        "/cut.mp4": (File(made["late"][: len(made["late"]) // 2]), "truncated_video"),
        "/audio.mp4": (File(made["audio"]), "no_video_stream"),
        "/endless.mp4": (File(good + b"\0", endless=True), "too_large"),
        "/announced.mp4": (File(good, length=10**12, ranges=False), "too_large"),
        "/stall.mp4": (File(good, stall_after=1000), "timeout"),
        "/empty.mp4": (File(), "not_a_video"),
        "/opted-out.mp4": (File(good, headers={"X-Robots-Tag": "noai"}), "opted_out"),
        "/to-private": (File(status=302, headers={"Location": hidden}), "blocked_address"),
        "/hls/locked.m3u8": (locked, "unsupported_site"),
        "/to-file": (File(status=302, headers={"Location": "file:///etc/passwd"}), "bad_url"),
        "/hls/file.m3u8": (playlist("list0.ts", "file:///etc/passwd"), "bad_url"),
        "/bomb.html": (bomb, "too_large"),
        "/page-of-private.html": (page(hidden), "blocked_address"),
        "/hls/private.m3u8": (playlist("list0.ts", hidden), "blocked_address"),
        "/hls/private-list.m3u8": (File(f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{hidden}\n".encode(),
                                        HLS), "blocked_address"),
    }  # fmt: skip


def test_a_pipeline_accounts_for_every_video(tmp_path, made):
    """Through the manifest, Beam and yt-dlp: what is good is kept, and each fault ends with its own reason."""
    run = str(tmp_path / "run")
    with serving() as server, canary() as (port, visits):
        hidden = f"http://127.0.0.1:{port}/hidden.mp4"
        told = cases(made, hidden)
        server.files = {path: file for path, (file, _) in told.items()}
        server.files |= {f"/hls/{name}.ts": File(made[name]) for name in ("list0", "list1")}
        manifest = tmp_path / "m.csv"
        manifest.write_text("id,url\n" + "".join(f"{n},{server.url(path)}\n" for n, path in enumerate(told)))
        split_videos(str(manifest), run, VideoManifestSettings(columns={"id": "id"}, rows_per_shard=20))
        chunks = [Chunk(name, "manifest") for name in shard_names(run, "manifest")]
        assert len(chunks) == 2
        expected = {str(number): reason for number, (_, reason) in enumerate(told.values())}

        def check(outcomes):
            found = {o.verdict.item_id: (o.verdict.reason, o.verdict.detail) for o in outcomes}
            wrong = {path: found[str(n)] for n, path in enumerate(told) if found[str(n)][0] != expected[str(n)]}
            assert not wrong
            assert sum(o.share for o in outcomes) == 2
            rows = [row for o in outcomes for row in o.rows]
            to_table(rows, arrow_schema(Video)).validate(full=True)
            for row in rows:
                file = Path(run, row.media).read_bytes()
                assert (row.bytes, row.sha256) == (len(file), hashlib.sha256(file).hexdigest())
                assert (row.width, row.height) == (320, 240)
                assert row.frames == (6 if row.container in ("gif", "apng") else 50)

        settings = settings_for(server, stall_timeout=4, max_bytes=3_000_000, downloads=8, per_host=8, retries=1)
        with beam.Pipeline(runner=FnApiRunner()) as pipeline:
            assert_that(pipeline | beam.Create(chunks) | download_stage.DownloadVideos(run, settings), check)
        assert not visits
        first, second, *_ = server.times["/slow-down.mp4"]
        assert second - first >= 1
        assert not [name for name in os.listdir(os.path.join(run, "media")) if name.startswith(".")]
        assert server.agents["/good.mp4"] == "manyfaces/0.1"


def test_the_row_of_a_video(tmp_path, made):
    (tmp_path / "a.mp4").write_bytes(made["good"])
    source = ListedVideo("id", str(tmp_path / "a.mp4"), "cat", '{"x": 1}', [[0.5, 1.0]])
    settings = VideoDownloadSettings(allow_paths=(str(tmp_path),))
    ((_, stored),) = fetch_videos([source], str(tmp_path / "run"), settings)
    row = download_stage.video_row(source, stored)
    assert (row.video_id, row.label, row.source, row.spans) == ("id", "cat", '{"x": 1}', [[0.5, 1.0]])
    assert (row.frames, row.fps, row.has_audio) == (50, pytest.approx(25), True)
    assert json.loads(row.origin) == {}
    to_table([row], arrow_schema(Video)).validate(full=True)
