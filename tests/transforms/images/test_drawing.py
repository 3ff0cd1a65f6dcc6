"""Pictures for people: where each pixel of a row lies, words of strangers, colours that tell apart, broken files."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.images.drawing import (
    CELL,
    FAINT,
    GAP,
    HEADER,
    INK,
    PAPER,
    below,
    beside,
    colour_of,
    paper,
    plain,
    png,
    strip,
    thumbnail,
    width_of,
    write,
)

RED, BLUE = (0, 0, 255), (255, 0, 0)


def patch(height, width, colour):
    return np.full((height, width, 3), colour, np.uint8)


WORDS = [
    ("", ""),
    ("obama 1", "obama 1"),
    ("größe", "gr??e"),
    ("a\nb\tc\0d\x1b[31m", "a?b?c?d?[31m"),
    ("\u202egnp.exe", "?gnp.exe"),
    ("\ud800", "?"),
    ("x" * 200, "x" * 200),
    ("x" * 201, "x" * 197 + "..."),
]


@pytest.mark.parametrize(("text", "line"), WORDS)
def test_words_become_one_line_of_ascii(text, line):
    assert plain(text) == line


@given(st.text(max_size=400))
def test_any_text_can_be_written_and_measured(text):
    canvas = paper(30, 100)
    write(canvas, text, (5, 20))
    assert width_of(text) >= 0
    assert canvas.shape == (30, 100, 3)


def test_words_are_ink_on_paper_where_they_were_put():
    canvas = paper(40, 200)
    write(canvas, "M", (100, 30), 0.6)
    assert (canvas[:, :95] == PAPER).all()
    assert canvas[15:32, 95:130].min() < INK[0] + 40
    assert (canvas[:, 100 + width_of("M", 0.6) + 5 :] == PAPER).all()


def test_a_row_is_a_title_and_pictures_side_by_side():
    row = strip("", [patch(CELL, 30, RED), patch(50, 40, BLUE)])
    assert row.shape == (HEADER + CELL + GAP, 30 + 40 + 3 * GAP, 3)
    assert (row[HEADER : HEADER + CELL, GAP : GAP + 30] == RED).all()
    assert (row[HEADER : HEADER + 50, 30 + 2 * GAP : 70 + 2 * GAP] == BLUE).all()
    row[HEADER : HEADER + CELL, GAP : GAP + 30] = PAPER
    row[HEADER : HEADER + 50, 30 + 2 * GAP : 70 + 2 * GAP] = PAPER
    assert (row == PAPER).all()


def test_pictures_below_and_beside_one_another_are_filled_up_with_paper():
    ones = [patch(10, 20, RED), patch(5, 30, BLUE)]
    high, wide = below(ones), beside(ones)
    assert (high.shape, wide.shape) == ((15, 30, 3), (10, 50, 3))
    assert (high[:10, :20] == RED).all()
    assert (high[:10, 20:] == PAPER).all()
    assert (high[10:] == BLUE).all()
    assert (wide[:5, 20:] == BLUE).all()
    assert (wide[5:, 20:] == PAPER).all()


@pytest.mark.parametrize(
    ("size", "made"),
    [((64, 64), (72, 72)), ((200, 100), (72, 36)), ((10, 1000), (1, 108)), ((1000, 1), (72, 1)), ((1, 1), (72, 72))],
)
def test_a_thumbnail_is_so_high_and_not_much_wider(size, made):
    small = thumbnail(cv2.imencode(".png", patch(*size, RED))[1].tobytes(), 72)
    assert small.shape == (*made, 3)
    assert (small == RED).all()


@pytest.mark.parametrize("data", [b"", b"\xff\xd8 no picture", b"GIF89a"])
def test_what_is_no_picture_becomes_a_grey_cell(data):
    small = thumbnail(data, 72)
    assert small.shape == (72, 72, 3)
    assert (small == FAINT).all()


def test_colours_of_a_few_numbers_tell_apart_from_one_another_and_from_paper():
    colours = np.array([colour_of(number) for number in range(8)], float)
    apart = np.linalg.norm(colours[:, None] - colours, axis=2) + 1e3 * np.eye(8)
    assert apart.min() > 50
    assert (np.linalg.norm(colours - PAPER, axis=1) > 100).all()
    assert colour_of(3) == colour_of(3)


def test_a_png_holds_the_picture():
    picture = patch(7, 9, RED)
    np.testing.assert_array_equal(cv2.imdecode(np.frombuffer(png(picture), np.uint8), cv2.IMREAD_COLOR), picture)
