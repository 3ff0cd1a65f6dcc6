"""The hardest pairs are those most wrong, in an order that rows do not change; as CSV and seen."""

import csv

import cv2
import numpy as np
import pyarrow as pa
import pytest

from beam_pipelines.reports import hardest_pairs
from beam_pipelines.reports.contact_sheet import CELL
from beam_pipelines.reports.hardest_pairs import HardPair, hardest, write_list, write_pictures
from tests.embedded_faces import write_pictures as write_run
from transforms.evaluation.compared import Compared

NAMES = ["b", "a", "d", "c"]
ROWS = [
    ("a", "b", 0.9, False),
    ("c", "d", 0.2, True),
    ("a", "c", 0.9, False),
    ("b", "d", 0.1, False),
    ("b", "c", 0.8, True),
]


def compared(rows):
    ends = [np.array([NAMES.index(row[end]) for row in rows], np.int64) for end in (0, 1)]
    same = np.array([row[3] for row in rows], bool)
    similarity = np.array([row[2] for row in rows], np.float32)
    names = pa.array(NAMES, pa.large_string())
    faces = pa.array([f"{name}-f0" for name in NAMES], pa.large_string())
    return Compared(names, faces, *ends, same, similarity, {})


def told(pairs):
    return [("".join(pair.items), pair.same, pair.wrong) for pair in pairs]


def test_no_pairs(tmp_path):
    assert hardest(compared([]), 0.5) == []
    write_list(str(tmp_path / "hardest.csv"), [])
    assert (tmp_path / "hardest.csv").read_text().splitlines() == [
        "kind,similarity,wrong,first,second,first_face,second_face"
    ]


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("order", [[0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [2, 0, 4, 1, 3]])
def test_the_most_wrong_stand_first_whatever_the_order_of_rows_and_of_their_items(order, turned):
    rows = [ROWS[place] for place in order]
    rows = [(row[1], row[0], *row[2:]) for row in rows] if turned else rows
    found = hardest(compared(rows), 0.5)
    assert told(found) == [
        ("ab", False, True),
        ("ac", False, True),
        ("bd", False, False),
        ("cd", True, True),
        ("bc", True, False),
    ]
    assert found[0].face_ids == ("a-f0", "b-f0")


def test_no_more_than_so_many_of_each_kind(monkeypatch):
    monkeypatch.setattr(hardest_pairs, "LISTED", 1)
    assert told(hardest(compared(ROWS), np.inf)) == [("ab", False, False), ("cd", True, True)]


def test_strangers_names_are_safe_in_the_list(tmp_path):
    pair = HardPair(('=cmd|"x"', "b,\nc"), ("f", "g"), 0.25, True, False)
    write_list(str(tmp_path / "hardest.csv"), [pair])
    with (tmp_path / "hardest.csv").open(newline="") as file:
        _, row = csv.reader(file)
    assert row == ["same", "0.25", "no", '\'=cmd|"x"', "b,\nc", "f", "g"]


@pytest.fixture
def run(tmp_path) -> str:
    return write_run(str(tmp_path / "run"), dict.fromkeys(NAMES, (1, 0)))


def cell_colours(picture, row, column):
    """Mean colours of both faces of a pair on the sheet."""
    top, left = row, column * (2 * CELL + 24) + 6
    faces = [picture[top + 22 : top + 22 + CELL, left + place : left + place + CELL] for place in (0, CELL + 6)]
    return [face.mean(axis=(0, 1)).tolist() for face in faces]


def test_both_faces_of_a_pair_stand_side_by_side(run, tmp_path):
    path = tmp_path / "hardest.png"
    write_pictures(str(path), run, hardest(compared(ROWS), 0.5))
    picture = cv2.imread(str(path))
    heading, row = 34, CELL + 28
    assert picture.shape == (2 * (heading + row), 4 * (2 * CELL + 24), 3)
    first = cell_colours(picture, heading, 0)
    assert first[0] == pytest.approx(cell_colours(picture, heading, 1)[0], abs=1)  # a in a-b and in a-c
    assert first[1] == pytest.approx(cell_colours(picture, heading, 2)[0], abs=1)  # b in a-b and in b-d
    assert first[0] != pytest.approx(first[1], abs=1)
    red = (picture[..., 2] > 200) & (picture[..., 1] < 80)
    wrong = [red[34 : 34 + row, column * 264 : column * 264 + 3].any() for column in range(3)]
    assert wrong == [True, True, False]


@pytest.mark.parametrize("name", ["", "/", "x" * 500, "ü/ß.jpg", "\x00\n", "a.b.c/d", "."])
def test_any_name_can_be_written_above_a_pair(run, tmp_path, name):
    pair = HardPair((name, name), ("a-f0", "b-f0"), 0.5, False, True)
    write_pictures(str(tmp_path / "hardest.png"), run, [pair])
    assert cv2.imread(str(tmp_path / "hardest.png")).shape[1] == 4 * (2 * CELL + 24)
