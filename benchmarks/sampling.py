"""What it costs to look at 90 frames of a ten-minute 720p H.264 video, and to decode all of it: seconds of CPU.

    python -m benchmarks.sampling [--minutes 10] [--rounds 3] [--cache DIR]

The videos are composed of photographs that are panned and zoomed under noise, with a cut every half minute, as x264
writes them by default (a key frame every 250 frames and at cuts), and with a key frame every 50. A minute is composed
and repeated; the files are kept in the cache folder. Reading 90 frames has the reading of all packets in it and the
conversion to RGB; decoding everything has neither. One thread.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import av
import cv2
import numpy as np

from benchmarks.results import report
from tests.videos import File, pan, photograph, write
from transforms.videos.container import open_video
from transforms.videos.index import decode_all
from transforms.videos.reader import VideoReader
from transforms.videos.sampling import SamplingSettings, sample

FPS = 25
NOISE = 12  # grey levels
SIZE = (1280, 720)
PHOTOGRAPHS = ("friends-1", "street-1")  # half a minute each
COMPOSED = 60  # seconds; longer videos repeat them
GROUPS = (250, 50)


def frames() -> Iterator[np.ndarray]:
    """The moving pictures of a minute."""
    noise = np.random.default_rng(0).integers(0, NOISE, (SIZE[1] + 64, SIZE[0] + 64, 3), np.uint8)
    count = COMPOSED * FPS // len(PHOTOGRAPHS)
    number = 0
    for name, shift in zip(PHOTOGRAPHS, ((0.3, 0.1), (-0.2, 0.2)), strict=True):
        for picture in pan(photograph(name), count, SIZE, shift, zoom=1.3):
            x, y = number * 37 % 64, number * 23 % 64
            yield cv2.add(picture, noise[y : y + SIZE[1], x : x + SIZE[0]])
            number += 1


def repeat(source: str, times: int, path: Path) -> None:
    """The video over and over as one file, packet by packet."""
    with av.open(source) as container, av.open(str(path), "w", format="mp4") as out:
        stream = container.streams.video[0]
        copy = out.add_stream_from_template(stream, opaque=True)
        packets = [packet for packet in container.demux(stream) if packet.size]
        length = round(COMPOSED / stream.time_base)
        for turn in range(times):
            for packet in packets:
                again = av.Packet(bytes(packet))
                again.pts, again.dts = packet.pts + turn * length, packet.dts + turn * length
                again.is_keyframe, again.time_base, again.stream = packet.is_keyframe, packet.time_base, copy
                out.mux(again)


def composed(folder: Path, minutes: int, group: int) -> str:
    """The video with a key frame at least every `group` frames, made if it is not there."""
    path = folder / f"photographs-{minutes}min-{group}.mp4"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as temporary:
            options = {"preset": "medium", "crf": "23", "g": str(group), "threads": "2"}
            minute = write(Path(temporary, "minute.mp4"), frames(), File(fps=FPS, options=options))
            repeat(str(minute), minutes * 60 // COMPOSED, Path(temporary, "all.mp4"))
            Path(temporary, "all.mp4").rename(path)
    return str(path)


def decode_everything(path: str) -> int:
    """Decode all frames; returns their number."""
    with open_video(path) as container:
        return sum(1 for _ in decode_all(container))


def read_samples(path: str, settings: SamplingSettings) -> int:
    """Open the video and read its samples; returns their number."""
    with VideoReader(path) as reader:
        numbers = [one.number for one in sample(settings, reader.times, None, costs=reader.costs)]
        return sum(1 for _ in reader.frames(numbers))


def measured(rounds: int, action: Callable[[], int]) -> tuple[float, int]:
    """The least CPU seconds of some rounds, and what the action returns."""
    best = float("inf")
    for _ in range(rounds):
        before = time.process_time()
        count = action()
        best = min(best, time.process_time() - before)
    return best, count


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache/manyfaces/benchmarks")
    options = parser.parse_args()
    rows: list[list[str | float]] = []
    for group in GROUPS:
        path = composed(options.cache, options.minutes, group)
        whole, count = measured(1, partial(decode_everything, path))
        rows.append([f"key frame every {group}: decode all", count, whole, 1.0])
        for name, near in (("at the stride", False), ("nearest to key frames", True)):
            settings = SamplingSettings(near_keys=near)
            some, count = measured(options.rounds, partial(read_samples, path, settings))
            rows.append([f"key frame every {group}: samples {name}", count, some, whole / some])
    report("sampling", f"{options.minutes} minutes of 1280 x 720", ["", "frames", "CPU s", "times less"], rows)


if __name__ == "__main__":
    main()
