"""The same jobs on several engines, with one worker and with two: images a second, and what the second worker brings.

    python -m benchmarks.engines [--rounds 3] [--only ENGINE ...] [--parts PART ...] [--cache DIR]

A run is the command `manyfaces run`. The CPU part: the job download (fetch, decode, resize, encode) on photographs of
1 to 12 megapixels; inference: the job bodies + faces + embeddings on the demo's photographs; nginx on this machine
serves them. Start-up is taken out by running two sizes, the quickest run of each. One worker is one process on one
thread; two are two of them, or two task managers with one slot each. The efficiency t1 / (2 t2) is 1 where the second
worker doubles the rate; server, engine and workers share this machine's cores.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from beam_pipelines.demos.photographs import photographs
from benchmarks.download import PORT, make_files, start_nginx, write_urls
from benchmarks.results import report
from tests.engines import flink, prism
from tests.engines.fetch import Unavailable

CHUNK = 4  # images a chunk: two workers have many chunks each


@dataclass(frozen=True)
class Part:
    """What is measured: the jobs of a run, the stage whose job is timed, the served folder, the two sizes."""

    jobs: str
    stage: str
    files: str
    few: int
    many: int


PARTS = {
    "download": Part("[[download]]", "download", "photos", 50, 1_250),
    "inference": Part("[[download], [bodies, faces, embeddings]]", "bodies", "demo", 24, 96),
}


@contextmanager
def local(workers: int) -> Iterator[list[str]]:
    """The local runner with so many worker processes."""
    yield ["--direct_running_mode=multi_processing", f"--direct_num_workers={workers}"]


@contextmanager
def on_prism(workers: int) -> Iterator[list[str]]:
    """Prism, whose workers are threads of one process: there is no second."""
    if workers > 1:
        raise Unavailable("Prism has one worker process.")
    yield prism.arguments()


@contextmanager
def on_flink(workers: int) -> Iterator[list[str]]:
    """A cluster with so many task managers, a slot of each taken."""
    flink.require_java()
    with flink.flink_cluster(workers, slots=1) as cluster:
        yield cluster.arguments


ENGINES: dict[str, Callable[[int], contextmanager]] = {"local": local, "prism": on_prism, "flink": on_flink}


def write_demo(folder: Path) -> None:
    """The demo's photographs as files."""
    folder.mkdir(exist_ok=True)
    for number, (_, page) in enumerate(photographs()):
        (folder / f"{number}.jpg").write_bytes(page.body)


def seconds(scratch: Path, files: Path, part: Part, count: int, engine: list[str]) -> float:
    """How long the part's job took in a run of so many images, start-up included."""
    settings = {
        "jobs": part.jobs,
        "manifest.columns": "{url: url}",
        "manifest.rows_per_shard": CHUNK,
        "fetch.allow_hosts": f"['127.0.0.1:{PORT}']",
    }
    overrides = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        run = Path(folder, "run")
        urls = write_urls(Path(folder, "urls.txt"), part.files, len(list((files / part.files).iterdir())), count)
        command = [sys.executable, "-m", "beam_pipelines.cli", "run", "webbody", f"--input={urls}", f"--output={run}"]
        done = subprocess.run([*command, *overrides, *engine], check=False, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{engine} failed: {done.stderr[-2000:]}")
        return float(json.loads((run / "run.json").read_text())["stages"][part.stage]["seconds"])


def marginal(scratch: Path, files: Path, part: Part, engine: list[str], rounds: int) -> float:
    """Seconds for each image that the larger run has more, of the quickest run of each size."""
    few, many = (min(seconds(scratch, files, part, n, engine) for _ in range(rounds)) for n in (part.few, part.many))
    return (many - few) / (part.many - part.few)


def measure(scratch: Path, files: Path, engine: str, parts: Sequence[str], rounds: int) -> list[list[str | float]]:
    """A row for each part; dashes where the engine has no such number of workers, and no row if it is not here."""
    found: dict[tuple[str, int], float] = {}
    for workers in (1, 2):
        try:
            with ENGINES[engine](workers) as arguments:
                for name in parts:
                    found[name, workers] = marginal(scratch, files, PARTS[name], arguments, rounds)
        except Unavailable as why:
            print(f"{engine}, {workers}: left out: {why}", file=sys.stderr)
    rows: list[list[str | float]] = []
    for name in parts if found else ():
        one, two = found.get((name, 1)), found.get((name, 2))
        rates: list[str | float] = [1 / time if time else "-" for time in (one, two)]
        rows.append([engine, name, *rates, one / (2 * two) if one and two else "-"])
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache/manyfaces-benchmarks")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="*", choices=[*ENGINES], default=[*ENGINES])
    parser.add_argument("--parts", nargs="*", choices=[*PARTS], default=[*PARTS])
    options = parser.parse_args()
    files = options.cache / "files"
    make_files(files)
    write_demo(files / "demo")
    rows: list[list[str | float]] = []
    with tempfile.TemporaryDirectory() as scratch:
        server = start_nginx(files, Path(scratch))
        try:
            for engine in options.only:
                rows += measure(Path(scratch), files, engine, options.parts, options.rounds)
        finally:
            server.terminate()
            server.wait()
    columns = ["engine", "job", "1 worker, images/s", "2 workers, images/s", "efficiency"]
    report("engines", f"engines, {os.cpu_count()} cores", columns, rows)


if __name__ == "__main__":
    main()
