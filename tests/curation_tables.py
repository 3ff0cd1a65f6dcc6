"""Tables of generated tracks for the tests of curation: many, small, each with its class, video, score and feature."""

from dataclasses import replace

import numpy as np

from tests.track_rows import track
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import shard_path, write_rows
from transforms.tables.track_rows import Track


def tracks(count, videos=5, classes=4, dimension=8, seed=0, frames=5):
    """Tracks of some videos and classes (the first class has the most), each somewhere else, in generated order."""
    random = np.random.default_rng(seed)
    rows = []
    for number in range(count):
        video = int(random.integers(videos))
        name = f"class {min(int(random.geometric(0.5)) - 1, classes - 1)}"
        feature = random.normal(size=dimension)
        start = float(random.integers(0, 40)) / 4
        corner = random.uniform(0, 300, 2).round()
        speed = random.uniform(0, 40, 2)
        times = [start + 0.25 * step for step in range(frames)]
        boxes = [[*(corner + step * speed), *(corner + step * speed + 80)] for step in range(frames)]
        rows.append(
            replace(
                track(f"v{video}", number=number, frames=frames),
                class_name=name,
                class_score=float(np.float32(random.integers(1, 9) / 10)),
                top_names=[name, "other"],
                times=times,
                start=times[0],
                end=times[-1],
                boxes=np.array(boxes, np.float32),
                feature=(feature / np.linalg.norm(feature)).astype(np.float32) if dimension else None,
            )
        )
    return rows


def write_tracks(folder, rows, shards=3):
    """The rows as a table `tracks` of a run, every so-manieth in one shard."""
    for number in range(shards):
        write_rows(shard_path(str(folder), "tracks", f"{number:05d}"), rows[number::shards], arrow_schema(Track))
    return str(folder)
