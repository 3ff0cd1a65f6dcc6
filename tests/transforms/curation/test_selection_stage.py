"""The stage selection on planted tables: folders, JSON in its form, table, ledger; restarts and leftovers."""

import json

import apache_beam as beam
import pytest
from apache_beam.io.filesystems import FileSystems
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from model_handlers.models.roles import Models
from tests.video_rows import face, write_faces
from transforms.curation.selection_stage import SelectFaces
from transforms.curation.settings import SelectionSettings
from transforms.tables.files import open_binary
from transforms.tables.ledger import read_ledger, tally
from transforms.tables.rows import Identity
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import read_shard, shard_names, shard_path, to_table, write_shard
from transforms.videos.shot_settings import ShotSettings

SCORE_KEYS = [
    "filename", "frame_index", "face_index", "sharpness", "frontality", "identity_strength", "face_ratio", "yaw",
    "pitch", "roll", "composite_score", "bg_hash", "emotion_score", "source_label",
]  # fmt: skip
RESULT_KEYS = ["total_faces", "high_quality_selected", "temporal_selected", "high_quality_files", "temporal_files"]
SETTINGS = SelectionSettings(high_quality=2, temporal=3)


def select(run, settings=SETTINGS):
    with beam.Pipeline(runner=FnApiRunner()) as pipeline:
        _ = pipeline | SelectFaces(run, settings, ShotSettings(), Models())


def write_run(run, faces, person):
    """The faces in two shards in some order; `person` says whose each is, None for noise."""
    for number, name in enumerate(("00000", "r0001-faces-00000")):
        write_faces(run, name, faces[::-1][number::2])
    rows = [
        Identity(
            one.face_id, None, one.frame_id, one.label, "{}", None, who, 0.75 if who is not None else None,
            "" if who is not None else "noise",
        )
        for one, who in zip(faces, person, strict=True)
    ]  # fmt: skip
    rows.sort(key=lambda row: row.face_id)
    write_shard(shard_path(run, "identities", "00000"), to_table(rows, arrow_schema(Identity)))


def planted():
    """Two persons and noise; the first has a sequence, the second has holes; shots are known."""
    first = [face("a", n, shot=0, composite=0.5 + n / 100, emotion="happy" if n else "sad") for n in range(4)]
    second = [face("b", n, shot=n // 4, composite=0.6) for n in (0, 1, 3, 4, 5)]
    left = [face("b", 2, 1, emotion=None, emotion_score=None, label="street")]
    return first + second + left, [0] * 4 + [1] * 5 + [None]


def files(run):
    found = {}
    for folder in ("final", "metadata"):
        for entry in FileSystems.match([f"{run}/{folder}/**"])[0].metadata_list:
            with open_binary(entry.path) as file:
                found[entry.path[len(run) + 1 :]] = file.read()
    return found


def read_json(run, name):
    return json.loads(files(run)[f"metadata/{name}.json"])


def test_no_persons(folder):
    write_run(folder, [], [])
    select(folder)
    assert {name: json.loads(content) for name, content in files(folder).items()} == {
        f"metadata/{name}.json": {} for name in ("quality_scores", "identity_map", "selection_results")
    }
    assert shard_names(folder, "selection") == ["00000"]
    assert tally(folder, "selection").items == 0


def test_images_lie_in_their_person_s_folder(folder):
    faces, person = planted()
    write_run(folder, faces, person)
    select(folder)
    crops = {one.face_id: one.crop for one in faces}
    images = {name: content for name, content in files(folder).items() if name.startswith("final/")}
    assert images == {
        "final/person_0000/high_quality/000_a-n3-f0.jpg": crops["a-n3-f0"],
        "final/person_0000/high_quality/001_a-n2-f0.jpg": crops["a-n2-f0"],
        "final/person_0000/temporal_sequence/000_a-n1-f0.jpg": crops["a-n1-f0"],
        "final/person_0000/temporal_sequence/001_a-n2-f0.jpg": crops["a-n2-f0"],
        "final/person_0000/temporal_sequence/002_a-n3-f0.jpg": crops["a-n3-f0"],
        "final/person_0001/high_quality/000_b-n0-f0.jpg": crops["b-n0-f0"],
        "final/person_0001/high_quality/001_b-n1-f0.jpg": crops["b-n1-f0"],
    }
    rows = read_shard(shard_path(folder, "selection", "00000")).to_pylist()
    assert {row["file"] for row in rows} == set(images)
    assert [(row["identity"], row["group"], row["place"]) for row in rows[:3]] == [
        (0, "high_quality", 0),
        (0, "high_quality", 1),
        (0, "temporal_sequence", 0),
    ]


def test_every_face_of_a_person_is_in_the_ledger(folder):
    faces, person = planted()
    write_run(folder, faces, person)
    select(folder)
    counts = tally(folder, "selection")
    assert (counts.by_reason, counts.rows) == ({"kept": 5, "not_selected": 4}, 7)
    rows = {row["item_id"]: row["rows"] for _, table in read_ledger(folder, "selection") for row in table.to_pylist()}
    assert rows["a-n3-f0"] == 2
    assert rows["a-n0-f0"] == 0
    assert "b-n2-f1" not in rows


def test_metadata_in_the_form_of_earlier_systems(folder):
    faces, person = planted()
    write_run(folder, faces, person)
    select(folder)
    scores = read_json(folder, "quality_scores")
    assert {name: len(some) for name, some in scores.items()} == {
        "happy/a": 3, "happy/b": 5, "sad/a": 1, "unknown/b": 1
    }  # fmt: skip
    assert all(list(one) == SCORE_KEYS for some in scores.values() for one in some)
    assert scores["unknown/b"] == [
        {
            "filename": "frame_00002_face_1.jpg",
            "frame_index": 2,
            "face_index": 1,
            "sharpness": 250.0,
            "frontality": 0.75,
            "identity_strength": None,
            "face_ratio": 0.1,
            "yaw": 1.0,
            "pitch": 2.0,
            "roll": 3.0,
            "composite_score": 0.5,
            "bg_hash": "00000000000000ff",
            "emotion_score": None,
            "source_label": "street",
        }
    ]
    assert scores["sad/a"][0]["identity_strength"] == 0.75
    assert read_json(folder, "identity_map")["person_0000"] == {
        "happy": [f"frames/happy/a/frame_0000{n}_face_0.jpg" for n in (1, 2, 3)],
        "sad": ["frames/sad/a/frame_00000_face_0.jpg"],
    }
    results = read_json(folder, "selection_results")
    assert list(results) == ["person_0000", "person_0001"]
    assert all(list(one) == RESULT_KEYS for one in results.values())
    assert results["person_0001"] == {
        "total_faces": 5,
        "high_quality_selected": 2,
        "temporal_selected": 0,
        "high_quality_files": [f"final/person_0001/high_quality/00{n}_b-n{n}-f0.jpg" for n in (0, 1)],
        "temporal_files": [],
    }
    assert len(results["person_0000"]["temporal_files"]) == results["person_0000"]["temporal_selected"] == 3


def test_nothing_of_an_earlier_state_stays(folder):
    faces, person = planted()
    write_run(folder, faces, person)
    select(folder)
    again = [None if who == 0 else 0 for who in person[:9]] + [None]
    write_run(folder, faces, again)
    select(folder, SelectionSettings(high_quality=1, temporal=3))
    images = [name for name in files(folder) if name.startswith("final/")]
    assert images == ["final/person_0000/high_quality/000_b-n0-f0.jpg"]
    if "://" not in folder:
        assert [entry.path for entry in FileSystems.match([f"{folder}/final/person_0001*"])[0].metadata_list] == []


def test_what_is_no_image_of_a_person_stays(tmp_path):
    faces, person = planted()
    write_run(str(tmp_path), faces, person)
    (tmp_path / "final" / "person_0007" / "high_quality").mkdir(parents=True)
    note = tmp_path / "final" / "person_0007" / "note.txt"
    note.write_text("mine")
    (note.parent / "high_quality" / "000_x.jpg").write_bytes(b"old")
    select(str(tmp_path))
    assert note.read_text() == "mine"
    assert [path.name for path in note.parent.iterdir()] == ["note.txt"]


def test_shards_and_order_change_nothing(tmp_path):
    found = []
    faces, person = planted()
    for number, order in enumerate((range(10), (3, 1, 9, 2, 8, 0, 7, 4, 6, 5))):
        run = str(tmp_path / str(number))
        write_run(run, [faces[i] for i in order], [person[i] for i in order])
        select(run)
        found.append((files(run), read_shard(shard_path(run, "selection", "00000")).to_pylist()))
    assert found[0] == found[1]


@pytest.mark.parametrize("face_id", ["../../x-n0-f0", "a/b-n0-f0", "a\x00b-n0-f0", ".-n0-f0", "v" * 300 + "-n0-f0"])
def test_ids_are_safe_as_names(tmp_path, face_id):
    run = str(tmp_path / "run")
    write_run(run, [face("a", 0, face_id=face_id, crop=b"here")], [0])
    select(run)
    (image,) = (tmp_path / "run" / "final" / "person_0000" / "high_quality").iterdir()
    assert image.read_bytes() == b"here"
    assert image.name.startswith("000_")
    assert len(image.name) < 200
    assert {path.name for path in tmp_path.iterdir()} == {"run"}


def test_a_face_that_is_gone_is_one_sentence(tmp_path):
    faces, person = planted()
    write_run(str(tmp_path), faces, person)
    write_faces(str(tmp_path), "00000", [])
    with pytest.raises(Exception, match="another state of the run"):
        select(str(tmp_path))
