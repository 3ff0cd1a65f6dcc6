"""Every method of clustering on generated face sets: agreement, time and memory, beside those of other libraries.

    pip install -r benchmarks/methods.txt
    OMP_NUM_THREADS=1 python -m benchmarks.methods 10000 [--sets fr-lfw ...] [--methods average ...] [--folder FOLDER]

The sets are those of `benchmarks.face_sets`. Each part is a process of its own, whose peak of memory is told: the
thresholds that are found without labels, the search for edges (k = 64), and each method. The best link is that with the
best pairwise F of 14 links, which only labels can tell; ours are told by the link of `auto` too, where the precision
stands beside what pictures say of it without a label (`identity.estimate`). Seconds are of CPU: of one
clustering at the link of `auto`, and of other libraries of the slowest.
"""

import argparse
import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.clusterers import OURS, PEERS
from benchmarks.face_sets import FOLDER, REPORTING, SETS, FaceSet, make
from benchmarks.method_parts import PICTURES, K
from benchmarks.results import report

METHODS = (*OURS, PICTURES, *PEERS)
LIBRARIES = {"leiden": "graspologic_native", "dlib whispers": "dlib", "Infomap": "infomap"}  # of benchmarks/methods.txt
MATRIX = {"scikit-learn HDBSCAN": 20_000, "scikit-learn average": 20_000}  # the most faces: they compute all distances
NO_LINK = ("scikit-learn HDBSCAN",)
COLUMNS = ["", "best link", "F", "BCubed F", "auto link", "F", "BCubed F", "precision", "estimated", "at least", "s"]


def main() -> None:
    """Measure every set that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("faces", type=int, nargs="*", default=[10_000])
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=METHODS)
    parser.add_argument("--seed", type=int, default=REPORTING)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    given = parser.parse_args()
    for count in given.faces:
        for name in given.sets:
            compare(name, make(name, count, given.seed, given.folder), given.methods)


def compare(name: str, faces: FaceSet, methods: list[str]) -> None:
    """Measure all parts of a set, and print its table."""
    count = len(faces.person)
    ready = {part: in_process(part, faces.home) for part in ("thresholds", "edges")}
    heading = f"{name}, {count:,} faces: "
    heading += ", ".join(f"{part} {told['seconds']:.1f} s and {told['GB']:.1f} GB" for part, told in ready.items())
    heading += f"; {ready['edges']['edges']:.1f} edges a face, k = {K}, recall {ready['edges']['recall']:.4f}"
    run = [method for method in methods if count <= MATRIX.get(method, count) and _is_there(method)]
    rows = [_row(part, in_process(part, faces.home)) for part in ("labels", *run)]
    report(f"methods-{name}-{count}", heading, [*COLUMNS, "GB"], rows)


def _is_there(method: str) -> bool:
    library = LIBRARIES.get(method)
    if library is None or find_spec(library):
        return True
    print(f"{method}: left out; it needs {library}: pip install -r benchmarks/methods.txt")
    return False


def in_process(part: str, home: Path) -> dict[str, Any]:
    """What a part tells. CalledProcessError if it fails, after what it wrote."""
    command = [sys.executable, "-m", "benchmarks.method_parts", part, str(home)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print(part, done.stdout.splitlines()[-1], flush=True)
    return told


def _row(part: str, told: dict[str, Any]) -> list[str | float]:
    found = [
        told["link"] if part not in NO_LINK else None,
        *told["best"],
        told.get("auto link"),
        *told.get("auto", (None, None)),
    ]
    found += [told.get(key) for key in ("precision", "estimated", "at least", "seconds", "GB")]
    return [part, *("" if figure is None else figure for figure in found)]


if __name__ == "__main__":
    main()
