"""Tables written out for other programs: with the manifest's own columns, and safe in a spreadsheet."""

import csv
import json
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from beam_pipelines.errors import ConfigError
from beam_pipelines.reports import inspection
from transforms.fetch.lists.image_settings import ManifestSettings
from transforms.fetch.lists.manifest import split_manifest
from transforms.fetch.lists.video_manifest import split_videos
from transforms.fetch.lists.video_settings import VideoManifestSettings
from transforms.tables import source_columns
from transforms.tables.shards import shard_path, write_shard

ROOT = Path(__file__).parents[3]
OWN = {"who": "=1+1", "score": 7, "tags": ["a"], "number": 2**80}


@pytest.fixture(params=["image_id", "video_id"])
def run(request, tmp_path):
    """A manifest of two items and a table `things` of three rows, one of an item that is not in the manifest."""
    key, run = request.param, str(tmp_path / "run")
    records = [{"url": "http://a.example/1", "id": "a", **OWN}, {"url": "http://a.example/2", "id": "b"}]
    (tmp_path / "m.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    if key == "image_id":
        split_manifest(str(tmp_path / "m.jsonl"), run, ManifestSettings())
    else:
        split_videos(str(tmp_path / "m.jsonl"), run, VideoManifestSettings())
    table = pa.table(
        {
            "thing_id": ["a-1", "a-2", "c-1"],
            key: ["a", "a", "c"],
            "score": pa.array([0.1, 0.25, None], pa.float32()),
            "box": pa.array([[1.5, 2.0], [0.1, 0.2], [0.3, 0.4]], pa.list_(pa.float32(), 2)),
            "mesh": pa.array([[[1, 2, 3]] * 468, None, None], pa.list_(pa.list_(pa.float32(), 3))),
            "vector": pa.array([[0.5] * 128] * 3, pa.list_(pa.float16(), 128)),
            "names": [["b", "c"], [], None],
            "crop": [b"x", b"y", b"z"],
        }
    )
    write_shard(shard_path(run, "things", "00000"), table)
    return run


def exported(run, tmp_path, name="things", columns=()):
    inspection.export(run, name, str(tmp_path / "out.csv"), columns)
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_manifest_s_own_columns_are_beside_a_table_s(run, tmp_path):
    first, second, other = exported(run, tmp_path)
    assert {name: first[name] for name in ("thing_id", "url", "score", "who", "source_score", "tags", "number")} == {
        "thing_id": "a-1",
        "url": "http://a.example/1",
        "score": "0.1",
        "who": "'=1+1",
        "source_score": "7",
        "tags": '["a"]',
        "number": str(2**80),
    }
    assert second["who"] == "'=1+1"
    assert (other["url"], other["who"], other["source_score"], other["score"]) == ("", "", "", "")
    assert "crop" not in first
    inspection.export(run, "things", str(tmp_path / "out.parquet"))
    table = pq.read_table(tmp_path / "out.parquet")
    assert table["who"].to_pylist() == ["=1+1", "=1+1", None]
    assert table["source_score"].to_pylist() == [7, 7, None]


def test_heavy_columns_stay_out_of_csv_unless_they_are_named(run, tmp_path):
    first, *_ = exported(run, tmp_path)
    assert (first["box"], first["names"]) == ("[1.5, 2.0]", '["b", "c"]')
    assert not {"mesh", "vector"} & first.keys()
    named = exported(run, tmp_path, columns=["mesh", "source_score", "thing_id", "url"])
    assert list(named[0]) == ["mesh", "source_score", "thing_id", "url"]
    assert [len(json.loads(row["mesh"] or "[]")) for row in named] == [468, 0, 0]
    assert [row["source_score"] for row in named] == ["7", "7", ""]
    inspection.export(run, "things", str(tmp_path / "out.parquet"))
    assert {"mesh", "vector"} < set(pq.read_schema(tmp_path / "out.parquet").names)
    inspection.export(run, "things", str(tmp_path / "out.parquet"), ["crop"])
    assert pq.read_table(tmp_path / "out.parquet").to_pydict() == {"crop": [b"x", b"y", b"z"]}


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        (["thing_id", "mash"], "--columns mash: there is no such column; did you mean 'mesh'?"),
        (["source_scor"], "--columns source_scor: there is no such column; did you mean 'source_score'?"),
        (["crop"], "--columns crop: this column holds files, which CSV cannot; write to FILE.parquet."),
        (["mesh", "mesh"], "--columns: a column is named twice; name each once."),
    ],
)
def test_columns_that_cannot_be_written_are_refused(run, tmp_path, columns, sentence):
    with pytest.raises(ConfigError) as refused:
        exported(run, tmp_path, columns=columns)
    assert str(refused.value) == sentence
    assert not (tmp_path / "out.csv").exists()


def test_the_manifest_itself(run, tmp_path):
    first, second = exported(run, tmp_path, "manifest")
    assert (first["url"], first["who"], first["score"], second["who"]) == ("http://a.example/1", "'=1+1", "7", "")


def test_names_without_number_are_no_columns(run, tmp_path, monkeypatch):
    monkeypatch.setattr(source_columns, "MAX_COLUMNS", 3)
    first, *_ = exported(run, tmp_path)
    assert json.loads(first["source"]) == OWN
    assert "who" not in first


def test_no_csv_is_written_but_by_the_one_writer():
    writes = re.compile(r"csv\.(writer|DictWriter|write_csv)|\.to_csv\(|import write_csv")
    files = [
        path for room in ("transforms", "beam_pipelines", "model_handlers") for path in (ROOT / room).rglob("*.py")
    ]
    found = {str(path.relative_to(ROOT)) for path in files for line in path.read_text().splitlines()
             if writes.search(line) and "transforms.tables.csv_cells" not in line}  # fmt: skip
    # a file of overrides is the user's own, to which lines are added in its own form
    assert found == {"transforms/tables/csv_cells.py", "beam_pipelines/browse/overrides_file.py"}
