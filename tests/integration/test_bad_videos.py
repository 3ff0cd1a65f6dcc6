"""Every bad video of a list ends with its reason, in time, and the good and the odd ones come through both recipes."""

import csv
import gzip
import itertools
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from beam_pipelines.cli import main
from tests import videos
from tests.integration.runs import column
from tests.portraits import portrait
from tests.video_server import File, serving
from transforms.tables.ledger import read_ledger, tally

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

SIZE, COUNT = (160, 120), 20
SECONDS = 400  # for one run on a slow machine that others use too; alone it takes a tenth of it
HLS, HTML = "application/vnd.apple.mpegurl", "text/html"
HEADER_FIRST = {"movflags": "+faststart"}
QUICK = (
    "fetch.stall_timeout=4", "fetch.total_timeout=30", "fetch.retries=0", "fetch.max_backoff=1",
    "fetch.downloads=6", "fetch.per_host=6",
    "fetch.max_bytes=3000000", "fetch.accept={min_height: 0, max_pixels: 4000000, probe_seconds: 10}",
    "manifest.rows_per_shard=100", "max_failed_share=1",
)  # fmt: skip
RECIPES = {
    "face_generation": ("sampling.per_segment=2", "faces.min_sharpness=40", "identity.clusters.min_samples=2"),
    "face_clips": ("clips.lmdb=true", "clips.audio=true", "spans.min_samples=8"),
}
MADE = {"face_generation": "selection", "face_clips": "clips"}  # the table with what users get
KEPT = ""
PLAIN = videos.File()


@dataclass(frozen=True)
class Case:
    """A video of the list: how it is served, or its URL, and the reason that its download ends with."""

    reason: str
    file: File | None = None
    url: str | None = None
    name: str | None = None  # its id, if it is not the case's


def made(folder: Path, name: str, how: videos.File = PLAIN, size=SIZE, count=COUNT) -> bytes:
    return videos.write(folder / name, videos.number_frames(count, size), how).read_bytes()


def changed(data: bytes, box: bytes, at: int, value: bytes) -> bytes:
    """The file with other bytes `at` bytes behind a box's name."""
    start = data.index(box) + 4 + at
    return data[:start] + value + data[start + len(value) :]


def turned(data: bytes, degrees: float) -> bytes:
    """The MP4 with a display matrix of any angle."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    fixed = [int(value * 2**16) for value in (c, s, 0, -s, c)]
    return changed(data, b"tkhd", 40, struct.pack(">5i", *fixed))


def cover(folder: Path) -> bytes:
    """Sound with nothing beside it."""
    with av.open(str(folder / "sound.m4a"), "w", format="mp4") as out:
        stream = out.add_stream("aac", rate=8000, layout="mono")
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.float32), format="fltp", layout="mono")
        sound.sample_rate = 8000
        out.mux(stream.encode(sound))
        out.mux(stream.encode(None))
    return (folder / "sound.m4a").read_bytes()


def playlist(*segments: str) -> bytes:
    lines = "".join(f"#EXTINF:2.0,\n{segment}\n" for segment in segments)
    return f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n{lines}#EXT-X-ENDLIST\n".encode()


def good(folder: Path) -> bytes:
    frames = videos.pan(portrait("obama-1", (1280, 720), height=0.35), 24, (1280, 720), shift=(0.02, 0.0))
    return videos.write(folder / "good.mp4", frames, videos.File(tones=(videos.Tone(440, 0, 1),))).read_bytes()


def odd(folder: Path) -> dict[str, Case]:
    """Videos that are unlike others, and are used."""
    plain = made(folder, "plain.mp4")
    matrix = plain.index(b"tkhd") + 44
    files = {
        "one-frame": made(folder, "one.mp4", count=1),
        "odd-size": made(folder, "odd.mp4", videos.File(pixel_format="yuv444p"), (333, 187)),
        "thin": made(folder, "thin.mp4", size=(16, 240)),
        "grey": made(folder, "grey.mp4", videos.File(pixel_format="gray")),
        "ten-bits": made(folder, "ten.mp4", videos.File(pixel_format="yuv420p10le")),
        "rgb": made(folder, "rgb.mp4", videos.File("libx264rgb", pixel_format="rgb24")),
        "alpha": made(folder, "alpha.mov", videos.File("prores_ks", options={}, pixel_format="yuva444p10le")),
        "turned-90": made(folder, "turned.mp4", videos.File(rotation=90)),
        "turned-45": turned(plain, 45),
        "turned-nowhere": plain[:matrix] + bytes(36) + plain[matrix + 36 :],
        "grows": made(folder, "small.ts") + made(folder, "large.ts", size=(320, 240)),
    }
    return {name: Case(KEPT, File(data)) for name, data in files.items()}


def bad_files(folder: Path) -> dict[str, Case]:
    """What is no video, or a broken one."""
    plain, first = made(folder, "p.mp4"), made(folder, "first.mp4", videos.File(mux=HEADER_FIRST))
    media = plain.index(b"mdat") + 4
    zeros = plain[:media] + bytes(plain.index(b"moov") - 4 - media) + plain[plain.index(b"moov") - 4 :]
    locked = videos.File(
        mux={"encryption_scheme": "cenc-aes-ctr", "encryption_key": "ab" * 16, "encryption_kid": "cd" * 16}
    )
    jpeg = cv2.imencode(".jpg", np.zeros((64, 64, 3), np.uint8))[1].tobytes()
    files = {
        "truncated": (first[: len(first) * 2 // 3], "truncated_video"),
        "without-its-end": (plain[: len(plain) // 2], "truncated_video"),
        "audio": (cover(folder), "no_video_stream"),
        "zero-frames": (zeros, "no_frames"),
        "box-of-4-GB": (struct.pack(">I4sQ", 1, b"ftyp", 4 << 30) + first[8:], "broken_video"),
        "frames-without-end": (changed(first, b"stsz", 4, struct.pack(">II", 100, 10**9)), "no_frames"),
        "too-many-pixels": (made(folder, "wide.mp4", size=(4000, 1002), count=2), "too_many_pixels"),
        "encrypted": (made(folder, "locked.mp4", locked), "no_frames"),
        "unknown-codec": (made(folder, "f.mkv", videos.File("ffv1", options={})), "unknown_codec"),
        "html": (b"<!doctype html><title>no video</title>", "not_a_video"),
        "image": (jpeg, "not_a_video"),
        "noise": (np.random.default_rng(1).bytes(50_000), "not_a_video"),
        "one-byte": (b"\0", "not_a_video"),
        "empty": (b"", "not_a_video"),
        "m3u8": (playlist("/good", "file:///etc/passwd"), "playlist"),
        "ffconcat": (b"ffconcat version 1.0\nfile '/etc/passwd'\n", "playlist"),
        "sdp": (b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\nm=video 5004 RTP/AVP 96\r\n", "playlist"),
        "mpd": (b'<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"/>', "playlist"),
    }
    return {name: Case(reason, File(body)) for name, (body, reason) in files.items()}


def bad_answers(folder: Path, hidden: str) -> dict[str, Case]:
    """What a server may answer instead of a video; `hidden` is the URL of a file at an address that is not allowed."""
    first = made(folder, "first.mp4", videos.File(mux=HEADER_FIRST))
    bomb = gzip.compress(b"<html>" + bytes(50_000_000))
    answers = {  # the slow ones first, so that the others go on beside them
        "drips": (File(first, drip=0.2), "timeout"),
        "stalls": (File(first, stall_after=1000), "timeout"),
        "page": (File(b"<!doctype html><title>no video</title>", HTML), "not_a_video"),
        "page-of-private": (File(f'<video src="{hidden}"></video>'.encode(), HTML), "blocked_address"),
        "page-of-file": (File(b'<video src="file:///etc/passwd"></video>', HTML), "unsupported_site"),
        "bomb": (File(bomb, HTML, headers={"Content-Encoding": "gzip"}), "too_large"),
        "hls-file": (File(playlist("file:///etc/passwd"), HLS), "bad_url"),
        "hls-private": (File(playlist(hidden), HLS), "blocked_address"),
        "hls-data": (File(playlist("data:text/plain;base64,AAAA"), HLS), "not_a_video"),
        "to-private": (File(status=302, headers={"Location": hidden}), "blocked_address"),
        "to-mapped": (File(status=302, headers={"Location": "http://[::ffff:10.0.0.1]/a.mp4"}), "blocked_address"),
        "to-file": (File(status=302, headers={"Location": "file:///etc/passwd"}), "bad_url"),
        "to-itself": (File(status=302, headers={"Location": "/to-itself"}), "too_many_redirects"),
        "endless": (File(first + b"\0", endless=True), "too_large"),
        "announces-much": (File(first, length=10**12, ranges=False), "too_large"),
        "ends-early": (File(first[:2000], length=len(first), ranges=False), "bad_response"),
        "gone": (File(status=404), "http_404"),
        "busy": (File(status=503, headers={"Retry-After": "99999"}), "http_503"),
    }
    return {name: Case(reason, file) for name, (file, reason) in answers.items()}


def bad_urls(hidden: str) -> dict[str, Case]:
    """What is not asked for at all."""
    urls = {
        "private": ("http://10.0.0.1/a.mp4", "blocked_address"),
        "metadata": ("http://169.254.169.254/latest/meta-data/", "blocked_address"),
        "localhost": (hidden.replace("127.0.0.1", "localhost"), "blocked_address"),
        "ftp": ("ftp://127.0.0.1/a.mp4", "blocked_path"),
        "file-url": ("file:///etc/passwd", "blocked_path"),
        "path": ("/etc/passwd", "blocked_path"),
        "dots": ("gs://bucket/../a.mp4", "bad_url"),
        "search": ("ytsearch:videos", "bad_url"),
        "two-hosts": ("http://a@10.0.0.1/a.mp4", "bad_url"),
    }
    return {name: Case(reason, url=url) for name, (url, reason) in urls.items()}


def bad(folder: Path, hidden: str) -> dict[str, Case]:
    """What is no video, or none that may be had; the slow ones first, so that the others go on beside them."""
    return bad_answers(folder, hidden) | bad_files(folder) | bad_urls(hidden)


@dataclass(frozen=True)
class Site:
    """A server with all cases, and for each recipe the list of its own: the reason by video id."""

    allow: str
    manifests: dict[str, Path]
    expected: dict[str, dict[str, str]]


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("bad")
    with serving() as server, serving() as private:
        cases = {
            "good": Case(KEPT, File(good(folder))),
            "formula": Case(KEPT, File(made(folder, "f.mp4")), name="=cmd|' /C calc'!A0"),
            "traversal": Case(KEPT, File(made(folder, "t.mp4")), name="../../../etc/cron.d/x"),
            **bad(folder, private.url("/hidden.mp4")),
            **odd(folder),
        }
        server.files = {f"/{name}": case.file for name, case in cases.items() if case.file is not None}
        used = {name: case for name, case in cases.items() if case.reason == KEPT}
        lists = {"face_generation": cases, "face_clips": used}  # both recipes download alike: once is enough
        for recipe, some in lists.items():
            with (folder / f"{recipe}.csv").open("w", newline="") as out:
                writer = csv.writer(out)
                writer.writerow(["video_id", "url", "note"])
                for name, case in some.items():
                    writer.writerow([case.name or name, case.url or server.url(f"/{name}"), "=1+1"])
        yield Site(
            server.allow,
            {recipe: folder / f"{recipe}.csv" for recipe in lists},
            {recipe: {case.name or name: case.reason for name, case in some.items()} for recipe, some in lists.items()},
        )
        assert not private.requests


@pytest.mark.parametrize("recipe", RECIPES)
def test_each_ends_with_its_reason_and_the_good_one_comes_through(recipe, site, tmp_path):
    output = str(tmp_path / "run")
    settings = [f"fetch.allow_hosts=['{site.allow}']", *QUICK, *RECIPES[recipe]]
    words = itertools.chain.from_iterable(("--set", setting) for setting in settings)
    began = time.monotonic()
    assert main(["run", recipe, "--input", str(site.manifests[recipe]), "--output", output, *words]) == 0
    took = time.monotonic() - began
    found = {row["item_id"]: row for _, table in read_ledger(output, "download") for row in table.to_pylist()}
    expected = site.expected[recipe]
    ids = dict(zip(expected, column(output, "manifest", "video_id"), strict=True))
    wrong = {
        name: (found[ids[name]]["reason"], found[ids[name]]["detail"])
        for name, reason in expected.items()
        if found[ids[name]]["reason"] != reason
    }
    assert wrong == {}
    assert len(found) == len(expected)
    for stage in tally_of(output):
        assert "internal_error" not in tally(output, stage).by_reason, stage
    assert set(column(output, MADE[recipe], "video_id")) == {"good"}
    below = {path.relative_to(tmp_path).parts[0] for path in tmp_path.rglob("*")}
    assert below == {"run"}
    assert not list(Path(output).rglob(".*"))
    assert took < SECONDS


def tally_of(output: str) -> list[str]:
    """The stages that have a ledger."""
    return sorted(path.name for path in Path(output, "ledger").iterdir())
