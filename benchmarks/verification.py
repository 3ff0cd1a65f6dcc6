"""Verification of a million generated pairs: seconds of the whole command, and the most memory that it has.

    python -m benchmarks.verification [--pairs 1000000] [--faces 200000]

The faces have 512 numbers each, float16, as an embedding model gives them, in persons of ten: a direction of the
person's own and noise. Half of the pairs are of one person.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa

from benchmarks.results import report
from transforms.tables.shards import shard_path, write_shard

SHARD, DIMENSION, PERSON = 20_000, 512, 10  # rows, numbers of a vector, faces of a person
NOISE = 2.2  # times the person's own direction, so that some pairs are decided wrongly


def write_run(run: str, faces: int) -> None:
    """A run with only the columns that are read: a picture, its face and its vector."""
    random = np.random.default_rng(0)
    centres = random.normal(size=(-(-faces // PERSON), DIMENSION))
    crop = cv2.imencode(".jpg", np.full((64, 64, 3), 128, np.uint8))[1].tobytes()
    for shard, first in enumerate(range(0, faces, SHARD)):
        number = np.arange(first, min(first + SHARD, faces))
        image = [f"i{one:07d}" for one in number]
        face = [f"{one}-b0-f0" for one in image]
        vectors = centres[number // PERSON] + NOISE * random.normal(size=(len(number), DIMENSION))
        box = pa.array([[0.0, 0.0, 64.0, 64.0]] * len(number), pa.list_(pa.float32(), 4))
        tables = {
            "manifest": {"image_id": image, "url": [f"https://pictures.example/{one}.jpg" for one in image]},
            "faces": {"face_id": face, "image_id": image, "box": box, "crop": [crop] * len(number)},
            "embeddings": {
                "face_id": face,
                "vector": pa.FixedSizeListArray.from_arrays(pa.array(vectors.astype(np.float16).ravel()), DIMENSION),
            },
        }
        for table, columns in tables.items():
            write_shard(shard_path(run, table, f"{shard:05d}"), pa.table(columns))


def write_pairs(path: Path, pairs: int, faces: int) -> None:
    """Pairs by file name, half of them of one person; a few are there twice."""
    random = np.random.default_rng(1)
    one, same = random.integers(0, faces, pairs), random.random(pairs) < 0.5
    beside = one // PERSON * PERSON + (one + random.integers(1, PERSON, pairs)) % PERSON
    other = np.where(
        same, np.minimum(beside, faces - 1), (one + random.integers(PERSON, faces - PERSON, pairs)) % faces
    )
    with path.open("w") as file:
        file.write("a,b,same\n")
        rows = zip(one.tolist(), other.tolist(), same.tolist(), strict=True)
        file.writelines(f"i{a:07d}.jpg,i{b:07d}.jpg,{int(kind)}\n" for a, b, kind in rows)


def main() -> None:
    """Generate, verify and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=1_000_000)
    parser.add_argument("--faces", type=int, default=200_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run, pairs = f"{folder}/run", Path(folder) / "pairs.csv"
        write_run(run, given.faces)
        write_pairs(pairs, given.pairs, given.faces)
        start = time.monotonic()
        command = [sys.executable, "-m", "beam_pipelines.cli", "verify", str(pairs), run]
        process = subprocess.Popen(command)
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.monotonic() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(process.returncode)
    columns = ["pairs", "faces", "seconds", "of them in work", "peak MB"]
    row = [f"{given.pairs:,}", f"{given.faces:,}", seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024]
    report("verification", "manyfaces verify", columns, [row])


if __name__ == "__main__":
    main()
