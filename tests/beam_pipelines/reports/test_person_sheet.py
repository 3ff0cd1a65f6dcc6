"""The picture of a run's persons: a block a video that has one, and in it faces and bars of each."""

import cv2
import numpy as np

from beam_pipelines.reports.person_sheet import FACES as SHOWN
from beam_pipelines.reports.sheet import write_sheet
from tests.person_tables import FACES, GREEN, RED, person, write_tables
from transforms.images.drawing import GAP, colour_of
from transforms.persons.pictures.lines import SIDE, TITLE, WORDS
from transforms.persons.pictures.timeline import RAIL


def test_no_person(tmp_path):
    run = str(tmp_path / "run")
    write_tables(run, FACES[-1:], [])
    assert write_sheet(run, str(tmp_path / "sheet.png")) == "0 persons"
    assert (cv2.imread(str(tmp_path / "sheet.png")) < 100).any()


def test_a_person_has_a_row_with_faces_and_bars(tmp_path):
    run, path = str(tmp_path / "run"), tmp_path / "sheet.png"
    write_tables(run)
    assert write_sheet(run, str(path)) == "2 persons"
    image = cv2.imread(str(path))
    left = WORDS + SHOWN * (SIDE + GAP) + GAP
    for number, (colour, half) in enumerate(((RED, 0.2), (GREEN, 0.9))):
        middle = TITLE + number * (SIDE + GAP) + SIDE // 2
        np.testing.assert_allclose(image[middle, WORDS + SIDE // 2], colour, atol=5)
        assert tuple(image[middle, left + round(half * RAIL)].tolist()) == colour_of(number)
        assert tuple(image[middle, left + round(0.7 * RAIL)].tolist()) != colour_of(number)


def test_persons_that_are_not_key_are_left_out(tmp_path):
    run = str(tmp_path / "run")
    write_tables(run, persons=[person(1, 1, "a-n2-f0"), person(0, 2, "a-n9-f1", key=False)])
    assert write_sheet(run, str(tmp_path / "sheet.jpg")) == "1 persons"
