"""How well the identities of webbody agree with labelled photographs.

    MANYFACES_TEST_DATA=FOLDER python -m benchmarks.identities

FOLDER has `images.csv` with the columns `file` and `identity` (`a|b` where two people are shown: such pictures and
those without a label take part in the run, but are not counted). The photographs are served by this machine; the
settings are configs/webbody.yaml as it stands. A picture's label belongs to its largest face.
"""

import csv
import os
import sys
import tempfile
from pathlib import Path

import numpy as np

from beam_pipelines import config as configuration
from beam_pipelines.demos.photographs import Page, serve
from beam_pipelines.driver.order import Order
from beam_pipelines.driver.run import run
from benchmarks.results import report
from transforms.identity.evaluation import Evaluation, evaluate
from transforms.tables.shards import read_column


def run_labelled(data: Path, output: Path) -> tuple[str, dict[str, str]]:
    """Serve and run all photographs; returns the run and the labels by image id."""
    with (data / "images.csv").open(newline="", encoding="utf-8") as file:
        rows = [(f"p{i:04d}", row["file"], row["identity"]) for i, row in enumerate(csv.DictReader(file))]
    pages = {f"/{name}": Page(200, {}, (data / path).read_bytes()) for name, path, _ in rows}
    with serve(pages) as port:
        manifest = output / "list.csv"
        lines = ["id,url", *(f"{name},http://127.0.0.1:{port}/{name}" for name, _, _ in rows)]
        manifest.write_text("\n".join(lines) + "\n")
        overrides = [f"fetch.allow_hosts=['127.0.0.1:{port}']", "manifest.rows_per_shard=20"]
        recipe, settings = configuration.load("webbody", overrides)
        run(Order(recipe, settings, str(manifest), str(output / "run")))
    return str(output / "run"), {name: label for name, _, label in rows if label and "|" not in label}


def labelled_faces(run_: str, labels: dict[str, str]) -> dict[str, str]:
    """The largest face of each labelled image: face_id -> label."""
    table = read_column(run_, "faces", ["face_id", "image_id", "box"])
    largest: dict[str, tuple[float, str]] = {}
    for face, image, (x1, y1, x2, y2) in zip(*(table[name].to_pylist() for name in table.column_names), strict=True):
        if image in labels:
            largest[image] = max(largest.get(image, (0.0, "")), ((x2 - x1) * (y2 - y1), face))
    return {face: labels[image] for image, (_, face) in largest.items()}


def agreement(run_: str, faces: dict[str, str], column: str) -> Evaluation:
    """The labels against `cluster` (before cleaning) or `identity` (after it)."""
    table = read_column(run_, "identities", ["face_id", column])
    found = dict(zip(table["face_id"].to_pylist(), table[column].to_pylist(), strict=True))
    names: dict[object, int] = {None: -1}
    codes = [names.setdefault(found.get(face), len(names)) for face in faces]
    truth = np.unique(list(faces.values()), return_inverse=True)[1]
    return evaluate(truth, np.array(codes))


def main() -> None:
    """Run and print."""
    data = os.environ.get("MANYFACES_TEST_DATA")
    if not data:
        sys.exit("benchmarks.identities: set MANYFACES_TEST_DATA to the folder of labelled photographs.")
    with tempfile.TemporaryDirectory() as folder:
        run_, labels = run_labelled(Path(data), Path(folder))
        faces = labelled_faces(run_, labels)
        rows = []
        for column in ("cluster", "identity"):
            result = agreement(run_, faces, column)
            pairs, bcubed = result.pairwise, result.bcubed
            rows.append([column, pairs.precision, pairs.recall, pairs.f1, bcubed.f1, result.purity, result.nmi])
    heading = f"identities: {len(faces)} of {len(labels)} labelled photographs have a face"
    report("identities", heading, ["by", "precision", "recall", "F", "BCubed F", "purity", "NMI"], rows)


if __name__ == "__main__":
    main()
