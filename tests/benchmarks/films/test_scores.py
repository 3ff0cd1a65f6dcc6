"""Whose a face is by its place in the frame, and scores of films worked by hand."""

import numpy as np
import pytest

from benchmarks.films.scores import NOBODY, Scores, key_persons, mean, scores, truth
from transforms.persons.appearances import Appearances

I64 = np.int64


def faces(boxes: list[tuple[float, float, float, float]], frame: list[int]) -> Appearances:
    count = len(frame)
    units = np.zeros((count, 2), np.float32)
    return Appearances(
        tuple(f"f{n}" for n in range(count)),
        np.array(frame, I64),
        np.array(frame, np.float64),
        np.zeros(count, I64),
        np.array(boxes, np.float32).reshape(-1, 4),
        units,
        units,
    )


PLAYED = [
    [("ann", np.array([10.0, 10.0])), ("bob", np.array([30.0, 10.0]))],
    [("bob", None)],
    [],
]


@pytest.mark.parametrize(
    ("box", "frame", "who"),
    [
        ((5, 5, 15, 15), 0, 0),
        ((25, 5, 35, 15), 0, 1),
        ((5, 5, 34, 15), 0, 0),  # both centres are in it; ann's is nearer to its own
        ((50, 5, 60, 15), 0, NOBODY),
        ((50, 5, 60, 15), 1, 1),  # whichever face it is
        ((5, 5, 15, 15), 2, NOBODY),
    ],
)
def test_a_face_is_of_who_has_the_nearest_centre_inside_its_box(box, frame, who):
    assert truth(faces([box], [frame]), ("ann", "bob"), PLAYED).tolist() == [who]


def test_no_faces_are_nobodys():
    assert truth(faces([], []), ("ann",), PLAYED).tolist() == []


def test_key_persons_are_seen_in_a_tenth_of_the_frames():
    played = np.array([0] * 10 + [1] * 9 + [NOBODY] * 50, I64)
    frame = np.array([*range(10), *range(9), *range(50)], I64)
    assert key_persons(played, frame, 100) == [0]
    assert key_persons(played, frame, 90) == [0, 1]
    twice = np.zeros(10, I64)  # the same person twice in each of five frames
    assert key_persons(twice, np.repeat(np.arange(5), 2), 51) == []


@pytest.mark.parametrize(
    ("found", "nmi", "f", "key_nmi"),
    [
        ([0, 0, 1, 1, 2, 2], 1, 1, 1),
        ([0, 0, 1, 1, 1, 2], 1, 1, 1),  # a face that is nobody's is in bob's cluster
        ([0, 0, 0, 0, 0, 0], 0, 2 / 3, 0),  # precision 1/2, recall 1
    ],
)
def test_faces_that_are_nobodys_do_not_count(found, nmi, f, key_nmi):
    played = np.array([0, 0, 1, 1, NOBODY, NOBODY], I64)
    got = scores(np.array(found, I64), played, np.arange(6), 10)
    assert got.nmi == pytest.approx(nmi)
    assert got.key_nmi == pytest.approx(key_nmi)
    assert got.f == pytest.approx(f)


def test_the_score_of_key_persons_leaves_the_others_out():
    played = np.array([0, 0, 1, 1, 2], I64)
    found = np.array([0, 0, 1, 1, 1], I64)
    got = scores(found, played, np.arange(5), 20)
    assert got.key_nmi == 1
    assert got.nmi < 1


def test_the_mean_is_of_each_score():
    assert mean([Scores(1, 0.5, 0), Scores(0, 0.5, 0.5)]) == Scores(0.5, 0.5, 0.25)
