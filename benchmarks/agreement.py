"""How long all measures of agreement take for millions of faces, exactly, and what they hold in memory.

    python -m benchmarks.agreement

Five million faces of a hundred thousand people, as many for each as a log-normal distribution gives, found with one
face in ten in a wrong group and one in ten in none; and the hardest case there is for the adjusted mutual information:
as many groups of different sizes on both sides as five million faces can have.
"""

import resource
import sys
import time

import numpy as np
from numpy.typing import NDArray

from benchmarks.results import report
from transforms.evaluation.agreement import measure

FACES, PEOPLE = 5_000_000, 100_000
_PEAK = 2**20 if sys.platform == "darwin" else 2**10  # what ru_maxrss counts in, to MB

I64 = NDArray[np.int64]


def usual(random: np.random.Generator) -> tuple[I64, I64]:
    """Truth and groups found, of sizes as collections have them."""
    weights = random.lognormal(0, 1, PEOPLE)
    truth = random.choice(PEOPLE, FACES, p=weights / weights.sum())
    chance = random.random(FACES)
    found = np.where(chance < 0.1, random.integers(0, PEOPLE, FACES), truth)
    return truth, np.where(chance > 0.9, -1, found)


def hardest(random: np.random.Generator) -> tuple[I64, I64]:
    """Groups of 1, 2, 3 and so on faces on both sides, in another order on each."""
    truth = np.repeat(np.arange(4000), np.arange(1, 4001))[:FACES]
    return random.permutation(truth), random.permutation(truth)


def main() -> None:
    """Measure and print."""
    random = np.random.default_rng(0)
    rows: list[list[str | float]] = []
    for name, make in (("usual sizes", usual), ("all sizes different", hardest)):
        truth, found = make(random)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        begin = time.perf_counter()
        result = measure(truth, found)
        seconds = time.perf_counter() - begin
        peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / _PEAK
        told = result.information
        rows.append([name, seconds, peak, result.pairwise.f1, result.bcubed.f1, told.nmi, told.ami, result.ari])
    heading = f"agreement: all measures of {FACES:,} faces"
    report("agreement", heading, ["", "seconds", "MB more", "pairs F", "BCubed F", "NMI", "AMI", "ARI"], rows)


if __name__ == "__main__":
    main()
