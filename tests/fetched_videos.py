"""Small videos of every kind, pages and lists that name them, and what becomes of URLs that are fetched."""

import contextlib
import io
import socket
import threading
from pathlib import Path

import av
from PIL import Image

from tests.video_server import File
from tests.videos import File as Written
from tests.videos import Tone, number_frames, write
from transforms.fetch.videos.downloads import fetch_videos
from transforms.fetch.videos.settings import VideoDownloadSettings
from transforms.tables.reasons import Rejected
from transforms.tables.video_rows import ListedVideo

TONE = Tone(440, 0, 2)
HLS = "application/x-mpegurl"


def small_videos(folder: Path) -> dict[str, bytes]:
    """Files of one small video each: 50 frames of 320 x 240."""

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
    return [ListedVideo(f"v{number}", url, None, "{}", None) for number, url in enumerate(urls)]


def settings_for(server, **settings):
    plain = {"retries": 0, "stall_timeout": 10, "total_timeout": 300, "backoff": 0.1}  # enough on a busy machine
    return VideoDownloadSettings(allow_hosts=(server.allow,), **plain | settings)


def fetched(run, settings, *urls):
    """What became of each URL: a Stored, or the code of its reason."""
    results = dict(fetch_videos(sources(*urls), str(run), settings))
    assert sorted(results) == list(range(len(urls)))
    return [result.code if isinstance(result, Rejected) else result for _, result in sorted(results.items())]


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
