"""Lines of an overview: where band, words and faces lie; columns for many clusters; times as people write them."""

import numpy as np
import pytest

from transforms.images.drawing import GAP, PAPER
from transforms.persons.pictures.lines import SIDE, TITLE, WORDS, Line, clock, counted, draw_line, heading, overview

RED, BLUE = (0, 0, 255), (255, 0, 0)


def patch(colour, width=SIDE):
    return np.full((SIDE, width, 3), colour, np.uint8)


CLOCK = [
    (0, "0.0 s"),
    (4.46, "4.5 s"),
    (59.96, "1:00"),
    (60, "1:00"),
    (64.4, "1:04"),
    (3599.6, "1:00:00"),
    (3723, "1:02:03"),
]


@pytest.mark.parametrize(("seconds", "words"), CLOCK)
def test_times(seconds, words):
    assert clock(seconds) == words


@pytest.mark.parametrize(("number", "words"), [(0, "0 faces"), (1, "1 face"), (2, "2 faces"), (1234, "1,234 faces")])
def test_numbers_with_their_noun(number, words):
    assert counted(number, "face") == words


def test_a_line_has_its_colour_its_words_and_its_faces_in_their_places():
    made = draw_line(Line(("12 faces", "4.0 s"), [patch(RED), patch(BLUE)], (10, 90, 170)), WORDS + 200)
    assert made.shape == (SIDE + GAP, WORDS + 200, 3)
    assert (made[:SIDE, GAP + 1] == (10, 90, 170)).all()
    assert (made[:SIDE, WORDS : WORDS + SIDE] == RED).all()
    assert (made[:SIDE, WORDS + SIDE + GAP : WORDS + 2 * SIDE + GAP] == BLUE).all()
    assert (made[SIDE:] == PAPER).all()
    assert (made[:, WORDS + 2 * SIDE + GAP :] == PAPER).all()
    assert (made[5:30, GAP + 12 : WORDS - GAP] < 100).any()


def test_faces_without_room_are_left_out_and_long_words_are_cut():
    made = draw_line(Line(("W" * 300,), [patch(RED), patch(BLUE)], RED), WORDS + SIDE + 10)
    assert (made[:SIDE, WORDS : WORDS + SIDE] == RED).all()
    assert (made[:, WORDS + SIDE :] == PAPER).all()
    assert (made[:, WORDS - GAP : WORDS] == PAPER).all()


def test_a_heading_is_as_wide_as_its_words():
    assert heading("a").shape[0] == TITLE
    assert heading("a title", "and a note").shape[1] > heading("a title").shape[1] > heading("a").shape[1]


def test_no_line_leaves_a_sentence():
    made = overview("title", "note", [], "there is none")
    assert made.shape[0] == TITLE + SIDE
    assert (made[TITLE:] < 100).any()


def test_many_lines_stand_in_columns_of_twenty():
    lines = [Line((str(n),), [patch((n, 0, 200))], RED) for n in range(43)]
    made = overview("", "", lines, "")
    column = WORDS + SIDE + 2 * GAP
    assert made.shape == (TITLE + 20 * (SIDE + GAP), 3 * column, 3)
    for n in range(43):
        top, left = TITLE + n % 20 * (SIDE + GAP), n // 20 * column + WORDS
        assert (made[top : top + SIDE, left : left + SIDE] == (n, 0, 200)).all()
    assert (made[TITLE + 3 * (SIDE + GAP) :, 2 * column :] == PAPER).all()
