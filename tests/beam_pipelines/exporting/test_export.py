"""`manyfaces export`: the files of each format, and what cannot be exported."""

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml
from apache_beam.io.filesystems import FileSystems

from beam_pipelines import export_options
from beam_pipelines.cli import main
from beam_pipelines.exporting import export as module
from beam_pipelines.exporting import folders, huggingface
from beam_pipelines.exporting.export import export
from tests.small_run import IDENTITIES, KEPT, SPLITS, write_small_run
from transforms.images.pixels import open_image
from transforms.tables.files import open_binary
from transforms.tables.removals import UNDER_WAY
from transforms.tables.shards import read_shard, shard_names, shard_path, write_shard


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    made = str(tmp_path_factory.mktemp("export") / "run")
    write_small_run(made, with_bundle=False)
    return made


def names(folder) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in Path(folder).rglob("*") if path.is_file())


def crops(run: str, table: str = "faces") -> dict[str, bytes]:
    """The pictures of a table by the number of their image."""
    tables = [read_shard(shard_path(run, table, name)) for name in shard_names(run, table)]
    return {row["image_id"]: row["crop"] for one in tables for row in one.to_pylist()}


def test_a_folder_for_each_identity_has_the_pictures_as_they_are(run, tmp_path):
    assert export(run, "imagefolder", str(tmp_path)) == len(KEPT)
    assert names(tmp_path) == sorted(f"{IDENTITIES[number]:06d}/i{number}-b0-f0.jpg" for number in KEPT)
    stored = crops(run)
    for number in KEPT:
        path = tmp_path / f"{IDENTITIES[number]:06d}" / f"i{number}-b0-f0.jpg"
        assert path.read_bytes() == stored[f"i{number}"]


def test_splits_are_folders_above_the_identities(run, tmp_path):
    assert export(run, "imagefolder", str(tmp_path), "bodies", ("testing", "training")) == 8
    assert names(tmp_path)[:2] == ["testing/000000/i0-b0.jpg", "testing/000000/i1-b0.jpg"]
    assert {name.split("/")[0] for name in names(tmp_path)} == {"testing", "training"}


def test_a_list_in_json_names_files_and_has_the_columns(run, tmp_path, monkeypatch):
    monkeypatch.setattr(folders, "FILES_PER_FOLDER", 3)
    assert export(run, "jsonl", str(tmp_path), everything=True) == len(IDENTITIES)
    rows = [json.loads(line) for line in (tmp_path / "metadata.jsonl").read_text().splitlines()]
    assert {row["face_id"]: row["identity"] for row in rows} == {f"i{n}-b0-f0": who for n, who in IDENTITIES.items()}
    assert not {"crop", "mesh"} & rows[0].keys()
    assert {row["file_name"].split("/")[1] for row in rows} == {"00000", "00001", "00002", "00003"}
    stored = crops(run)
    assert all((tmp_path / row["file_name"]).read_bytes() == stored[row["image_id"]] for row in rows)


def test_parquet_with_pictures_is_cut_into_files_and_has_a_card(run, folder, monkeypatch):
    monkeypatch.setattr(huggingface, "BYTES_PER_FILE", 1)
    assert export(run, "hf", folder, splits=("testing", "training")) == 8
    card = yaml.safe_load(FileSystems.open(f"{folder}/README.md").read().decode().split("---\n")[1])
    assert card["configs"][0]["data_files"] == [
        {"split": "testing", "path": "data/testing-*.parquet"},
        {"split": "training", "path": "data/training-*.parquet"},
    ]
    paths = [one.path for one in FileSystems.match([f"{folder}/data/*"])[0].metadata_list]
    assert sorted(path.rpartition("/")[2] for path in paths) == [
        *("testing-00000.parquet", "testing-00001.parquet"),
        *("training-00000.parquet", "training-00001.parquet", "training-00002.parquet"),
    ]
    rows = []
    for path in sorted(paths):
        with open_binary(path) as file:
            table = pq.read_table(file)
        assert table.column_names == [one["name"] for one in card["dataset_info"][0]["features"]]
        rows += table.to_pylist()
    stored = crops(run)
    assert [row["identity"] for row in rows] == [IDENTITIES[int(row["image_id"][1:])] for row in rows]
    assert all(row["image"] == {"bytes": stored[row["image_id"]], "path": f"{row['face_id']}.jpg"} for row in rows)


def test_coco_annotates_all_that_is_seen_in_the_chosen_pictures(run, tmp_path):
    assert export(run, "coco", str(tmp_path), splits=("testing", "nobodys")) == 3
    bodies, nobody = (
        json.loads((tmp_path / f"annotations/person_keypoints_{split}.json").read_text())
        for split in ("testing", "nobodys")
    )
    assert [image["file_name"] for image in bodies["images"]] == ["00000/i0.jpg", "00000/i1.jpg"]
    picture = open_image((tmp_path / "testing/images/00000/i0.jpg").read_bytes())
    assert picture.shape[:2] == (bodies["images"][0]["height"], bodies["images"][0]["width"])
    (one, other), (third,) = bodies["annotations"], nobody["annotations"]
    assert [(one["image_id"], one["identity"]), (other["image_id"], other["identity"])] == [(1, 0), (2, 0)]
    assert third["identity"] is None
    crop = open_image(crops(run, "bodies")["i0"])
    height, width = crop.shape[:2]
    assert (one["bbox"], one["area"]) == ([10, 20, width, height], width * height)
    points = np.array(one["keypoints"]).reshape(17, 3)
    hidden = np.arange(17) % 4 == 3
    assert one["num_keypoints"] == 13
    assert (points[hidden] == 0).all()
    np.testing.assert_allclose(points[~hidden][:, 0], (10 + np.linspace(0, width, 17))[~hidden], atol=0.01)
    faces = json.loads((tmp_path / "annotations/faces_testing.json").read_text())
    assert [len(faces["categories"][0]["keypoints"]), len(faces["annotations"][0]["keypoints"])] == [5, 15]


def test_names_of_strangers_stay_in_the_folder(run, tmp_path):
    copy = str(tmp_path / "run")
    shutil.copytree(run, copy)
    for table in ("faces", "identities"):
        for name in shard_names(copy, table):
            rows = read_shard(shard_path(copy, table, name))
            bad = rows["face_id"].to_pylist()
            column = [key.replace("i5-b0-f0", "../../evil/\x00\n") for key in bad]
            place = rows.schema.get_field_index("face_id")
            write_shard(shard_path(copy, table, name), rows.set_column(place, rows.schema.field(place), [column]))
    for form in ("imagefolder", "jsonl", "hf"):
        assert export(copy, form, str(tmp_path / form)) == len(KEPT)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["hf", "imagefolder", "jsonl", "run"]
    (found,) = [name for name in names(tmp_path / "imagefolder") if "evil" in name]
    assert found == "000003/~2E.~2F..~2Fevil~2F~00~0A.jpg"


REFUSED = {
    ("--as", "csv"): "--as csv: there is no such format; there are hf, coco, imagefolder, jsonl",
    (
        "--as",
        "hf",
        "--table",
        "edges",
    ): "--table edges: the run has no pictures there; it has them in images, bodies",
    ("--as", "hf", "--split", "testing", "--all"): "leave out one of --all and --split",
    ("--as", "coco", "--table", "faces"): "--as coco: it is of whole pictures",
    ("--as", "imagefolder", "--all"): "--as imagefolder: its folders are identities",
    ("--as", "imagefolder", "--table", "images"): "--as imagefolder: its folders are identities",
    ("--as", "imagefolder", "--split", "nobodys"): "--as imagefolder: its folders are identities",
    ("--as", "jsonl", "--split", "none"): "--split none: nobody is in such a split",
}


@pytest.mark.parametrize(("words", "why"), REFUSED.items(), ids=map(" ".join, REFUSED))
def test_what_cannot_be_exported_is_refused_in_a_sentence(run, tmp_path, capsys, words, why):
    assert main(["export", run, *words, "--to", str(tmp_path / "to")]) == 2
    assert why in capsys.readouterr().err


def test_a_run_of_which_nobody_was_kept_leaves_no_file(run, tmp_path, capsys):
    copy = str(tmp_path / "run")
    shutil.copytree(run, copy)
    (name,) = shard_names(copy, "identities")
    rows = read_shard(shard_path(copy, "identities", name))
    write_shard(shard_path(copy, "identities", name), rows.slice(0, 0))
    assert main(["export", copy, "--as", "hf", "--to", str(tmp_path / "to")]) == 2
    assert "no face was kept" in capsys.readouterr().err
    assert not (tmp_path / "to").exists()


def test_whole_images_of_the_chosen_people_have_no_identity(run, tmp_path):
    assert export(run, "jsonl", str(tmp_path), "images", ("training",)) == 6
    (first, *_) = (tmp_path / "training/metadata.jsonl").read_text().splitlines()
    assert json.loads(first)["image_id"] in {f"i{number}" for number in SPLITS["training"]}
    assert "identity" not in json.loads(first)


def test_a_picture_that_is_none_is_told_in_a_sentence(run, tmp_path, capsys):
    copy = str(tmp_path / "run")
    shutil.copytree(run, copy)
    name = shard_names(copy, "faces")[0]
    rows = read_shard(shard_path(copy, "faces", name))
    place = rows.schema.get_field_index("crop")
    broken = rows.set_column(place, rows.schema.field(place), [[b"no picture"] * len(rows)])
    write_shard(shard_path(copy, "faces", name), broken)
    assert main(["export", copy, "--as", "jsonl", "--to", str(tmp_path / "to")]) == 2
    assert "a picture in the table faces is none (starts with b'no picture')" in capsys.readouterr().err


def test_folders_that_are_not_new_or_in_the_run_are_refused(run, tmp_path, capsys):
    (tmp_path / "mine.txt").write_text("here before")
    for folder, why in ((str(tmp_path), "there are files already"), (f"{run}/export", "this is in the run")):
        assert main(["export", run, "--as", "jsonl", "--to", folder]) == 2
        assert why in capsys.readouterr().err
    assert names(tmp_path) == ["mine.txt"]


def test_a_run_in_the_middle_of_a_removal_and_no_run_are_refused(run, tmp_path, capsys):
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    (copy / UNDER_WAY).write_text("{}")
    for folder, why in ((copy, "a removal from this run is not finished"), (tmp_path / "none", "there is no run here")):
        assert main(["export", str(folder), "--as", "jsonl", "--to", str(tmp_path / "to")]) == 2
        assert why in capsys.readouterr().err


def test_every_format_is_one_of_the_command_line():
    assert tuple(module.FORMATS) == export_options.FORMATS
