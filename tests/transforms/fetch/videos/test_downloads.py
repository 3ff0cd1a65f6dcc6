"""Videos are fetched by the real yt-dlp from a real server, good ones and bad ones, each to its own end."""

import gzip
import hashlib
import os
import threading
import time
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from tests.fetched_videos import animation, fetched, playlist, settings_for, sources
from tests.object_store import OBJECTS, new_folder
from tests.video_server import File, serving, wait_until
from transforms.fetch.videos import download_stage
from transforms.fetch.videos.downloads import fetch_videos
from transforms.fetch.videos.media_store import Stored
from transforms.fetch.videos.settings import VideoDownloadSettings
from transforms.flow.chunks import Chunk
from transforms.videos.settings import VideoAcceptSettings

pytestmark = [pytest.mark.server, pytest.mark.integration]


def test_nothing_to_fetch(tmp_path):
    assert list(fetch_videos([], str(tmp_path), VideoDownloadSettings())) == []
    assert os.listdir(tmp_path / "media") == []


def test_the_resolution_is_known_before_the_video_is_fetched(tmp_path, made):
    filler = (40_000_008).to_bytes(4, "big") + b"free" + bytes(40_000_000)
    index = made["late"].rindex(b"moov") - 4  # of this one it stands at the end: range requests find it, no others
    far = made["late"][:index] + filler + made["late"][index:]
    accept = VideoAcceptSettings(min_height=720)
    with serving() as server:
        server.files = {
            "/low.mp4": File(made["good"] + filler),
            "/far.mp4": File(far),
            "/far-no-ranges.mp4": File(far, ranges=False),
        }
        settings = settings_for(server, accept=accept, unknown_resolution="drop")
        urls = [server.url(path) for path in server.files]
        assert fetched(tmp_path, settings, *urls) == ["low_resolution", "low_resolution", "unknown_resolution"]
        for path in server.files:
            # of what the server wrote, 5 to 10 MB lie in the buffers of the connections that yt-dlp opened and left
            assert server.sent[path] < 32_000_000, path


def test_what_is_unknown_is_kept_if_so_configured_and_what_was_known_is_recorded(tmp_path, made):
    with serving() as server:
        server.files = {
            "/turned.mp4": File(made["turned"]),
            "/list.m3u8": playlist("/0.ts"),
            "/0.ts": File(made["list0"]),
        }
        settings = settings_for(server)
        turned, hls = fetched(tmp_path, settings, server.url("/turned.mp4"), server.url("/list.m3u8"))
    assert turned.origin["height"] == {"pixels": turned.info.height, "source": "file"}
    assert turned.info.rotation == 90
    assert "m3u8" in hls.origin["height"]["unknown"]
    assert hls.info.height == 240


def test_a_look_beforehand_never_costs_a_video_that_a_plain_request_fetches(tmp_path, made):
    good, text = made["good"], "text/html"
    looks = {
        "refused": File(status=416),
        "forbidden": File(status=403),
        "not allowed": File(status=405),
        "not known": File(status=501),
        "busy": File(status=503, headers={"Retry-After": "3600"}),
        "too many": File(status=429),
        "moved away": File(status=302, headers={"Location": "/gone"}),
        "a page": File(b"<html>no</html>", text, ranges=False),
        "other bytes": File(good[5:], status=206, headers={"Content-Range": "bytes 5-9/9"}, ranges=False),
        "zeros": File(bytes(len(good)), status=206, headers={"Content-Range": f"bytes 0-{len(good) - 1}/{len(good)}"},
                      ranges=False),
        "cut": File(good[:900], length=len(good), ranges=False),
        "stalls": File(good, stall_after=1000),
        "no gzip": File(good, headers={"Content-Encoding": "gzip"}, ranges=False),
    }  # fmt: skip
    refused = {
        "opted out": (File(good, headers={"X-Robots-Tag": "noai"}), "opted_out"),
        "inward": (File(status=302, headers={"Location": "http://127.0.0.1:1/"}), "blocked_address"),
    }
    with serving() as server:
        server.files = {f"/{n}.mp4": File(good, to_ranges=look) for n, look in enumerate(looks.values())}
        server.files |= {f"/r{n}.mp4": File(good, to_ranges=look) for n, (look, _) in enumerate(refused.values())}
        settings = settings_for(server, stall_timeout=2, downloads=8, per_host=8)
        found = fetched(tmp_path, settings, *map(server.url, server.files))
    for name, stored in zip(looks, found, strict=False):
        assert isinstance(stored, Stored), (name, stored)
        assert stored.sha256 == hashlib.sha256(good).hexdigest()
        assert stored.origin["height"].get("unknown"), name
    assert found[len(looks) :] == [code for _, code in refused.values()]


def test_odd_answers_are_read_as_browsers_read_them(tmp_path, made):
    good, packed = made["good"], gzip.compress(made["good"])
    odd = {
        "aws-chunked": (File(good, headers={"Content-Encoding": "aws-chunked"}), ""),
        "utf-8": (File(good, headers={"Content-Encoding": "UTF-8"}), ""),
        "gzip": (File(packed, headers={"Content-Encoding": "gzip"}, ranges=False), ""),
        "trailing": (File(packed + bytes(10), headers={"Content-Encoding": "gzip"}, ranges=False), ""),
        "no colon": (File(good, line=b"Warning foo in bar.php\r\n"), ""),
        "no colon, opted out": (File(good, line=b"Warning foo\r\n", headers={"X-Robots-Tag": "noai"}), "opted_out"),
        "cookie": (File(good, cookie=True), ""),
        "not a video, and large": (File(b"PK\3\4" + bytes(30_000_000), to_ranges=File(status=416)), "not_a_video"),
    }
    with serving() as server:
        server.files = {f"/{n}.mp4": file for n, (file, _) in enumerate(odd.values())}
        settings = settings_for(server, downloads=8, per_host=8)
        found = fetched(tmp_path, settings, *map(server.url, server.files))
        # of what it wrote, some lies in the buffers of connections that were left
        assert server.sent[f"/{len(odd) - 1}.mp4"] < 25_000_000
    codes = [result if isinstance(result, str) else "" for result in found]
    assert dict(zip(odd, codes, strict=True)) == {name: code for name, (_, code) in odd.items()}
    assert all(s.sha256 == hashlib.sha256(good).hexdigest() for s in found if isinstance(s, Stored))


def test_video_and_audio_in_two_files_are_put_together(tmp_path, made):
    """A DASH manifest of a site: two heights of silent video, and audio."""
    manifest = """<?xml version="1.0"?>
    <MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT2S"><Period>
    <AdaptationSet mimeType="video/mp4"><Representation id="low" codecs="avc1" width="160" height="120" bandwidth="1">
    <BaseURL>low.mp4</BaseURL></Representation><Representation id="high" codecs="avc1" width="320" height="240"
    bandwidth="2"><BaseURL>silent.mp4</BaseURL></Representation><Representation id="top" codecs="avc1" width="4000"
    height="3000" bandwidth="3"><BaseURL>top.mp4</BaseURL></Representation></AdaptationSet>
    <AdaptationSet mimeType="audio/mp4"><Representation id="sound" codecs="mp4a.40.2" bandwidth="1">
    <BaseURL>audio.m4a</BaseURL></Representation></AdaptationSet></Period></MPD>"""
    with serving() as server:
        server.files = {
            "/m.mpd": File(manifest.encode(), "application/dash+xml"),
            "/silent.mp4": File(made["silent"]),
            "/audio.m4a": File(made["audio"], "audio/mp4"),
        }
        settings = settings_for(server, max_height=480)
        (first,) = fetched(tmp_path / "a", settings, server.url("/m.mpd"))
        (second,) = fetched(tmp_path / "b", settings, server.url("/m.mpd"))
        (low,) = fetched(tmp_path / "c", settings_for(server, accept={"min_height": 300}, max_height=480),
                         server.url("/m.mpd"))  # fmt: skip
        assert server.requests["/low.mp4"] == 0
        assert server.requests["/top.mp4"] == 1  # the lowest that is high enough
    assert low == "http_404"
    assert (first.info.has_audio, first.info.height, first.info.frames) == (True, 240, 50)
    assert first.origin["height"] == {"pixels": 240, "source": "site"}
    assert [form["format_id"] for form in first.origin["formats"]] == ["high", "sound"]
    assert first.sha256 == second.sha256


def test_a_broken_transfer_is_gone_on_with(tmp_path, made):
    body = made["good"] + (1_000_008).to_bytes(4, "big") + b"free" + bytes(1_000_000)

    with serving() as server:
        server.files["/a.mp4"] = File(body, length=len(body), stall_after=len(body) // 2)
        settings = settings_for(server, stall_timeout=1, retries=3)
        results = fetch_videos(sources(server.url("/a.mp4")), str(tmp_path), settings)
        mending = threading.Thread(target=mend, args=(server, body, tmp_path / "media"))
        mending.start()
        ((_, stored),) = list(results)
        mending.join()
        assert any(asked.endswith("-") for asked in server.ranges["/a.mp4"])  # from what was there to the end
    assert Path(tmp_path, stored.media).read_bytes() == body


def test_a_transfer_is_not_gone_on_with_in_another_format(tmp_path, made):
    """Between two tries a site has changed what it offers."""

    def manifest(name):
        return File(
            f"""<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"
            mediaPresentationDuration="PT2S"><Period><AdaptationSet mimeType="video/mp4"><Representation id="{name}"
            codecs="avc1" width="320" height="240" bandwidth="1"><BaseURL>{name}.mp4</BaseURL></Representation>
            </AdaptationSet></Period></MPD>""".encode(),
            "application/dash+xml",
        )

    def change(media):
        wait_until(lambda: any(part.stat().st_size for part in media.glob(".*/0/part0*")))
        server.files["/m.mpd"] = manifest("new")

    old = made["good"] + (1_000_008).to_bytes(4, "big") + b"free" + bytes(1_000_000)
    with serving() as server:
        server.files = {
            "/m.mpd": manifest("old"),
            "/old.mp4": File(old, stall_after=len(made["good"]) // 2 + 500_000),
            "/new.mp4": File(made["late"] + old[len(made["good"]) :]),
        }
        changing = threading.Thread(target=change, args=(tmp_path / "media",))
        changing.start()
        (stored,) = fetched(tmp_path, settings_for(server, stall_timeout=1, retries=3), server.url("/m.mpd"))
        changing.join()
        assert Path(tmp_path, stored.media).read_bytes() == server.files["/new.mp4"].body


def test_all_tries_together_have_one_time(tmp_path, made):
    with serving() as server:
        server.files["/stall.mp4"] = File(made["good"], stall_after=1000)
        settings = settings_for(server, stall_timeout=0.5, total_timeout=3, retries=10, backoff=0)
        assert fetched(tmp_path, settings, server.url("/stall.mp4")) == ["timeout"]
        assert len(server.times.get("/stall.mp4", ())) <= 12  # each of the eleven tries would have asked twice or more


def mend(server, body, media):
    """Serve all of the file, once a try has written some of it."""
    wait_until(lambda: any(part.stat().st_size for part in media.glob(".*/0/part0*")))
    server.files["/a.mp4"] = File(body)


def test_a_proxy_is_asked_for_names_that_only_it_knows(tmp_path, made):
    with serving() as server:
        server.files["http://video.test/a.mp4"] = File(made["good"])
        settings = VideoDownloadSettings(proxy=server.url("/"), retries=0)
        found = fetched(tmp_path, settings, "http://video.test/a.mp4", "http://127.0.0.1/a.mp4")
    assert found[0].info.frames == 50
    assert found[1] == "blocked_address"


def test_cookies_are_sent_and_the_users_file_stays_as_it_is(tmp_path, made):
    cookies = tmp_path / "cookies.txt"
    cookies.write_text("# Netscape HTTP Cookie File\n127.0.0.1\tFALSE\t/\tFALSE\t4102444800\ttoken\tsecret\n")
    before = cookies.read_bytes()
    with serving() as server:
        server.files["/a.mp4"] = File(made["good"], headers={"Set-Cookie": "other=1"})
        (stored,) = fetched(tmp_path / "run", settings_for(server, cookies=str(cookies)), server.url("/a.mp4"))
        assert set(server.cookies["/a.mp4"]) == {"token=secret", "token=secret; other=1"}
        fetched(tmp_path / "run2", settings_for(server), server.url("/a.mp4"))
        assert server.cookies["/a.mp4"][-1] == "other=1"
    assert stored.info.frames == 50
    assert cookies.read_bytes() == before


def test_a_file_of_cookies_that_is_not_there_is_one_sentence(tmp_path):
    settings = VideoDownloadSettings(cookies=str(tmp_path / "none.txt"))
    with (
        pytest.raises(Exception, match=r"fetch.cookies: the worker has no file .*none.txt; put it there"),
        beam.Pipeline(runner=FnApiRunner()) as pipeline,
    ):
        _ = pipeline | beam.Create([Chunk("0", "manifest")]) | download_stage.DownloadVideos(str(tmp_path), settings)


def test_a_caller_that_stops_ends_the_downloads(tmp_path, made):
    with serving() as server:
        server.files = {"/a.mp4": File(made["good"]), "/hold.mp4": File(made["good"], hold=threading.Event())}
        urls = [server.url("/hold.mp4"), server.url("/a.mp4")]
        results = fetch_videos(sources(*urls), str(tmp_path), settings_for(server, stall_timeout=100))
        assert next(results)[0] == 1
        started = time.monotonic()
        results.close()
        assert time.monotonic() - started < 30  # the server holds its answer for a minute
    assert [name for name in os.listdir(tmp_path / "media") if name.startswith(".")] == []


def test_a_host_that_asks_for_a_pause_gets_it_from_all(tmp_path, made):
    """The second video of the host waits too; a wait above the longest one ends the tries."""
    with serving() as server:
        busy = File(made["good"], fails_first=1, headers={"Retry-After": "2"})
        server.files = {"/a.mp4": busy, "/b.mp4": File(made["good"])}
        settings = settings_for(server, retries=1, downloads=1)
        done = fetched(tmp_path, settings, server.url("/a.mp4"), server.url("/b.mp4"))
        assert all(isinstance(result, Stored) for result in done)
        assert server.times["/b.mp4"][0] - server.times["/a.mp4"][0] > 1.9
        server.files["/c.mp4"] = File(fails_first=9, headers={"Retry-After": "3600"})
        assert fetched(tmp_path, settings, server.url("/c.mp4")) == ["http_429"]
        assert server.requests["/c.mp4"] == 1


def test_paths_and_stores_only_where_they_are_allowed(tmp_path, made):
    inside, outside = tmp_path / "in", tmp_path / "out"
    for folder in (inside, outside):
        folder.mkdir()
        (folder / "a.mp4").write_bytes(made["good"])
        (folder / "a.gif").write_bytes(animation("GIF"))
    (inside / "link.mp4").symlink_to(outside / "a.mp4")
    os.mkfifo(inside / "pipe.mp4")
    bucket = new_folder()
    OBJECTS[f"{bucket}/a.mp4"] = made["good"]
    OBJECTS[f"{bucket}/html.mp4"] = b"<html>"
    cases = {
        str(inside / "a.mp4"): "",
        str(inside / "a.gif"): "",
        f"{bucket}/a.mp4": "",
        f"{bucket}/html.mp4": "not_a_video",
        f"{bucket}/missing.mp4": "no_file",
        str(inside / "missing.mp4"): "no_file",
        str(inside / "pipe.mp4"): "no_file",
        str(inside): "blocked_path",
        str(inside / "link.mp4"): "blocked_path",
        str(outside / "a.mp4"): "blocked_path",
        f"{inside}/../out/a.mp4": "bad_url",
        f"{inside}x/a.mp4": "blocked_path",
        "objects://other/a.mp4": "blocked_path",
        f"file://{inside}/a%2Emp4": "",
        "file:///etc/passwd": "blocked_path",
        "file://a.example/a.mp4": "blocked_path",
        "relative.mp4": "bad_url",
        "ftp://a.example/a.mp4": "blocked_path",
        "": "bad_url",
    }
    settings = VideoDownloadSettings(allow_paths=(str(inside), bucket))
    found = fetched(tmp_path / "run", settings, *cases)
    assert [result if isinstance(result, str) else "" for result in found] == list(cases.values())
    nowhere = fetched(tmp_path / "run2", VideoDownloadSettings(), str(inside / "a.mp4"), f"{bucket}/a.mp4")
    assert nowhere == ["blocked_path", "blocked_path"]


def test_a_path_that_is_too_large(tmp_path, made):
    (tmp_path / "a.mp4").write_bytes(made["good"])
    settings = VideoDownloadSettings(allow_paths=(str(tmp_path),), max_bytes=1000)
    assert fetched(tmp_path / "run", settings, str(tmp_path / "a.mp4")) == ["too_large"]
