"""Videos are fetched by the real yt-dlp from a real server, good ones and bad ones, each to its own end."""

import contextlib
import gzip
import hashlib
import io
import json
import os
import socket
import threading
import time
from dataclasses import asdict
from pathlib import Path

import apache_beam as beam
import av
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.testing.util import assert_that
from PIL import Image

from tests.fault_server import JPEG
from tests.object_store import OBJECTS, new_folder
from tests.video_server import File, serving, wait_until
from tests.videos import File as Written
from tests.videos import Tone, number_frames, write
from transforms.fetch import media_store, videos
from transforms.fetch.media_store import Stored
from transforms.fetch.video_downloads import download_videos
from transforms.fetch.video_manifest import split_videos
from transforms.fetch.video_settings import VideoDownloadSettings, VideoManifestSettings
from transforms.media.library import local_file
from transforms.media.video import VideoInfo
from transforms.media.video_settings import VideoAcceptSettings
from transforms.tables.chunks import Chunk
from transforms.tables.reasons import Rejected
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import shard_names, to_table
from transforms.tables.video_schemas import Video, VideoSource

pytestmark = [pytest.mark.server, pytest.mark.integration]
TONE = Tone(440, 0, 2)
HLS = "application/x-mpegurl"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Files of one small video each: 50 frames of 320 x 240."""
    folder = tmp_path_factory.mktemp("videos")

    def video(name, how):
        return write(folder / name, number_frames(50, first=0), how).read_bytes()

    segmented = Written(options={"preset": "ultrafast", "g": "25"}, mux={"hls_time": "1", "hls_playlist_type": "vod"})
    video("sound.mp4", Written(tones=(TONE,)))
    with av.open(str(folder / "sound.mp4")) as both, av.open(str(folder / "audio.m4a"), "w", format="mp4") as out:
        source = both.streams.best("audio")
        target = out.add_stream_from_template(source)
        for packet in both.demux(source):
            if packet.dts is not None:
                packet.stream = target
                out.mux(packet)
    return {
        "good": video("good.mp4", Written(tones=(TONE,), mux={"movflags": "+faststart"})),
        "late": video("late.mp4", Written()),  # its index is at its end
        "silent": video("silent.mp4", Written()),
        "audio": (folder / "audio.m4a").read_bytes(),
        "turned": video("turned.mp4", Written(rotation=90)),
        "list": video("list.m3u8", segmented),
        "list0": (folder / "list0.ts").read_bytes(),
        "list1": (folder / "list1.ts").read_bytes(),
    }


@contextlib.contextmanager
def canary():
    """A port of 127.0.0.1 at which no one is to knock; gives the port and the list of visits."""
    visits: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def listen():
            with contextlib.suppress(OSError):
                while True:
                    listener.accept()[0].close()
                    visits.append(1)

        threading.Thread(target=listen, daemon=True).start()
        yield listener.getsockname()[1], visits


def sources(*urls):
    return [VideoSource(f"v{number}", url, None, "{}", None) for number, url in enumerate(urls)]


def settings_for(server, **settings):
    plain = {"retries": 0, "stall_timeout": 10, "total_timeout": 300, "backoff": 0.1}  # enough on a busy machine
    return VideoDownloadSettings(allow_hosts=(server.allow,), **plain | settings)


def fetched(run, settings, *urls):
    """What became of each URL: a Stored, or the code of its reason."""
    results = dict(download_videos(sources(*urls), str(run), settings))
    assert sorted(results) == list(range(len(urls)))
    return [result.code if isinstance(result, Rejected) else result for _, result in sorted(results.items())]


def test_nothing_to_fetch(tmp_path):
    assert list(download_videos([], str(tmp_path), VideoDownloadSettings())) == []
    assert os.listdir(tmp_path / "media") == []


def playlist(*segments):
    lines = "".join(f"#EXTINF:2.0,\n{segment}\n" for segment in segments)
    return File(f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n{lines}#EXT-X-ENDLIST\n".encode(), HLS)


def animation(kind, count=6):
    frames = [Image.new("RGB", (320, 240), (20 * number, 0, 0)) for number in range(count)]
    out = io.BytesIO()
    frames[0].save(out, kind, save_all=True, append_images=frames[1:], duration=100)
    return out.getvalue()


def page(*videos):
    tags = "".join(f'<video src="{video}"></video>' for video in videos)
    return File(f"<!doctype html><html><head><title>x</title></head><body>{tags}</body></html>".encode(), "text/html")


def test_a_pipeline_accounts_for_every_video(tmp_path, made):
    """Through the manifest, Beam and yt-dlp: what is good is kept, and each fault ends with its own reason."""
    good = made["good"]
    run = str(tmp_path / "run")
    with serving() as server, canary() as (port, visits):
        hidden = f"http://127.0.0.1:{port}/hidden.mp4"
        bomb = File(gzip.compress(b"<html>" + bytes(50_000_000)), "text/html", headers={"Content-Encoding": "gzip"})
        locked = playlist("list0.ts")
        locked.body = locked.body.replace(b"#EXTINF", b'#EXT-X-KEY:METHOD=SAMPLE-AES,URI="/key"\n#EXTINF', 1)
        cases = {
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
        server.files = {path: file for path, (file, _) in cases.items()}
        server.files |= {f"/hls/{name}.ts": File(made[name]) for name in ("list0", "list1")}
        manifest = tmp_path / "m.csv"
        manifest.write_text("id,url\n" + "".join(f"{n},{server.url(path)}\n" for n, path in enumerate(cases)))
        split_videos(str(manifest), run, VideoManifestSettings(columns={"id": "id"}, rows_per_shard=20))
        chunks = [Chunk(name, "manifest") for name in shard_names(run, "manifest")]
        assert len(chunks) == 2
        expected = {str(number): reason for number, (_, reason) in enumerate(cases.values())}

        def check(outcomes):
            found = {o.verdict.item_id: (o.verdict.reason, o.verdict.detail) for o in outcomes}
            wrong = {path: found[str(n)] for n, path in enumerate(cases) if found[str(n)][0] != expected[str(n)]}
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
            assert_that(pipeline | beam.Create(chunks) | videos.DownloadVideos(run, settings), check)
        assert not visits
        first, second, *_ = server.times["/slow-down.mp4"]
        assert second - first >= 1
        assert not [name for name in os.listdir(os.path.join(run, "media")) if name.startswith(".")]
        assert server.agents["/good.mp4"] == "manyfaces/0.1"


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


def test_a_finished_download_is_not_repeated(folder, made):
    """On every kind of storage, as long as its file is whole, whatever else of the settings changes."""
    with serving() as server:
        server.files["/a.mp4"] = File(made["good"])
        url = server.url("/a.mp4")
        (first,) = fetched(folder, settings_for(server), url)
        asked = server.requests["/a.mp4"]
        (again,) = fetched(folder, settings_for(server, per_host=1), url)
        assert (again.media, again.origin, again.info) == (first.media, first.origin, first.info)
        assert fetched(folder, settings_for(server, accept={"min_height": 300}), url) == ["low_resolution"]
        (wider,) = fetched(folder, settings_for(server, accept={"max_seconds": 60}), url)
        assert wider.accepted_by["accept"]["max_seconds"] == 60
        assert server.requests["/a.mp4"] == asked
        with local_file(folder, first.media) as path:
            assert Path(path).read_bytes() == made["good"]
        fetched(folder, settings_for(server, max_height=480), url)
        assert server.requests["/a.mp4"] > asked


def test_a_damaged_download_is_repeated(tmp_path, made):
    with serving() as server:
        server.files = {"/a.mp4": File(made["good"]), "/b.mp4": File(made["good"])}
        urls = [server.url("/a.mp4"), server.url("/b.mp4")]
        first, second = fetched(tmp_path, settings_for(server), *urls)
        Path(tmp_path, first.media).write_bytes(b"short")
        Path(tmp_path, "media", second.media.split("/")[1], "v1.json").write_text('{"media": 3')
        again, other = fetched(tmp_path, settings_for(server), *urls)
        assert Path(tmp_path, again.media).read_bytes() == made["good"]
        assert other.sha256 == again.sha256


INFO = VideoInfo("mov", "h264", 320, 240, 0, 50, 2.0, 25.0, True)
STORED = asdict(Stored("media/ca/a.mp4", 5, "", INFO, {}, {"url": "u"}, {}))


@pytest.mark.parametrize(
    "record",
    [
        [STORED],
        STORED | {"bytes": "5"},
        STORED | {"info": {}},
        STORED | {"info": asdict(INFO) | {"width": "320"}},
        STORED | {"origin": []},
        STORED | {"sha256": None},
        STORED | {"made_by": {}},
        STORED | {"media": "../a.mp4"},
    ],
)
def test_a_record_that_says_other_things_than_a_record_does_is_none(tmp_path, record):
    """It may come from elsewhere with its run."""
    path = tmp_path / "media" / "ca" / "a.json"
    path.parent.mkdir(parents=True)
    (path.parent / "a.mp4").write_bytes(b"whole")
    path.write_text(json.dumps(STORED))
    assert media_store.find(str(tmp_path), "a", {"url": "u"}).info == INFO
    path.write_text(json.dumps(record))
    assert media_store.find(str(tmp_path), "a", {"url": "u"}) is None


def test_a_broken_transfer_is_gone_on_with(tmp_path, made):
    body = made["good"] + (1_000_008).to_bytes(4, "big") + b"free" + bytes(1_000_000)

    with serving() as server:
        server.files["/a.mp4"] = File(body, length=len(body), stall_after=len(body) // 2)
        settings = settings_for(server, stall_timeout=1, retries=3)
        results = download_videos(sources(server.url("/a.mp4")), str(tmp_path), settings)
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
        _ = pipeline | beam.Create([Chunk("0", "manifest")]) | videos.DownloadVideos(str(tmp_path), settings)


def test_a_caller_that_stops_ends_the_downloads(tmp_path, made):
    with serving() as server:
        server.files = {"/a.mp4": File(made["good"]), "/hold.mp4": File(made["good"], hold=threading.Event())}
        urls = [server.url("/hold.mp4"), server.url("/a.mp4")]
        results = download_videos(sources(*urls), str(tmp_path), settings_for(server, stall_timeout=100))
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
        "file:///etc/passwd": "bad_url",
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


def test_the_row_of_a_video(tmp_path, made):
    (tmp_path / "a.mp4").write_bytes(made["good"])
    source = VideoSource("id", str(tmp_path / "a.mp4"), "cat", '{"x": 1}', [[0.5, 1.0]])
    settings = VideoDownloadSettings(allow_paths=(str(tmp_path),))
    ((_, stored),) = download_videos([source], str(tmp_path / "run"), settings)
    row = videos.video_row(source, stored)
    assert (row.video_id, row.label, row.source, row.spans) == ("id", "cat", '{"x": 1}', [[0.5, 1.0]])
    assert (row.frames, row.fps, row.has_audio) == (50, pytest.approx(25), True)
    assert json.loads(row.origin) == {}
    to_table([row], arrow_schema(Video)).validate(full=True)
