"""Time, memory and size of `manyfaces report` on a generated run of many identities.

python -m benchmarks.report_page --identities 100000

Tables are made of arrays; the crops of all faces are empty, so that pictures are drawn but hold nothing.
"""

import argparse
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from beam_pipelines.driver.record import write_record
from beam_pipelines.pages.report import write_report
from benchmarks.results import report
from transforms.tables.ledger import write_whole_ledger
from transforms.tables.rows import Identity
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import shard_path, write_shard
from transforms.tables.verdicts import verdict

FACES = 5.0  # of an identity, on average; a few have hundreds
NOISE = 0.3  # of all faces have no identity
_ROWS = 10_000  # of a shard


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--identities", type=int, default=100_000)
    identities = parser.parse_args().identities
    with tempfile.TemporaryDirectory() as run:
        faces = write_run(run, identities)
        with ProcessPoolExecutor(1, get_context("spawn")) as alone:
            measured = alone.submit(measure, run).result()
        heads = ("identities", "faces", "CPU seconds", "MB before", "peak MB", "page, MB")
        report("report_page", "manyfaces report", heads, [[f"{identities:,}", f"{faces:,}", *measured]])


def measure(run: str) -> tuple[float, float, float, float]:
    """CPU seconds of one report, the memory of the process before and at its peak, and the page's size, MB."""
    before, start = _peak(), time.process_time()
    size = write_report(run, f"{run}/report.html")
    return time.process_time() - start, before, _peak(), size / 1e6


def _peak() -> float:
    """MB; not of getrusage, which begins with what the parent had."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def write_run(run: str, identities: int, seed: int = 0) -> int:
    """Write a run of so many identities, its tables and ledger; returns the number of its faces."""
    rng = np.random.default_rng(seed)
    sizes = np.minimum(rng.zipf(2.0, identities) + rng.poisson(FACES - 3, identities) + 1, 1000)
    whose = np.repeat(np.arange(identities), sizes)
    whose = rng.permutation(np.concatenate([whose, np.full(int(len(whose) * NOISE), -1)]))
    near = np.where(whose < 0, np.nan, rng.beta(20, 4, len(whose))).astype(np.float32)
    for shard, start in enumerate(range(0, len(whose), _ROWS)):
        rows = np.arange(start, min(start + _ROWS, len(whose)))
        write_shard(shard_path(run, "faces", f"{shard:05d}"), _faces(rows, rng))
    reason = np.where(whose < 0, "noise", "")
    table = {
        "face_id": _names(np.arange(len(whose)), "-b0-f0"),
        "body_id": _names(np.arange(len(whose)), "-b0"),
        "image_id": _names(np.arange(len(whose)) // 2, ""),
        "label": pa.nulls(len(whose), pa.string()),
        "source": pa.array(["{}"] * len(whose)),
        "cluster": pa.nulls(len(whose), pa.string()),
        "identity": pa.array(whose, mask=whose < 0),
        "similarity": pa.array(near, mask=whose < 0),
        "reason": pa.array(reason),
    }
    made = pa.table(table).cast(arrow_schema(Identity))
    write_shard(shard_path(run, "identities", "00000"), made)
    write_whole_ledger(run, "identity", made["face_id"], lambda row, face: (verdict(face, str(reason[row])), 1))
    dropped = int((whose < 0).sum())
    write_record(run, _record(len(whose), dropped))
    return len(whose)


def _names(numbers: np.ndarray[Any, Any], ending: str) -> pa.Array:
    return pa.array([f"i{number:08d}{ending}" for number in numbers.tolist()])


def _faces(rows: np.ndarray[Any, Any], rng: np.random.Generator) -> pa.Table:
    """The columns of `faces` that a page reads."""
    columns: dict[str, Any] = {
        name: rng.normal(middle, width, len(rows)).astype(np.float32)
        for name, middle, width in (("yaw", 0, 20), ("pitch", 0, 12), ("sharpness", 200, 60))
    }
    columns["score"] = rng.beta(20, 3, len(rows)).astype(np.float32)
    crops = pa.array([b""] * len(rows), pa.binary())
    return pa.table({"face_id": _names(rows, "-b0-f0"), "crop": crops, **columns})


def _record(faces: int, dropped: int) -> dict[str, Any]:
    stage = {"kept": faces - dropped, "dropped": dropped, "failed": 0, "reasons": {"noise": dropped}}
    stages = {"identity": {**stage, "rows": faces, "seconds": 100.0}}
    return {"recipe": "webbody", "config": {"jobs": [["identity"]]}, "models": {}, "versions": {}, "stages": stages}


if __name__ == "__main__":
    main()
