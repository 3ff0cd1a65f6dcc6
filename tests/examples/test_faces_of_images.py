"""The recipe of one's own as a whole run on photographs: its table, its CSV file, and what of it is done again."""

import csv
import shutil
from pathlib import Path

import pytest

import manyfaces
from beam_pipelines.cli import main
from examples.faces_of_images import ListedFace
from tests.examples.conftest import EXAMPLES, FORMULA
from transforms.tables.schemas import arrow_schema

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("examples")]
CONFIG = str(EXAMPLES / "faces_of_images.yaml")
WITH_FACES = {"obama-1", "obama-2", "biden-1", "astronaut-1"}


def rows(run) -> list[dict[str, str]]:
    with Path(run.folder, "csv/faces.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_every_face_is_listed_in_the_table_and_in_the_file(faces):
    listed = faces.table("face_list").to_table()
    assert listed.schema.names == arrow_schema(ListedFace).names == list(rows(faces)[0])
    assert {face["image_id"] for face in rows(faces)} == WITH_FACES
    for row, face in zip(rows(faces), listed.to_pylist(), strict=True):
        plain = {name: str(value) for name, value in face.items() if name != "label"}
        assert {name: row[name] for name in plain} == plain
        assert 24 <= max(face["width"], face["height"]) <= 1024
    assert list(faces.record["stages"]) == ["manifest", "download", "detections", "csv"]


def test_no_cell_of_the_file_computes(faces):
    assert FORMULA in faces.table("face_list").to_table()["label"].to_pylist()
    assert {row["label"] for row in rows(faces) if row["image_id"] == "biden-1"} == {f"'{FORMULA}"}


def test_a_setting_of_the_stage_makes_the_stage_stale_and_no_other(given, faces, tmp_path):
    run = manyfaces.Run(str(shutil.copytree(faces.folder, tmp_path / "run")))
    before = run.table("detections").files, [Path(path).stat().st_mtime_ns for path in run.table("detections").files]
    told = {"input": given["input"], "output": run.folder, "set": given["set"] | {"csv.min_face_px": 5000}}
    with pytest.raises(manyfaces.ConfigError, match=r"csv\.min_face_px: 24 -> 5000; .* delete and redo csv, or"):
        manyfaces.run(CONFIG, **told)
    manyfaces.run(CONFIG, **told, recompute=True)
    assert rows(run) == run.table("face_list").to_table().to_pylist() == []
    assert set(run.ledger("csv")["reason"].to_pylist()) == {"small_face"}
    assert before == (before[0], [Path(path).stat().st_mtime_ns for path in run.table("detections").files])


def test_an_empty_list_makes_a_file_without_rows(given, tmp_path):
    empty = tmp_path / "empty.csv"
    empty.write_text("url,who\n")
    assert rows(manyfaces.run(CONFIG, input=str(empty), output=str(tmp_path / "run"), set=given["set"])) == []


def test_commands_know_the_recipe_by_its_place(faces, tmp_path, capsys):
    run = str(shutil.copytree(faces.folder, tmp_path / "run"))
    for words in (["config", "check", CONFIG], ["config", "schema", CONFIG], ["inspect", run], ["retry", run]):
        assert main(words) == 0
    said = capsys.readouterr().out
    assert "least longer side of a face's box, pixels" in said
    assert "to retry: 1 in download" in said
