"""Peak memory and speed of a bundle: synthetic tables of small images, the plan, then the files one after another.

python benchmarks/bundle_memory.py --records 1000000 --records-per-file 1000000
"""

import argparse
import hashlib
import resource
import tempfile
import time

import cv2
import numpy as np
import pyarrow as pa

from transforms.bundle.bundle_stage import write_statistics
from transforms.bundle.plan import file_name, write_index
from transforms.bundle.settings import BundleSettings
from transforms.bundle.write import write_file
from transforms.tables.rows import Body, Face, Identity
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import shard_path, write_shard

ROWS = 1000
IMAGES_PER_IDENTITY = 8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--records-per-file", type=int, default=100_000)
    parser.add_argument("--width", type=int, default=16, help="of the body crops, pixels; they are twice as high")
    parser.add_argument("--body-side", type=int, default=32)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    settings = BundleSettings(
        body_side=arguments.body_side, records_per_file=arguments.records_per_file, threads=arguments.threads
    )
    with tempfile.TemporaryDirectory() as run:
        start = time.perf_counter()
        for shard in range(-(-arguments.records // ROWS)):
            rows = min(ROWS, arguments.records - shard * ROWS)
            write_tables(run, shard, rows, arguments.width)
        _report("tables written", start, arguments.records)
        start = time.perf_counter()
        files = write_index(run, settings.records_per_file)
        _report("planned", start, arguments.records)
        start = time.perf_counter()
        summaries = [write_file(run, file_name(number), settings) for number in range(files)]
        _report(f"{files} files written", start, arguments.records)
        start = time.perf_counter()
        statistics = write_statistics(summaries, run)
        _report("statistics", start, arguments.records)
        assert statistics["images"] == arguments.records


def _report(what: str, start: float, records: int) -> None:
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{what}: {seconds:.1f} s, {records / seconds:,.0f} records/s, peak memory so far {peak:,.0f} MB", flush=True)


def write_tables(run: str, shard: int, rows: int, width: int) -> None:
    """One shard of bodies, faces and identities; equal images, so that they cost the benchmark little."""
    image_ids = [hashlib.sha256(f"{shard}/{row}".encode()).hexdigest()[:32] for row in range(rows)]
    height = 2 * width
    noise = np.random.default_rng(0).integers(0, 255, (height // 8, width // 8, 3), dtype=np.uint8)
    crop = cv2.imencode(".jpg", cv2.resize(noise, (width, height)))[1].tobytes()
    box = [0.0, 0.0, width, height]
    values = {
        "face_id": [f"{i}-b0-f0" for i in image_ids],
        "body_id": [f"{i}-b0" for i in image_ids],
        "image_id": image_ids,
        "crop": [crop] * rows,
        "identity": [(shard * ROWS + row) // IMAGES_PER_IDENTITY for row in range(rows)],
        "box": [box] * rows,
        "crop_box": [box] * rows,
        "keypoints": [[[1.0, 1.0, 0.9]] * 17] * rows,
        "label": [f"query {shard}"] * rows,
        "source": ["{}"] * rows,
        "reason": [""] * rows,
    }
    for table, row_type in (("bodies", Body), ("faces", Face), ("identities", Identity)):
        schema = arrow_schema(row_type)
        columns = [pa.array(values[f.name], f.type) if f.name in values else pa.nulls(rows, f.type) for f in schema]
        write_shard(shard_path(run, table, f"{shard:05d}"), pa.table(columns, [f.name for f in schema]))


if __name__ == "__main__":
    main()
