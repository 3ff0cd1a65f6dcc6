"""What it costs to find the shots of a minute of 720p H.264 video, by detector: seconds of CPU on one thread.

    python -m benchmarks.shots [--rounds 3] [--cache DIR]

The video is the one of `benchmarks.sampling`, 1500 frames, with one cut. Decoding and scaling alone stand first; they
are part of what follows.
"""

import argparse
from functools import partial
from pathlib import Path

from benchmarks.results import report
from benchmarks.sampling import GROUPS, composed, measured
from model_handlers.models import catalogue
from model_handlers.models.roles import KnownModels
from transforms.videos.cuts import CONTENT_SIZE, NETWORK_SIZE, WindowScores
from transforms.videos.reader import VideoReader
from transforms.videos.shot_settings import ShotSettings
from transforms.videos.shots import detect_shots, frame_edges
from transforms.videos.shots_stage import network

DETECTORS = ("adaptive", "content", "transnetv2")


def decode(path: str, size: tuple[int, int]) -> int:
    """Decode and scale all frames; returns their number."""
    with VideoReader(path) as reader:
        return sum(1 for _ in reader.frames(range(len(reader)), size=size))


def shots(path: str, settings: ShotSettings, scores: WindowScores) -> int:
    """The number of shots."""
    with VideoReader(path) as reader:
        return len(detect_shots(reader, frame_edges(reader.times, reader.seconds), None, settings, scores))


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache/manyfaces/benchmarks")
    options = parser.parse_args()
    path = composed(options.cache, 1, GROUPS[0])
    scores = network(KnownModels(catalogue.load()).of(cuts="transnetv2"), 1)
    rows: list[list[str | float]] = []
    for width, height in (CONTENT_SIZE, NETWORK_SIZE):
        cpu, _ = measured(options.rounds, partial(decode, path, (width, height)))
        rows.append([f"decode and scale to {width} x {height}", "", cpu])
    for detector in DETECTORS:
        rounds = 1 if detector == "transnetv2" else options.rounds
        cpu, count = measured(rounds, partial(shots, path, ShotSettings(detector=detector), scores))
        rows.append([detector, str(count), cpu])
    report("shots", "a minute of 1280 x 720", ["", "shots", "CPU s"], rows)


if __name__ == "__main__":
    main()
