"""How well the identities of webbody agree with labelled photographs.

    MANYFACES_TEST_DATA=FOLDER python -m benchmarks.identities [KEY=VALUE ...]

FOLDER has `images.csv` with the columns `file` and `identity` (`a|b` where two people are shown: such pictures and
those without a label take part in the run, but are not counted). The photographs are served by this machine; the
settings are configs/webbody.yaml as it stands, but for the keys given. The labels are compared as `manyfaces evaluate`
does it.
"""

import csv
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from beam_pipelines import config as configuration
from beam_pipelines.demos.photographs import Page, serve
from beam_pipelines.driver.order import Order
from beam_pipelines.driver.run import run
from beam_pipelines.evaluate import evaluate
from benchmarks.results import report
from transforms.evaluation.evaluation import Evaluation

LABELS = "images.csv"


def evaluate_labelled(data: Path, output: Path, changes: Sequence[str]) -> Evaluation:
    """Serve and run all photographs, and compare what came of it with their labels."""
    with (data / LABELS).open(newline="", encoding="utf-8") as file:
        pages = {
            f"/{quote(row['file'])}": Page(200, {}, (data / row["file"]).read_bytes()) for row in csv.DictReader(file)
        }
    with serve(pages) as port:
        manifest = output / "list.csv"
        lines = ["id,url", *(f"p{i:04d},http://127.0.0.1:{port}{path}" for i, path in enumerate(pages))]
        manifest.write_text("\n".join(lines) + "\n")
        overrides = [f"fetch.allow_hosts=['127.0.0.1:{port}']", "manifest.rows_per_shard=20", *changes]
        recipe, settings = configuration.load("webbody", overrides)
        run(Order(recipe, settings, str(manifest), str(output / "run")))
    return evaluate(str(data / LABELS), str(output / "run"), output=str(output / "evaluation"))


def main() -> None:
    """Run and print."""
    data = os.environ.get("MANYFACES_TEST_DATA")
    if not data:
        sys.exit("benchmarks.identities: set MANYFACES_TEST_DATA to the folder of labelled photographs.")
    with tempfile.TemporaryDirectory() as folder:
        found = evaluate_labelled(Path(data), Path(folder), sys.argv[1:])
    rows: list[list[str | float]] = []
    for name, judged in (("cluster", found.before), ("identity", found.after), ("kept", found.kept)):
        result = judged.agreement
        pairs, told = result.pairwise, result.information
        figures = [pairs.precision, pairs.recall, pairs.f1, result.bcubed.f1, result.purity, told.nmi]
        figures.append(judged.coverage_of_several)
        rows.append([name, *figures])
    heading = f"identities: {found.counts.with_face} of {found.counts.in_run} labelled photographs have a face"
    report(
        "identities",
        heading,
        ["by", "precision", "recall", "F", "BCubed F", "purity", "NMI", "coverage of several"],
        rows,
    )


if __name__ == "__main__":
    main()
