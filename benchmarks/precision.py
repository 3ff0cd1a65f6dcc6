"""How near the precision that is estimated without labels comes to the true one, on generated sets of faces.

    python -m benchmarks.precision [--faces 2000] [--seed 21] [--method average]

For each set of benchmarks.face_sets the faces are clustered at the link that is found without labels, and at links a
tenth, a fifth and two fifths of the way down to different people's middle: mistakes that a fixed link makes on
other data.
"""

import argparse

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from benchmarks.face_sets import REPORTING, SETS, FaceSet, make
from benchmarks.results import report
from transforms.evaluation.agreement import measure
from transforms.identity.apart import Scenes
from transforms.identity.calibration import calibrate
from transforms.identity.clustering import first_rows
from transforms.identity.estimate import estimate
from transforms.identity.precision import estimate_precision

LOWER = (0.0, 0.1, 0.2, 0.4)


def judged(faces: FaceSet, method: str) -> list[list[str | float]]:
    """A row for each link: the link, the true precision, the estimate with its limits, and that of pictures alone."""
    units = np.asarray(faces.vectors)
    found = calibrate(units, rule="groups" if method == "average" else "links")
    distance = (1 - units @ units.T).clip(0).astype(np.float64)
    np.fill_diagonal(distance, 0)
    tree = linkage(squareform((distance + distance.T) / 2, checks=False), method)
    scenes = Scenes(np.arange(len(units)), faces.image, faces.person)  # mirrors and collages seen to by whose they are
    rows: list[list[str | float]] = []
    for lower in LOWER:
        link = found.link - lower * (found.link - found.kinds.middle)
        label = first_rows(fcluster(tree, 1 - link, "distance"))
        told = estimate_precision(units, label, link if method == "average" else None)
        true = measure(faces.person, label).pairwise.precision
        shown = ["-", "", ""] if told is None else [f"{told.value:.3f}", f"{told.low:.3f}", f"{told.high:.3f}"]
        off = "" if told is None else f"{told.value - true:+.3f}"
        by_pictures = estimate(scenes, label).precision
        rows.append([f"{link:.3f}", true, *shown, off, "-" if by_pictures is None else by_pictures])
    return rows


def main() -> None:
    """Make, cluster, estimate, compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faces", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=REPORTING)
    parser.add_argument("--method", choices=["average", "single"], default="average")
    given = parser.parse_args()
    rows = [[name, *row] for name in SETS for row in judged(make(name, given.faces, given.seed), given.method)]
    heads = ["link", "true", "estimate", "at least", "at most", "off by", "by pictures"]
    report("precision", f"{given.faces} faces, seed {given.seed}, {given.method}", ["set", *heads], rows)


if __name__ == "__main__":
    main()
