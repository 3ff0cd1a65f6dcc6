"""docs/extending.md: its code runs, is that of the examples, and the messages that it quotes are those one sees."""

import csv
import hashlib
import importlib
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml
from onnx import TensorProto, helper

import examples.faces_of_images
import manyfaces
from beam_pipelines import config as configuration
from beam_pipelines.cli import main
from examples import arcface_codec
from model_handlers.geometry import ARCFACE
from tests.examples.conftest import EXAMPLES
from tests.examples.test_image_folder import images
from tests.onnx_files import save
from tests.transforms.bundle.synthetic_run import write_run
from tests.transforms.bundle.test_bundle_stage import IDENTITY, SHARDS, bundle
from tests.transforms.bundle.tracks.test_track_files_stage import bundle as track_bundle
from tests.transforms.bundle.tracks.track_run import write_run as write_track_run
from transforms.bundle.settings import BundleSettings
from transforms.filtering.shot_filter import measured, score
from transforms.tables.ledger import write_ledger
from transforms.tables.reasons import Rejected
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import read_column, shard_path, write_rows
from transforms.tables.verdicts import verdict

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("examples")]

PAGE = (EXAMPLES.parent / "docs/extending.md").read_text(encoding="utf-8")
MODULES = {
    "A model": "codec", "A sink": "folder", "A format of tracks": "lengths", "A filter of shots": "grey",
    "A stage": "colours", "A recipe": "faces",
}  # fmt: skip
WITHOUT_IMPORTS = "# examples/faces_of_images.py, without its imports"


def blocks(part: str, language: str) -> list[str]:
    """The code blocks of a part of the page in a language."""
    text = PAGE.partition(f"\n## {part}\n")[2].partition("\n## ")[0]
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def mine(tmp_path_factory):
    """The package `mine`: for each part of the page a module of its Python blocks, in order."""
    folder = tmp_path_factory.mktemp("package")
    (folder / "mine").mkdir()
    for part, name in MODULES.items():
        code = "\n\n".join(blocks(part, "python"))
        if code.startswith(WITHOUT_IMPORTS):
            code = f"from examples.faces_of_images import *\n{code}"  # it has no __all__: what it imports comes too
        (folder / "mine" / f"{name}.py").write_text(code)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        yield {part: importlib.import_module(f"mine.{name}") for part, name in MODULES.items()}


@pytest.mark.parametrize("part", [part for part in MODULES if part != "A stage"])
def test_the_code_is_that_of_the_example(part):
    code = "\n".join(blocks(part, "python"))
    comment, code = code.split("\n", 1)
    example = (EXAMPLES.parent / re.search(r"examples/\w+\.py", comment)[0]).read_text()
    pieces = [piece.strip() for piece in code.split("\n\n\n")]
    assert [piece for piece in pieces if piece not in example] == []
    assert len(pieces) >= 3


def test_the_entry_is_that_of_the_example():
    example = yaml.safe_load((EXAMPLES / "arcface.yaml").read_text())["models"]["my-arcface"]
    entry = yaml.safe_load(blocks("A model", "yaml")[0])["models"]["my-arcface"]
    assert {name: example[name] for name in entry} == entry


def test_the_codec_of_the_page(mine):
    crop = np.random.default_rng(1).integers(0, 255, (200, 200, 3), dtype=np.uint8)
    given = (crop, 1.5 * ARCFACE, None)
    np.testing.assert_equal(mine["A model"].codec().encode(*given), arcface_codec.codec().encode(*given))


def test_the_sink_of_the_page(mine, tmp_path):
    write_run(str(tmp_path), SHARDS, IDENTITY, frozenset())
    bundle(str(tmp_path), BundleSettings(body_side=64, sinks=("mine.folder:FORMAT",)))
    assert len(images(str(tmp_path))) == 5


def test_the_format_of_the_page(mine, tmp_path):
    write_track_run(str(tmp_path))
    track_bundle(str(tmp_path), ("trackverse", "mine.lengths:FORMAT"))
    found = {path.name: path.read_text() for path in Path(tmp_path, "bundle/lengths").iterdir()}
    assert found["a.csv"] == "track,class,seconds\na-s0-t0,cat,0.16\na-s0-t1,cat,0.08\na-s1-t0,cat,0.16\n"
    assert sorted(found) == ["a.csv", "b.csv", "x.parquet.csv"]


def test_the_filter_of_the_page(mine, tmp_path):
    (config,) = blocks("A filter of shots", "yaml")
    (tmp_path / "mine.yaml").write_text(config.replace("examples.grey_shots", "mine.grey"))
    (own,) = configuration.load(str(tmp_path / "mine.yaml"))[1].filters.own
    grey, red = np.full((40, 40, 3), 90, np.uint8), np.full((40, 40, 3), (200, 20, 20), np.uint8)
    scores = [score(own.filter, [measured(own.filter, frame)] * 3) for frame in (grey, red)]
    assert scores[0] < own.least < scores[1]


def go(part: str, given, tmp_path) -> manyfaces.Run:
    """A run of the configuration that the page gives."""
    (config,) = blocks(part, "yaml")
    (tmp_path / "mine.yaml").write_text(config.replace("examples.faces_of_images:", "mine.faces:"))
    return manyfaces.run(str(tmp_path / "mine.yaml"), **given, output=str(tmp_path / "run"))


def test_the_stage_of_the_page(mine, given, tmp_path):
    run = go("A stage", given, tmp_path)
    colours = run.table("colours").to_table().to_pylist()
    yaw = {face["face_id"]: face["yaw"] for face in run.table("faces").to_table(columns=["face_id", "yaw"]).to_pylist()}
    assert [row["face_id"] for row in colours] == [face for face in yaw if abs(yaw[face]) <= 20]
    assert all(0 < row[name] < 255 for row in colours for name in ("red", "green", "blue"))
    reasons = dict(zip(*run.ledger("colours").select(["item_id", "reason"]).to_pydict().values(), strict=True))
    assert reasons == {face: "" if abs(yaw[face]) <= 20 else "large_yaw" for face in yaw}


def test_the_recipe_of_the_page(mine, given, faces, tmp_path):
    assert mine["A recipe"].RECIPE.config is not examples.faces_of_images.FacesConfig
    run = go("A recipe", given, tmp_path)

    def read(folder):
        with Path(folder, "csv/faces.csv").open() as file:
            return [(row["face_id"], row["label"]) for row in csv.DictReader(file)]

    assert read(run.folder) == read(faces.folder)


def quoted(message: str) -> None:
    """The message is on the page, as code, wherever its lines break there."""
    assert f"`{message.strip()}`" in " ".join(PAGE.split())


@pytest.fixture
def entry(tmp_path):
    """What writes a catalogue with the page's entry, changed, for a file whose vector has three numbers."""
    file = save(
        tmp_path / "model.onnx",
        [helper.make_node("GlobalAveragePool", ["x"], ["m"]), helper.make_node("Flatten", ["m"], ["y"])],
        {},
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ("N", 3, 112, 112))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ("N", 3))],
    )
    source = {"uri": str(file), "sha256": hashlib.sha256(file.read_bytes()).hexdigest()}

    def write(**changes) -> str:
        content = yaml.safe_load(blocks("A model", "yaml")[0])
        content["models"]["my-arcface"] |= {"sources": [source], **changes}
        (tmp_path / "mine.yaml").write_text(yaml.safe_dump(content))
        return str(tmp_path / "mine.yaml")

    return write


ENTRIES = [
    {"codec": "elsewhere.arcface:codec"},
    {"options": {"size": 112}},
    {"options": {"side": 8}},
    {},
    {"similarities": None},
]


@pytest.mark.parametrize("changes", ENTRIES)
def test_what_is_said_of_an_entry_is_on_the_page(changes, entry, given, tmp_path):
    told = given["set"] | {"models.catalogue": entry(**changes), "embeddings.model": "my-arcface"}
    with pytest.raises((manyfaces.ConfigError, manyfaces.ModelError)) as said:
        manyfaces.run("webbody", input=given["input"], output=str(tmp_path / "run"), set=told)
    assert not (tmp_path / "run").exists()
    quoted(str(said.value))


FACES = str(EXAMPLES / "faces_of_images.yaml")
NAMES = [
    ("webbody", "bundle.sinks=[elsewhere.folder:FORMAT]"),
    ("webbody", "bundle.sinks=[examples.image_folder:FORMATS]"),
    ("webbody", "bundle.sinks=[examples.image_folder:FORMAT, examples.image_folder:FORMAT]"),
    (FACES, "recipe=elsewhere.faces:RECIPE"),
    (FACES, "jobs=[[download, detections], [cvs]]"),
    ("colours.yaml", "jobs=[[download], [colours]]"),
]


@pytest.mark.parametrize(("config", "override"), NAMES)
def test_what_is_said_of_a_name_is_on_the_page(config, override, mine, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("colours.yaml").write_text(blocks("A stage", "yaml")[0])
    assert main(["config", "check", config, "--set", override]) == 2
    quoted(capsys.readouterr().err.removeprefix("manyfaces: ").removeprefix(f"--set {override}: "))


def only_the_ledger(run, settings):
    faces = read_column(run, "detections", ["face_id"])["face_id"]
    write_ledger(run, "csv", "00000", [(verdict(face, ""), 1) for face in faces.to_pylist()])


def only_the_table(run, settings):
    write_rows(shard_path(run, "face_list", "00000"), [], arrow_schema(examples.faces_of_images.ListedFace))


@pytest.mark.parametrize("broken", [only_the_ledger, only_the_table])
def test_what_is_said_of_a_stage_that_owes_something_is_on_the_page(broken, faces, given, tmp_path, monkeypatch):
    run = str(shutil.copytree(faces.folder, tmp_path / "run"))
    for folder in ("face_list", "ledger/csv"):
        shutil.rmtree(f"{run}/{folder}")
    monkeypatch.setattr(examples.faces_of_images, "write_list", broken)
    with pytest.raises(manyfaces.RunFailed) as said:
        manyfaces.run(FACES, **given, output=run)
    quoted(str(said.value).removeprefix(f"{run}: "))


@pytest.mark.parametrize(
    ("code", "reason", "state"), [("own_too_dark", "own_too_dark", "dropped"), ("too_dark", "internal_error", "failed")]
)
def test_a_reason_of_one_s_own_has_a_name_of_its_own(mine, given, tmp_path, monkeypatch, code, reason, state):
    def reject(settings, face):
        raise Rejected(code)

    monkeypatch.setattr(mine["A stage"], "measure", reject)
    if state == "failed":
        with pytest.raises(manyfaces.RunFailed, match="more than max_failed_share"):
            go("A stage", given, tmp_path)
    else:
        go("A stage", given, tmp_path)
    ledger = manyfaces.Run(str(tmp_path / "run")).ledger("colours")
    assert set(ledger["reason"].to_pylist()) == {reason}
    assert set(ledger["state"].to_pylist()) == {state}
