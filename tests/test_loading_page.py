"""Every snippet of docs/loading.md is run against a small run, and gives what the page says."""

import re
import shlex
import sys
from pathlib import Path

import pytest

from beam_pipelines.cli import main
from tests.small_run import IDENTITIES, KEPT, SPLITS, write_small_run

PAGE = Path(__file__).parents[1] / "docs" / "loading.md"
_BLOCK = re.compile(r"^## (.+?)$|^```(sh|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FACES = (32, 32)  # of the bundle


def blocks() -> list[tuple[str, str, str]]:
    """Heading, language and text of each block of the page, in order."""
    found, heading = [], ""
    for match in _BLOCK.finditer(PAGE.read_text(encoding="utf-8")):
        heading = match[1] or heading
        if match[2]:
            found.append((heading, match[2], match[3]))
    return found


SNIPPETS = {heading: text for heading, language, text in blocks() if language == "python"}
COMMANDS = [line for _, language, text in blocks() if language == "sh" for line in text.splitlines()]


def pandas(said):
    assert sorted(said["faces"].identity) == sorted(IDENTITIES[number] for number in KEPT)
    assert said["picture"].width == said["picture"].height >= 48


def duckdb(said):
    assert [row[:2] for row in sorted(said["largest"])] == [(0, 2), (1, 3), (3, 3)]


def polars(said):
    assert said["frontal"].height == len(IDENTITIES)


def datasets(said):
    assert (len(said["faces"]), len(said["identities"]), len(said["bundle"])) == (10, 10, len(KEPT))
    assert said["picture"].mode == "RGB"
    assert said["label"] in (0, 1, 3)
    assert {name: len(split) for name, split in said["exported"].items()} == {"testing": 2, "training": 6}
    assert (said["first"][0].mode, said["first"][1]) == ("RGB", 3)


def imagefolder(said):
    assert (len(said["faces"]), said["faces"].classes) == (len(KEPT), ["000000", "000001", "000003"])
    assert said["images"].shape == (4, 3, 112, 112)
    assert said["identity"] in (0, 1, 3)


def webdataset(said):
    assert said["picture"].size == FACES
    assert said["identity"] == said["told"]["identity"]


def tfrecord(said):
    assert said["images"].shape == (4, 112, 112, 3)
    assert set(said["labels"].numpy()) <= {0, 1, 3}


def recordio(said):
    assert sorted(identity for identity, _, _ in said["records"]) == sorted(IDENTITIES[number] for number in KEPT)
    assert {picture.size for _, _, picture in said["records"]} == {FACES}


def coco(said):
    assert len(said["coco"].imgs) == len(KEPT)
    assert len(said["points"]) == 51
    assert Path(said["path"]).is_file()
    assert said["whose"] in (0, 1, 3)


def jsonl(said):
    assert len(said["bodies"]) == len(KEPT)
    assert said["picture"].size[0] < said["picture"].size[1]


def croissant(said):
    assert [face["faces/face_id"] for face in said["faces"]] == [b"i5-b0-f0", b"i3-b0-f0", b"i8-b0-f0"]
    assert said["picture"].size == (53, 53)


HEAVY = pytest.mark.frameworks
CHECKS = {
    "pandas": (pandas, [HEAVY]),
    "DuckDB": (duckdb, [HEAVY]),
    "Polars": (polars, [HEAVY]),
    "Hugging Face datasets": (datasets, [HEAVY]),
    "PyTorch: ImageFolder": (imagefolder, [HEAVY]),
    "WebDataset": (webdataset, []),
    "TFRecord": (tfrecord, [HEAVY, pytest.mark.skipif(sys.version_info >= (3, 14), reason="TensorFlow has no wheels")]),
    "RecordIO without MXNet": (recordio, []),
    "COCO": (coco, [HEAVY]),
    "JSON Lines": (jsonl, []),
    "Croissant": (croissant, [HEAVY]),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the page's commands have been given, beside a run that is called as the page calls it."""
    made = tmp_path_factory.mktemp("page")
    write_small_run(str(made / "runs" / "people"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(made)
        for line in COMMANDS:
            program, *words = shlex.split(line)
            assert program == "manyfaces"
            assert main(words) == 0
    return made


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path):
    """`datasets` asks nobody, and caches nothing that outlives the test."""
    for name, value in {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path), "HF_DATASETS_CACHE": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    if "datasets" in sys.modules:
        monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path)


def test_every_snippet_of_the_page_has_a_check():
    assert SNIPPETS.keys() == CHECKS.keys()
    assert SPLITS.keys() >= {"testing", "training"}


@pytest.mark.parametrize("heading", [pytest.param(heading, marks=marks) for heading, (_, marks) in CHECKS.items()])
def test_a_snippet_gives_what_the_page_says(heading, folder, monkeypatch):
    monkeypatch.chdir(folder)
    said: dict = {}
    exec(compile(SNIPPETS[heading], f"{PAGE.name}: {heading}", "exec"), said)
    CHECKS[heading][0](said)
