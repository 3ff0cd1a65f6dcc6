"""How well and how fast objects are followed, beside supervision, trackers and ultralytics on the same detections.

    python -m benchmarks.tracking [--rounds 5] [--frames 100000]

Quality is TrackEval's, on composed sequences with exact truth. JUDGED are those that no default was chosen with;
MANYFACES_TEST_DATA adds PETS 2009 S2.L1, with the detections of YOLOX-nano and NanoDet. Peers run with their own
defaults and with ours. The time is that of a frame, rounds of all in turn; what is not installed is said and left out.
Memory is that of a sequence in which objects come and go.
"""

import argparse
import hashlib
import importlib.util
import os
import resource
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from benchmarks.moving_objects import Scene, Sequence, composed
from benchmarks.peer_trackers import ours, peers, theirs
from benchmarks.results import report
from benchmarks.track_scores import Result, read_truth, scores
from model_handlers.interface import Objects
from model_handlers.models import catalogue
from model_handlers.models.catalogue import Source
from model_handlers.models.loaded import load_model
from transforms.tracking.bytetrack import FrameObjects, follow
from transforms.tracking.tracker_settings import TrackerSettings
from transforms.videos.reader import VideoReader

# seed, objects, frames a second, the detector's median score
CHOSEN_ON = ((1, 8, 8, 0.75), (2, 12, 16, 0.8), (3, 20, 16, 0.7), (4, 14, 25, 0.75), (5, 25, 10, 0.8), (6, 12, 30, 0.6))
JUDGED = tuple((100 + seed, *rest) for seed, *rest in CHOSEN_ON)
PERSON = 0
# those of the recipe object_tracks, for NanoDet, whose scores the composed ones have
SETTINGS = TrackerSettings(high_score=0.3, new_score=0.3)
OF_DETECTORS = {"yolox-nano": TrackerSettings(), "nanodet-objects": SETTINGS}
LAST = 190  # frame of the real sequence with truth

Tracker = Callable[[Sequence], Result]


def scenes(numbers: tuple[tuple[int, int, float, float], ...]) -> list[Sequence]:
    """The composed sequences."""
    return [
        composed(Scene(seed, objects=objects, frame_rate=rate, detector=detector))
        for seed, objects, rate, detector in numbers
    ]


def all_trackers(settings: TrackerSettings) -> dict[str, Tracker]:
    """Ours and those of the peers that are installed, by name."""

    def peer(make: Callable[[float], Callable[[FrameObjects], tuple[np.ndarray, np.ndarray]]]) -> Tracker:
        return lambda sequence: theirs(sequence.frames, make(sequence.frame_rate))

    mine = {"manyfaces": lambda sequence: ours(sequence.frames, sequence.frame_rate, settings)}
    return mine | {name: peer(make) for name, make in peers(settings).items()}


def real(data: Path, model: str) -> Sequence:
    """The persons that a model of the catalogue finds in the labelled frames of S2.L1 and those between."""
    entry = catalogue.load().get(model)
    if model == "yolox-nano":
        file = data / "models/yolox_nano.onnx"
        source = Source(uri=str(file), sha256=hashlib.sha256(file.read_bytes()).hexdigest())
        entry = entry.model_copy(update={"sources": (source,)})
    loaded = load_model(entry)
    frames = []
    with VideoReader(str(data / "videos/vtest_pets09_s2l1.avi")) as reader:
        for _, pixels in reader.frames(range(LAST)):
            found: Objects = loaded(pixels)
            person = found.classes == PERSON
            frames.append(FrameObjects(found.boxes[person], found.scores[person]))
    truth = read_truth(data / "gt/vtest_pets09_s2l1_gt_every5.txt")
    return Sequence(f"S2.L1, {model}", frames, truth, 10)


def quality(heading: str, name: str, sequences: list[Sequence], trackers: dict[str, Tracker]) -> None:
    """A table: HOTA, IDF1, MOTA and switches of all sequences together."""
    rows: list[list[str | float]] = []
    for who, track in trackers.items():
        found = scores([each.truth for each in sequences], [track(each) for each in sequences])
        rows.append([who, found["HOTA"], found["IDF1"], found["MOTA"], f"{found['IDSW']:.0f}"])
    report(name, heading, ["", "HOTA", "IDF1", "MOTA", "switches"], rows)


def speed(rounds: int, trackers: dict[str, Tracker]) -> None:
    """Milliseconds a frame at 10 and 50 objects, the median of the rounds; all trackers in turn in each round."""
    rows: dict[str, list[str | float]] = {name: [name] for name in trackers if "our settings" not in name}
    for objects in (10, 50):
        sequence = composed(Scene(7, objects=objects, seconds=10))
        seconds: dict[str, list[float]] = {name: [] for name in rows}
        for _ in range(rounds):
            for name in rows:
                begin = time.perf_counter()
                trackers[name](sequence)
                seconds[name].append((time.perf_counter() - begin) / len(sequence.frames))
        for name, row in rows.items():
            row.append(1000 * statistics.median(seconds[name]))
    report("tracking_speed", "milliseconds a frame", ["", "10 objects", "50 objects"], list(rows.values()))


def memory(frames: int, settings: TrackerSettings) -> None:
    """The process's peak memory after a tenth of the frames and after all, while objects come and go."""
    rows: list[list[str | float]] = []
    for count in (frames // 10, frames):
        tracks = sum(1 for _ in follow(_endless(count), settings))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        rows.append([f"{count:,} frames", f"{tracks:,}", peak])
    report("tracking_memory", "peak memory, 10 objects at a time", ["", "tracks", "MiB"], rows)


def _endless(count: int) -> Iterator[FrameObjects]:
    """Ten objects that walk through the picture, each followed by another."""
    random = np.random.default_rng(1)
    for place in range(count):
        left = (place * np.linspace(4, 9, 10) + 130 * np.arange(10)) % 1400
        corners = np.stack([left, 70.0 * np.arange(10)], axis=1) + random.normal(0, 1, (10, 2))
        boxes = np.concatenate([corners, corners + np.array([30, 65])], axis=1)[left < 1280]
        yield FrameObjects(boxes.astype(np.float32), random.uniform(0.3, 0.9, len(boxes)).astype(np.float32))


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--frames", type=int, default=100_000)
    options = parser.parse_args()
    memory(options.frames, SETTINGS)
    trackers = all_trackers(SETTINGS)
    speed(options.rounds, trackers)
    if importlib.util.find_spec("trackeval") is None:
        print("benchmarks.tracking: TrackEval is not installed; no quality is told.")
        return
    quality("composed sequences with which defaults were chosen", "tracking_chosen_on", scenes(CHOSEN_ON), trackers)
    quality("composed sequences to judge by", "tracking_judged", scenes(JUDGED), trackers)
    data = os.environ.get("MANYFACES_TEST_DATA")
    for model, settings in OF_DETECTORS.items() if data else ():
        found = [real(Path(data or ""), model)]
        quality(f"S2.L1 by {model}", f"tracking_{model}", found, all_trackers(settings))


if __name__ == "__main__":
    main()
