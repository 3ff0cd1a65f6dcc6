"""How near links found without labels come to the best there are, on vectors of generated people.

    python -m benchmarks.calibration [--seed 21]

The vectors have similarities as those of the catalogue's models and of an ArcFace: their mean and spread between
different people and within one were set after photographs out of published packages (40 people). People are drawn
around six groups whose members are more alike, on a spectrum that falls; faces vary in noise, and one in a hundred
(of ArcFace's 4 in 1,000) shows next to nothing of its person, and is like others of that kind.
"""

import argparse
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.results import report
from transforms.evaluation.agreement import measure
from transforms.identity.calibration import Calibration, calibrate
from transforms.identity.knn import F32, I64
from transforms.identity.pair_counts import count_pairs

FACES = (100, 519, 2000)
SIZES = ("tens", "fives", "power law", "alone")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of vectors; lengths are in those of a person's own direction.

    mean: of what all vectors share; power: by which the spectrum falls over `used` directions; noise: of a face;
    group: what the people of a group share; blank: share of faces that show next to nothing.
    """

    dimension: int
    mean: float
    power: float
    used: int
    noise: float
    group: float
    blank: float


KINDS = {
    "fr-feature": Kind(512, 0.12, 0.55, 160, 0.6, 0.42, 0.01),
    "mobilefacenet": Kind(192, 0.15, 0.55, 90, 0.55, 0.42, 0.01),
    "dlib-resnet": Kind(128, 2.5, 0.9, 60, 0.52, 0.35, 0.01),
    "ArcFace": Kind(512, 0.05, 0.2, 400, 0.65, 0.08, 0.004),
}


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
    spectrum = np.zeros(kind.dimension)
    spectrum[: kind.used] = np.arange(1.0, kind.used + 1) ** -kind.power
    spectrum /= spectrum.sum()
    flat = np.where(np.arange(kind.dimension) < kind.used, 1 / kind.used, 0)

    def drawn(count: int, variance: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return random.normal(size=(count, kind.dimension)) * np.sqrt(variance)

    person = random.permutation(np.repeat(np.arange(len(each)), each))
    groups = drawn(6, spectrum)
    groups /= np.linalg.norm(groups, axis=1, keepdims=True)
    of = random.choice(6, len(each), p=[0.4, 0.25, 0.15, 0.1, 0.06, 0.04])
    own = drawn(len(each), spectrum) * np.sqrt(1 - kind.group**2) + kind.group * groups[of]
    own /= np.linalg.norm(own, axis=1, keepdims=True) ** 0.7  # some people are more marked than others
    noise = drawn(len(person), (spectrum + flat) / 2)
    shared = np.zeros(kind.dimension)
    shared[kind.used], shared[:5] = 0.95 * kind.mean, 0.31 * kind.mean / np.sqrt(5)
    strength = kind.noise * np.exp(0.22 * random.normal(size=(len(person), 1)))
    shown = own[person] + strength * noise
    blank = random.random((len(person), 1)) < kind.blank
    vectors = shared + np.where(blank, 0.35 * own[person] + 0.5 * drawn(1, spectrum) + 0.5 * noise, shown)
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), person


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
