"""The memory of the driver, `manyfaces run` itself, at several lengths of the manifest; its workers are processes.

    python -m benchmarks.driver [--cache DIR] [--rows N ...]

The job download on small files that nginx serves on this machine. The driver's share: reading and splitting the
manifest, listing chunks, submitting, following, proving the counts. Peaks are the kernel's (VmHWM), of the driver and
of its largest worker.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from benchmarks.download import PORT, make_files, start_nginx, write_urls
from benchmarks.results import report

ROWS = (1_000, 10_000, 100_000)


def peak(process: str) -> float:
    """The most memory that a process ever had resident, MB; 0 if it is gone."""
    with suppress(OSError):
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 1000
    return 0.0


def children(process: str) -> list[str]:
    """The processes that a process's threads have started."""
    with suppress(OSError):
        return [
            child for path in Path(f"/proc/{process}/task").glob("*/children") for child in path.read_text().split()
        ]
    return []


def measure(scratch: Path, files: Path, rows: int) -> list[str | float]:
    """A run of so many rows: seconds, peaks of the driver and of the largest worker, MB."""
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        urls = write_urls(Path(folder, "urls.txt"), "small", len(list((files / "small").iterdir())), rows)
        settings = {
            "jobs": "[[download]]",
            "manifest.columns": "{url: url}",
            "fetch.store": "{mode: no, verify: false}",
            "fetch.allow_hosts": f"['127.0.0.1:{PORT}']",
        }
        overrides = [word for key, value in settings.items() for word in ("--set", f"{key}={value}")]
        command = [sys.executable, "-m", "beam_pipelines.cli", "run", "webbody", f"--input={urls}"]
        processes = ["--direct_running_mode=multi_processing", "--direct_num_workers=2"]
        start = time.monotonic()
        driver = subprocess.Popen(
            [*command, f"--output={folder}/run", *overrides, *processes], stdout=subprocess.DEVNULL
        )
        own = worker = 0.0
        while driver.poll() is None:
            own = max(own, peak(str(driver.pid)))
            worker = max([worker, *map(peak, children(str(driver.pid)))])
            time.sleep(0.1)
        if driver.returncode:
            raise RuntimeError(f"the run of {rows} rows failed")
        return [f"{rows:,}", time.monotonic() - start, own, worker]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache/manyfaces-benchmarks")
    parser.add_argument("--rows", type=int, nargs="*", default=ROWS)
    options = parser.parse_args()
    files = options.cache / "files"
    make_files(files)
    with tempfile.TemporaryDirectory() as scratch:
        server = start_nginx(files, Path(scratch))
        try:
            rows = [measure(Path(scratch), files, count) for count in options.rows]
        finally:
            server.terminate()
            server.wait()
    report("driver", "the driver's memory", ["rows", "seconds", "driver, MB", "largest worker, MB"], rows)


if __name__ == "__main__":
    main()
