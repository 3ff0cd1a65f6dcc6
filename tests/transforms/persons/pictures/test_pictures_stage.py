"""The stage pictures on planted tables: its files and what is on them, its table, ledger, restarts and leftovers."""

import json

import apache_beam as beam
import cv2
import numpy as np
import pytest
from apache_beam.io.filesystems import FileSystems
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from tests.person_tables import BLUE, FACES, GREEN, PERSONS, RED, crop, person, write_tables
from transforms.flow.table_steps import STEPS
from transforms.images.drawing import FAINT, GAP, colour_of
from transforms.persons.pictures.lines import SIDE, TITLE, WORDS
from transforms.persons.pictures.picture_settings import PictureSettings
from transforms.persons.pictures.pictures_stage import OF_VIDEO, DrawPersons, mend_pictures
from transforms.persons.pictures.timeline import RAIL
from transforms.tables.files import commit_file, open_binary
from transforms.tables.ledger import tally
from transforms.tables.shards import read_shard, shard_names, shard_path, write_shard


def draw(run, **settings):
    with beam.Pipeline(runner=FnApiRunner()) as pipeline:
        _ = pipeline | DrawPersons(run, PictureSettings(**settings))


def files(run):
    found = {}
    for entry in FileSystems.match([f"{run}/clusters/**"])[0].metadata_list:
        with open_binary(entry.path) as file:
            found[entry.path[len(run) + 1 :]] = file.read()
    return found


def picture(run, name):
    with open_binary(f"{run}/clusters/{name}") as file:
        return cv2.imdecode(np.frombuffer(file.read(), np.uint8), cv2.IMREAD_COLOR)


def faces_of_line(image, number):
    """The colours of the faces on a line, until there is none."""
    top = TITLE + number * (SIDE + GAP)
    lefts = range(WORDS, image.shape[1] - SIDE, SIDE + GAP)
    cells = [image[top + 10 : top + SIDE - 10, left + 10 : left + SIDE - 10] for left in lefts]
    return [cell.mean(axis=(0, 1)).round() for cell in cells if cell.min(axis=2).max() < 240]


def band(image, number):
    return tuple(image[TITLE + number * (SIDE + GAP) + 5, GAP + 1].tolist())


def test_no_face(folder):
    write_tables(folder, [], [])
    draw(folder)
    assert files(folder) == {}
    assert shard_names(folder, "person_pictures") == ["00000"]
    assert tally(folder, "pictures").items == 0


def test_faces_lie_in_the_folder_of_their_person(folder):
    write_tables(folder)
    draw(folder)
    assert (STEPS["pictures"].what, STEPS["pictures"].done) == ("videos drawn", STEPS["pictures"].total)
    found = {name: content for name, content in files(folder).items() if name.endswith(".jpg")}
    assert found == {
        **{f"clusters/a/cluster_with_5/cluster_1/0000{n}.000_a-n{n}-f0.jpg": crop(RED) for n in range(5)},
        **{f"clusters/a/cluster_with_3/cluster_2/0000{n}.000_a-n{n}-f1.jpg": crop(GREEN) for n in (4, 5, 9)},
    }
    rows = read_shard(shard_path(folder, "person_pictures", "00000")).to_pylist()
    assert {row["file"] for row in rows} == set(found)
    assert {(row["face_id"], row["identity"]) for row in rows} == {
        (one.face_id, one.person) for one in FACES if one.person is not None
    }
    assert tally(folder, "pictures").by_reason == {"kept": 8}


def test_every_video_with_a_face_has_its_pictures_and_lists(folder):
    write_tables(folder)
    draw(folder)
    names = {name for name in files(folder) if not name.endswith(".jpg")}
    assert names == {f"clusters/{video}/{name}" for video in "ab" for name in OF_VIDEO}
    told = json.loads(files(folder)["clusters/a/persons.json"])
    assert (told["video_id"], told["label"], told["seconds"]) == ("a", "mood", 10)
    assert [one["file"] for one in told["persons"]] == [
        "clusters/a/cluster_with_5/cluster_1/00002.000_a-n2-f0.jpg",
        "clusters/a/cluster_with_3/cluster_2/00009.000_a-n9-f1.jpg",
    ]
    assert json.loads(files(folder)["clusters/b/persons.json"])["persons"] == []
    assert files(folder)["clusters/b/persons.csv"].count(b"\n") == 1


@pytest.fixture
def drawn(tmp_path):
    run = str(tmp_path / "run")
    write_tables(run)
    draw(run)
    return run


def test_before_merging_there_is_a_line_a_cluster_in_the_colour_of_its_person(drawn):
    image = picture(drawn, "a/before.png")
    lines = [[GREEN] * 3, [RED] * 3, [RED] * 2, [BLUE]]  # two have three faces: the one longer on screen is first
    for number, colours in enumerate(lines):
        np.testing.assert_allclose(faces_of_line(image, number), colours, atol=5)
    assert [band(image, n) for n in range(4)] == [colour_of(1), colour_of(0), colour_of(0), FAINT]
    assert image.shape[0] == TITLE + 4 * (SIDE + GAP)


def test_after_merging_there_is_a_line_a_person(drawn):
    image = picture(drawn, "a/after.png")
    for number, colours in enumerate([[RED] * 5, [GREEN] * 3]):
        np.testing.assert_allclose(faces_of_line(image, number), colours, atol=5)
    assert image.shape[0] == TITLE + 2 * (SIDE + GAP)
    assert picture(drawn, "b/after.png").shape[0] == TITLE + SIDE  # a sentence: there is none


def test_the_timeline_has_bars_where_a_person_is_seen(drawn):
    image = picture(drawn, "a/timeline.png")
    left = WORDS + SIDE + 2 * GAP
    for number, spans in enumerate(([(0, 4.5)], [(3.5, 5.5), (8.5, 9.5)])):
        row = image[TITLE + number * (SIDE + GAP) + SIDE // 2, left : left + RAIL]
        seen = np.flatnonzero((row == colour_of(number)).all(axis=1)).tolist()
        assert seen == [x for a, b in spans for x in range(round(a / 10 * RAIL), round(b / 10 * RAIL))]
    np.testing.assert_allclose(image[TITLE + 30, WORDS + 30], RED, atol=5)


def test_overviews_are_capped(tmp_path):
    run = str(tmp_path / "run")
    write_tables(run)
    draw(run, clusters=2, faces=2)
    image = picture(run, "a/before.png")
    assert image.shape[:2] == (TITLE + 2 * (SIDE + GAP), max(WORDS + 2 * (SIDE + GAP) + GAP, image.shape[1]))
    assert [len(faces_of_line(image, n)) for n in range(2)] == [2, 2]


def test_persons_that_are_not_key_are_not_on_the_timeline_unless_none_is(tmp_path):
    heights = []
    for keys in ((True, True), (True, False), (False, False)):
        run = str(tmp_path / "".join(map(str, keys)))
        write_tables(run, persons=[person(1, 1, "a-n2-f0", key=keys[0]), person(0, 2, "a-n9-f1", key=keys[1])])
        draw(run)
        heights.append(len(picture(run, "a/timeline.png")))
    assert heights == [heights[0], heights[0] - SIDE - GAP, heights[0]]


def test_few_files_are_spread_over_time_beside_the_face_that_stands_for_the_person(folder):
    write_tables(folder)
    draw(folder, files=2)
    names = sorted(name.rpartition("_")[2] for name in files(folder) if name.endswith(".jpg"))
    assert names == ["a-n0-f0.jpg", "a-n2-f0.jpg", "a-n4-f0.jpg", "a-n4-f1.jpg", "a-n9-f1.jpg"]
    counts = tally(folder, "pictures")
    assert (counts.by_reason, counts.rows) == ({"kept": 5, "not_selected": 3}, 5)


def test_a_second_time_makes_the_same_and_leaves_nothing_of_an_earlier_state(folder):
    write_tables(folder)
    draw(folder)
    first = files(folder)
    for name in ("c/before.png", "c/cluster_with_9/cluster_1/00001.000_c-n1-f0.jpg", "a/mine.txt"):
        with commit_file(f"{folder}/clusters/{name}") as out:
            out.write(b"of earlier")
    draw(folder)
    assert files(folder) == first | {"clusters/a/mine.txt": b"of earlier"}


@pytest.mark.parametrize("gone", [("a", 1), ("a", 0), ("a", None), ("b", None)])
def test_after_a_removal_it_shows_what_a_run_without_them_does_and_draws_no_other_video(folder, tmp_path, gone):
    """Of the video a person goes, or all; files of the other keep their bytes and are not written."""
    video, number = gone
    write_tables(folder)
    draw(folder)
    faces = [one for one in FACES if one.video != video or (number is not None and one.person != number)]
    persons = [one for one in PERSONS if one.video_id != video or (number is not None and one.identity != number)]
    write_tables(folder, faces, persons)
    other = {name for name in files(folder) if not name.startswith(f"clusters/{video}/")}
    for name in other:  # whoever draws it again shows it
        with commit_file(f"{folder}/{name}") as out:
            out.write(f"{name} as it was".encode() if name.endswith(".png") else files(folder)[name])
    before = files(folder)
    mend_pictures(folder, PictureSettings())
    mended = files(folder)
    assert {name: mended[name] for name in other} == {name: before[name] for name in other}
    whole = str(tmp_path / "whole")
    write_tables(whole, faces, persons)
    draw(whole)
    fresh = files(whole)
    assert mended.keys() == fresh.keys()
    assert all(mended[name] == fresh[name] for name in mended.keys() - other)
    mend_pictures(folder, PictureSettings())
    assert files(folder) == mended


def test_faces_that_are_no_pictures_cost_themselves_alone(tmp_path, monkeypatch):
    run = str(tmp_path / "run")
    monkeypatch.setattr("tests.person_tables.crop", lambda colour: b"no picture")
    write_tables(run)
    draw(run)
    np.testing.assert_array_equal(faces_of_line(picture(run, "a/after.png"), 0), [FAINT] * 5)


def test_a_face_whose_name_leads_out_of_the_run_stays_in_it(tmp_path):
    run = tmp_path / "run"
    evil = "../../../evil"
    planted = [one for one in FACES if one.video == "a"]
    write_tables(str(run), planted, PERSONS)
    _rename(str(run), "a-n2-f0", evil)
    draw(str(run))
    assert [path for path in tmp_path.iterdir() if path.name != "run"] == []
    (made,) = [path for path in run.rglob("*.jpg") if "evil" in path.name]
    assert made.parent == run / "clusters" / "a" / "cluster_with_5" / "cluster_1"


def _rename(run, old, new):
    """Call a face by another name in all tables."""
    for table in ("faces", "identities", "persons"):
        for name in shard_names(run, table):
            path = shard_path(run, table, name)
            rows = read_shard(path)
            names = [new if one == old else one for one in rows["face_id"].to_pylist()]
            place = rows.schema.get_field_index("face_id")
            write_shard(path, rows.set_column(place, rows.schema.field(place), [names]))
