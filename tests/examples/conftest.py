"""Real runs that the tests of the examples share: photographs served on 127.0.0.1, as the command line makes them."""

import csv
from pathlib import Path

import pytest

import manyfaces
from beam_pipelines.demos.photographs import Page, serve
from tests import photographs

EXAMPLES = Path(__file__).parents[2] / "examples"
SHOWN = ("obama-1", "obama-2", "biden-1", "astronaut-1", "lake-1")  # and one that is not there
FORMULA = "=HYPERLINK(A1)"  # a label that a spreadsheet would compute


@pytest.fixture(scope="session")
def given(tmp_path_factory):
    """A list of photographs on a server that lives as long as the tests, and what every run of it is told."""
    pages = {f"/{name}.jpg": Page(200, {}, photographs.path(name).read_bytes()) for name in SHOWN}
    path = tmp_path_factory.mktemp("site") / "list.csv"
    with serve(pages) as port, path.open("w", newline="") as out:
        write = csv.writer(out).writerow
        write(["id", "url", "who"])
        for name in (*SHOWN, "missing"):
            write([name, f"http://127.0.0.1:{port}/{name}.jpg", FORMULA if name == "biden-1" else name])
        out.flush()
        told = {
            "fetch.allow_hosts": [f"127.0.0.1:{port}"],
            "manifest.rows_per_shard": 3,
            "manifest.columns.label": "who",
        }
        yield {"input": str(path), "set": told}


@pytest.fixture(scope="session")
def people(given, tmp_path_factory):
    """A run of the recipe webbody that writes an image folder; everybody is an identity of one image at least."""
    told = given["set"] | {
        "bundle.sinks": ["examples.image_folder:FORMAT"],
        "identity.cleaning.min_images": 1,
        "identity.cleaning.duplicate_similarity": 1,
    }
    output = tmp_path_factory.mktemp("runs") / "people"
    return manyfaces.run("webbody", input=given["input"], output=str(output), set=told)


@pytest.fixture(scope="session")
def faces(given, tmp_path_factory):
    """A run of the recipe of examples/faces_of_images.py, as its configuration says it."""
    output = tmp_path_factory.mktemp("runs") / "faces"
    return manyfaces.run(str(EXAMPLES / "faces_of_images.yaml"), **given, output=str(output))
