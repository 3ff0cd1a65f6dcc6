"""How soon the command line answers and works: `--help`, and a run of ten photographs step by step, on a warm cache.

    python -m benchmarks.start [ROUNDS]

Each round is a process of its own; of each step the quickest round is told, since other programs only add to it.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.results import report

_ITEMS = 10
_STEPS = (
    "Python and the command line",
    "Beam and manyfaces imported",
    "configuration read",
    "list and jobs checked",
    "models verified and tried",
    "folder and manifest written",
    "the run itself",
)


def of_help() -> float:
    """Seconds that `manyfaces --help` takes."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-m", "beam_pipelines.cli", "--help"], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def of_run(manifest: str, host: str, rounds: int) -> dict[str, tuple[float, float]]:
    """Of each step of a run the seconds from the start of the process to its end, and the seconds of a core so far."""
    found = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "benchmarks.start", "child", str(time.time()), manifest, folder, host]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            found.append(json.loads(done.stdout))
    return {step: (min(one[step][0] for one in found), min(one[step][1] for one in found)) for step in found[0]}


def child(start: str, manifest: str, folder: str, host: str) -> None:
    """Run the recipe webbody, and print as JSON when each step ended, in seconds since `start`."""
    ended: dict[str, tuple[float, float]] = {}

    def mark(step: str) -> None:
        ended.setdefault(step, (time.time() - float(start), time.process_time()))

    from beam_pipelines import cli

    mark(_STEPS[0])
    from beam_pipelines import api
    from beam_pipelines.driver import run

    mark(_STEPS[1])
    for module, name, step in ((api, "order", 2), (api, "check", 3), (api.models, "make_ready", 4)):
        setattr(module, name, _marked(getattr(module, name), lambda step=step: mark(_STEPS[step])))
    do_job = run.do_job
    run.do_job = lambda *given: (mark(_STEPS[5]), do_job(*given))[1]
    words = ["run", "webbody", "--input", manifest, "--output", f"{folder}/run"]
    with redirect_stdout(sys.stderr):
        code = cli.main([*words, "--set", f"fetch.allow_hosts=['{host}']"])
    mark(_STEPS[6])
    print(json.dumps(ended))
    sys.exit(code)


def _marked(function: Callable[..., Any], mark: Callable[[], None]) -> Callable[..., Any]:
    def call(*given: Any) -> Any:
        result = function(*given)
        mark()
        return result

    return call


def main() -> None:
    """Measure and print."""
    if sys.argv[1:2] == ["child"]:
        child(*sys.argv[2:])
        return
    from beam_pipelines.demos.photographs import photographs, serve, write_manifest

    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    pairs = list(islice(photographs(), _ITEMS))
    with serve({row.path: page for row, page in pairs}) as port, tempfile.TemporaryDirectory() as folder:
        manifest = write_manifest([row for row, _ in pairs], port, Path(folder))
        steps = of_run(str(manifest), f"127.0.0.1:{port}", rounds)
    rows: list[list[str | float]] = [[step, seconds, cpu] for step, (seconds, cpu) in steps.items()]
    rows.append(["manyfaces --help, all of it", min(of_help() for _ in range(rounds)), ""])
    heading = f"a run of {_ITEMS} photographs: when each step has ended"
    report("start", heading, ["step", "s since the start", "s of a core"], rows)


if __name__ == "__main__":
    main()
