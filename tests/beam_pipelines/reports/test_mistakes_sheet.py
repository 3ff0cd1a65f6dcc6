"""The picture of the worst mistakes: each part's faces in a frame of its colour, under a title of plain letters."""

from dataclasses import replace

import cv2
import pytest

from beam_pipelines.reports import mistakes_sheet
from beam_pipelines.reports.contact_sheet import CELL
from beam_pipelines.reports.mistakes_sheet import write_mistakes_sheet
from tests.labelled_run import image_face, write_images, write_table
from transforms.evaluation.labelled_faces import labelled_faces
from transforms.evaluation.labels import LabelColumns, read_labels
from transforms.evaluation.mistakes import mistakes
from transforms.images.drawing import FAINT, colour_of
from transforms.tables.rows import Face

FATES = {
    **{f"ann{n}": ("c1", 0) for n in range(12)},
    **{f"bob{n}": ("c1", 0) for n in range(3)},
    **{f"bob{n}": ("c2", 1) for n in range(3, 7)},
    "eve0": ("c3", None),
}
ROW = CELL + 22 + 6


@pytest.fixture
def run(tmp_path) -> str:
    write_images(str(tmp_path / "run"), FATES)
    return str(tmp_path / "run")


def sheet(run, tmp_path, person=lambda name: name[:3]):
    """The number of mistakes on the picture, and the picture."""
    labels = tmp_path / "labels.csv"
    labels.write_text("\n".join(["item,identity", *(f"{name},{person(name)}" for name in FATES)]), encoding="utf-8")
    faces = labelled_faces(run, read_labels(str(labels), LabelColumns()))
    path = str(tmp_path / "sheet.png")
    return write_mistakes_sheet(run, faces, tuple(mistakes(faces)), path), cv2.imread(path)


def frames(image, row: int) -> list[tuple[int, int, int]]:
    """The colour of each cell's frame in a row."""
    lefts = range(6, image.shape[1] - CELL, CELL + 6)
    edges = (tuple(image[row * ROW + 22 + CELL // 2, left + 1].tolist()) for left in lefts)
    return [edge for edge in edges if edge != (250, 250, 250)]


def test_no_mistake(run, tmp_path):
    count, image = sheet(run, tmp_path, lambda name: str(FATES[name][1] or 0) if name != "eve0" else "")
    assert (count, image.shape[0]) == (0, CELL)


def test_faces_of_each_part_stand_together_in_its_colour(run, tmp_path):
    count, image = sheet(run, tmp_path)
    first, second = colour_of(0), colour_of(1)
    assert (count, image.shape[0]) == (3, 3 * ROW)
    assert frames(image, 0) == [first] * 4 + [second] * 3
    assert frames(image, 1) == [first] * 4 + [second] * 3
    assert frames(image, 2) == [mistakes_sheet._GREY]


def test_only_the_worst_of_each_kind_are_shown(run, tmp_path, monkeypatch):
    assert sheet(run, tmp_path, lambda name: name)[0] == 3
    monkeypatch.setattr(mistakes_sheet, "MAX_OF_A_KIND", 1)
    assert sheet(run, tmp_path, lambda name: name)[0] == 2


def test_names_of_strangers_do_not_break_it(run, tmp_path):
    _, plain = sheet(run, tmp_path)
    count, image = sheet(run, tmp_path, lambda name: f"Ünï\u202ecödé 人 {name[:3]} " + "x" * 5000)
    assert count == 3
    assert image.shape[1] < 3 * plain.shape[1]


def test_a_broken_picture_is_a_grey_cell(run, tmp_path):
    broken = replace(image_face("ann1"), crop=b"\xff\xd8 no picture")
    write_table(run, "faces", Face, [broken if name == "ann1" else image_face(name) for name in FATES])
    _, image = sheet(run, tmp_path)  # of ann's faces ann0, ann1, ann10 and ann11 are shown
    centres = [tuple(image[22 + CELL // 2, 6 + place * (CELL + 6) + CELL // 2].tolist()) for place in range(4)]
    assert [centre == FAINT for centre in centres] == [False, True, False, False]
