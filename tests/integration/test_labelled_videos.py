"""Persons of face_generation against labelled videos of several people, if there are some on this machine."""

import csv
import os
from pathlib import Path

import numpy as np
import pytest

from beam_pipelines import config as configuration
from beam_pipelines.demonstration import Page, serve
from beam_pipelines.run import Order, run
from transforms.identity.evaluation import evaluate
from transforms.tables.ledger import tally
from transforms.tables.shards import read_column

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif("MANYFACES_TEST_DATA" not in os.environ, reason="MANYFACES_TEST_DATA names no labelled data"),
]
SMALL = (  # the videos are of 176 x 144 to 640 x 480 pixels
    "fetch.accept.min_height=0",
    "faces.min_face_px=40",
    "faces.min_sharpness=20",
    "sampling.per_segment=6",
    "sampling.near_keys=false",
    "selection.temporal=3",
)


def labelled(data: Path) -> list[tuple[str, str, str]]:
    """Name, file and person of every video of one person."""
    with (data / "videos.csv").open(newline="", encoding="utf-8") as file:
        rows = [(row["file"], row["identities"]) for row in csv.DictReader(file)]
    people = [(file, person) for file, person in rows if person and " " not in person]
    return [(f"v{i:03d}", file, person) for i, (file, person) in enumerate(people)]


def test_persons_agree_with_the_labels(tmp_path):
    data = Path(os.environ["MANYFACES_TEST_DATA"])
    videos = labelled(data)
    pages = {f"/{name}/{Path(file).name}": Page(200, {}, (data / file).read_bytes()) for name, file, _ in videos}
    with serve(pages) as port:
        manifest = tmp_path / "list.csv"
        lines = [f"{path.split('/')[1]},http://127.0.0.1:{port}{path}" for path in pages]
        manifest.write_text("\n".join(["video_id,url", *lines]) + "\n")
        recipe, settings = configuration.load("face_generation", [f"fetch.allow_hosts=['127.0.0.1:{port}']", *SMALL])
        run(Order(recipe, settings, str(manifest), str(tmp_path / "run")))
    assert tally(str(tmp_path / "run"), "download").by_reason == {"kept": len(videos)}
    person = {name: who for name, _, who in videos}
    table = read_column(str(tmp_path / "run"), "identities", ["face_id", "identity"])
    truth = [person[face.partition("-")[0]] for face in table["face_id"].to_pylist()]
    found = table["identity"].fill_null(-1).to_numpy()
    result = evaluate(np.unique(truth, return_inverse=True)[1], found)
    assert result.pairwise.precision > 0.9
    assert result.pairwise.recall > 0.9
