"""Curation of a million generated tracks: seconds, and the most memory that all its processes have at a time.

    python -m benchmarks.curation [--tracks 1000000] [--compared 100000] [--cache DIR]

The tracks have short lists (6 frames), 1,203 classes in a long tail (Zipf) and as many videos as make 60 tracks each;
the criteria that compare features have fewer of them, with 128 numbers each in float32, in groups of near copies. Two
workers, threads of one process, as `manyfaces curate` runs on two cores. Memory is resident memory of the process and
all that it has started, looked at every tenth of a second; what shared pages they have counts for each.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

from benchmarks.results import report
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import shard_path, write_shard
from transforms.tables.track_rows import Track

SHARD, FRAMES, CLASSES, PER_VIDEO, DIMENSION, GROUP = 20_000, 6, 1203, 60, 128, 20
BIG = {
    "random": ["--criterion=random", "--num-samples=100000"],
    "video_balanced": ["--criterion=video_balanced", "--num-samples-per-video=3", "--num-samples=100000"],
    "class_balanced": ["--criterion=class_balanced", "--num-samples-per-class=500", "--num-samples=100000"],
    "max_motion": ["--criterion=max_motion", "--num-samples-per-class=100"],
}
COMPARED = {
    "class_balanced, distance and IoU": [
        "--criterion=class_balanced", "--num-samples-per-class=100", "--min-nn-dist=0.7", "--max-spt-iou=0.5",
    ],
    "min_redundancy": ["--criterion=min_redundancy", "--num-samples-per-class=100"],
    "min_redundancy, 2,000 swaps": ["--criterion=min_redundancy", "--num-samples-per-class=100", "--max-swaps=2000"],
}  # fmt: skip


def table(first: int, rows: int, tracks: int, dimension: int) -> pa.Table:
    """Some tracks of a run, the columns made at once."""
    random = np.random.default_rng(first)
    number = np.arange(first, first + rows)
    video = number * 7919 % max(1, tracks // PER_VIDEO)  # a video's tracks are spread over all shards
    kind = (random.zipf(1.3, rows) - 1) % CLASSES
    corner = random.uniform(0, 500, (rows, 1, 2)) + np.arange(FRAMES)[None, :, None] * random.uniform(
        0, 9, (rows, 1, 2)
    )
    boxes = np.concatenate([corner, corner + 90], axis=2).astype(np.float32).reshape(-1, 4)
    times = random.uniform(0, 60, (rows, 1)) + np.arange(FRAMES) / 4
    names = pa.array([f"class {one:04d}" for one in kind])
    lists = {
        "numbers": np.tile(np.arange(FRAMES), rows),
        "times": times.ravel(),
        **dict.fromkeys(("scores", "objectness", "frame_probabilities"), random.random(rows * FRAMES, np.float32)),
        "frame_classes": np.repeat(kind, FRAMES).astype(np.int32),
        "frame_names": np.repeat(names.to_numpy(zero_copy_only=False), FRAMES),
    }
    tops = ("top_means", "top_deviations", "top_weighted_means", "top_weighted_deviations")
    columns = {
        "track_id": [f"v{one:07d}-s0-t{row}" for one, row in zip(video, number, strict=True)],
        "shot_id": [f"v{one:07d}-s0" for one in video],
        "video_id": [f"v{one:07d}" for one in video],
        "class_name": names,
        "class_score": random.random(rows, np.float32),
        "boxes": lists_of(pa.FixedSizeListArray.from_arrays(pa.array(boxes.ravel()), 4), FRAMES),
        "top_names": lists_of(names, 1),
        "top_classes": lists_of(pa.array(kind.astype(np.int32)), 1),
        **{name: lists_of(pa.array(values), FRAMES) for name, values in lists.items()},
        **{name: lists_of(pa.array(random.random(rows, np.float32)), 1) for name in tops},
        **dict.fromkeys(("width", "height"), np.full(rows, 640, np.int32)),
        **dict.fromkeys(("first_frame", "last_frame"), number),
        **dict.fromkeys(("start", "end"), times[:, 0]),
        **dict.fromkeys(("source", "media"), pa.array(["{}"] * rows)),
    }
    if dimension:
        centres = np.random.default_rng(1).normal(size=(tracks // GROUP + 1, dimension))
        vectors = centres[number // GROUP] + 0.3 * random.normal(size=(rows, dimension))
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        columns["feature"] = lists_of(pa.array(vectors.astype(np.float32).ravel()), dimension)
    schema = arrow_schema(Track)
    return pa.table(
        [pa.array(columns[f.name], f.type) if f.name in columns else pa.nulls(rows, f.type) for f in schema],
        schema=schema,
    )


def lists_of(values: pa.Array, length: int) -> pa.Array:
    """The values as lists of this length."""
    return pa.ListArray.from_arrays(pa.array(np.arange(0, len(values) + 1, length, dtype=np.int32)), values)


def generated(folder: Path, tracks: int, dimension: int) -> str:
    """A run with so many tracks, made if it is not there."""
    run = folder / f"tracks-{tracks}-{dimension}"
    if not (run / "whole").exists():
        for shard, first in enumerate(range(0, tracks, SHARD)):
            rows = table(first, min(SHARD, tracks - first), tracks, dimension)
            write_shard(shard_path(str(run), "tracks", f"{shard:05d}"), rows)
        (run / "whole").touch()
    return str(run)


def resident(process: int) -> int:
    """Bytes of resident memory of a process and of all that it has started."""
    try:
        own = int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        children = [
            int(child)
            for path in Path(f"/proc/{process}/task").glob("*/children")
            for child in path.read_text().split()
        ]
    except OSError:  # it has just ended
        return 0
    return own + sum(map(resident, children))


def measured(run: str, options: list[str]) -> tuple[float, float]:
    """Seconds and MB of one curation by the command."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "beam_pipelines.cli", "curate", run, "--output", f"{folder}/subset", *options]
        start, most = time.monotonic(), 0
        with subprocess.Popen([*command, "--direct_num_workers=2"], stdout=subprocess.DEVNULL) as process:
            while process.poll() is None:
                most = max(most, resident(process.pid))
                time.sleep(0.1)
        if process.returncode:
            raise SystemExit(f"{' '.join(command)}: it ended with {process.returncode}")
        return time.monotonic() - start, most / 2**20


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tracks", type=int, default=1_000_000)
    parser.add_argument("--compared", type=int, default=100_000, help="tracks with features")
    parser.add_argument("--only", help="criteria whose names have this in them")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache/manyfaces/benchmarks")
    options = parser.parse_args()
    rows: list[list[str | float]] = []
    for tracks, dimension, cases in ((options.tracks, 0, BIG), (options.compared, DIMENSION, COMPARED)):
        for name, words in cases.items():
            if not options.only or options.only in name:
                run = generated(options.cache, tracks, dimension)
                rows.append([name, tracks, *measured(run, words)])
                print(*rows[-1], flush=True)
    report("curation", "curation of generated tracks", ["", "tracks", "seconds", "MB"], rows)


if __name__ == "__main__":
    main()
