"""The cards of a small run: what they name is there, and they tell nothing of the maker's machine."""

import json
from fnmatch import fnmatch
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml

from beam_pipelines import config as configuration
from beam_pipelines.cards.contents import describe, main_table
from beam_pipelines.cards.write import write_cards
from beam_pipelines.driver.record import read_record
from tests.small_run import write_small_run
from transforms.tables.files import delete_folder, exists, open_binary

FILES = ("README.md", "croissant.json", "bundle/README.md")


def read(path: str) -> str:
    with open_binary(path) as file:
        return file.read().decode()


def head_of(text: str) -> dict:
    return yaml.safe_load(text.split("---\n")[1])


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    made = str(tmp_path_factory.mktemp("cards") / "run")
    write_small_run(made)
    return made


@pytest.mark.parametrize(("card", "tables"), [("README.md", 8), ("bundle/README.md", 2)])
def test_each_configuration_names_files_and_their_columns(run, card, tables):
    folder = Path(run, card).parent
    there = [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]
    head = head_of(read(f"{run}/{card}"))
    assert len(head["configs"]) == len(head["dataset_info"]) == tables
    assert [one["config_name"] for one in head["configs"] if one.get("default")] == ["faces"]
    for config, info in zip(head["configs"], head["dataset_info"], strict=True):
        (files,) = config["data_files"]
        found = [name for name in there if fnmatch(name, files["path"])]
        assert found, config
        assert config["config_name"] == info["config_name"]
        if found[0].endswith(".parquet"):
            assert [one["name"] for one in info["features"]] == pq.read_schema(folder / found[0]).names


def test_the_text_has_counts_and_licences_and_no_path_of_the_maker(run):
    text = read(f"{run}/README.md")
    assert "| download | 13 | 10 | 3 | 0 | 10 | http_404 2, timeout 1 |" in text
    assert "| face | centerface | MIT | `pypi://package==1/file.onnx` |" in text
    assert "| own | mine\\|own | unknown | the maker's own file |" in text
    for name in FILES:
        assert "/home/me" not in read(f"{run}/{name}")
        assert run not in read(f"{run}/{name}")


def test_croissant_has_every_column_with_its_meaning(run):
    told = json.loads(read(f"{run}/croissant.json"))
    records = {one["@id"]: one for one in told["recordSet"]}
    assert list(records) == [
        *("manifest", "images", "bodies", "faces", "identities", "bundle_index", "splits", "bundle_keypoints")
    ]
    fields = {one["name"]: one for one in records["bodies"]["field"]}
    assert fields["crop"]["dataType"] == "sc:ImageObject"
    assert fields["keypoints"]["arrayShape"] == "17,3"
    assert fields["score"]["description"] == "detection score, 0 to 1"
    assert records["bodies"]["key"] == {"@id": "bodies/body_id"}
    assert all(one["description"] for record in records.values() for one in record["field"])


def test_equal_runs_have_equal_cards_and_a_card_goes_with_what_it_tells_of(run, folder):
    write_small_run(folder)
    assert [read(f"{folder}/{name}") for name in FILES] == [read(f"{run}/{name}") for name in FILES]
    record = read_record(folder)
    recipe, settings = configuration.from_record(record, [])
    for name in ("bundle/bodies", "bundle/faces"):
        delete_folder(f"{folder}/{name}")
    write_cards(folder, record, recipe.stages_of(settings))
    assert [one["config_name"] for one in head_of(read(f"{folder}/bundle/README.md"))["configs"]] == ["keypoints"]
    delete_folder(f"{folder}/bundle")
    write_cards(folder, record, recipe.stages_of(settings))
    assert not exists(f"{folder}/bundle/README.md")
    assert "bundle_keypoints" not in read(f"{folder}/README.md")


COVERING = [  # recipe, its overrides, the tables that are left
    ("anonymize_images", [], ["manifest"]),
    ("face_generation", ["jobs=[[download, shots, covers], [frames, detections, faces]]"], ["manifest", "identities"]),
]


@pytest.mark.parametrize(("recipe", "overrides", "left"), COVERING)
def test_originals_are_in_no_card_of_a_run_that_covers_faces(tmp_path, recipe, overrides, left):
    run = str(tmp_path / "run")
    write_small_run(run, with_bundle=False)
    found, settings = configuration.load(recipe, overrides)
    tables = describe(run, found.stages_of(settings))
    assert [table.name for table in tables] == left
    assert main_table(tables) == left[-1]


def test_a_run_without_tables_has_no_card(tmp_path):
    recipe, settings = configuration.load("webbody")
    write_cards(str(tmp_path), {}, recipe.stages_of(settings))
    assert list(tmp_path.iterdir()) == []
