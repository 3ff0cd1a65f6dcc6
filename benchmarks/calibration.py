"""How near links found without labels come to the best there are, on vectors of generated people.

    python -m benchmarks.calibration [--seed 21]

The vectors (`benchmarks.face_vectors`) have similarities as those of the catalogue's models and of an ArcFace.
"""

import argparse
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.face_vectors import KINDS, Kind, draw_faces, draw_people
from benchmarks.results import report
from transforms.evaluation.agreement import measure
from transforms.identity.calibration import Calibration, calibrate
from transforms.identity.knn import F32, I64
from transforms.identity.pair_counts import count_pairs

FACES = (100, 519, 2000)
SIZES = ("tens", "fives", "power law", "alone")


def sizes(name: str, faces: int, random: np.random.Generator) -> npt.NDArray[np.int64]:
    """How many faces each person has."""
    if name == "power law":
        drawn = np.minimum(random.pareto(1.1, faces) + 1, faces / 8).astype(np.int64)
        return drawn[: np.searchsorted(np.cumsum(drawn), faces) + 1]
    if name == "alone":  # six of ten faces
        return np.r_[np.ones(int(faces * 0.6), np.int64), np.full(int(faces * 0.4) // 8, 8)]
    each = {"tens": 10, "fives": 5}[name]
    return np.full(faces // each, each)


def generate(kind: Kind, each: npt.NDArray[np.int64], random: np.random.Generator) -> tuple[F32, I64]:
    """Unit vectors (N,D) and the person (N,) of each."""
    people = draw_people(kind, len(each), random)
    person = random.permutation(np.repeat(np.arange(len(each)), each))
    return draw_faces(kind, people, person, random)[0], person


def compare(units: F32, person: I64, found: Calibration, method: str) -> tuple[float, float, float, float]:
    """The best pairwise F of all links and its link, then F and precision of the one that was found."""
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    distance = (1 - units @ units.T).clip(0).astype(np.float64)
    np.fill_diagonal(distance, 0)
    tree = linkage(squareform((distance + distance.T) / 2, checks=False), method)

    def judged(link: float) -> Any:
        return measure(person, fcluster(tree, 1 - link, "distance").astype(np.int64)).pairwise

    wide = found.kinds.same_mean - found.kinds.middle
    links = np.linspace(found.kinds.middle, found.kinds.same_mean + wide / 3, 81)
    scores = [judged(link).f1 for link in links[links < 1]]
    taken = judged(found.link)
    return max(scores), float(links[int(np.argmax(scores))]), taken.f1, taken.precision


def main() -> None:
    """Generate, calibrate, compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=21)
    seed = parser.parse_args().seed
    rows: list[list[str | float]] = []
    for name, kind in KINDS.items():
        for people in SIZES:
            for faces in FACES:
                random = np.random.default_rng([seed, faces])
                units, person = generate(kind, sizes(people, faces, random), random)
                counted = count_pairs(units)
                row: list[str | float] = [f"{name}, {people}", f"{len(units):,}"]
                for rule, method in (("groups", "average"), ("links", "single")):
                    found = calibrate(units, rule=rule, counted=counted)  # type: ignore[arg-type]
                    best, at, f1, precision = compare(units, person, found, method)
                    row += [f"{best:.3f} @ {at:.3f}", f"{f1:.3f} @ {found.link:.3f}", precision]
                rows.append(row)
    heads = ["best F, average", "found", "precision", "best F, connected", "found", "precision"]
    report("calibration", "links found without labels", ["vectors", "faces", *heads], rows)


if __name__ == "__main__":
    main()
