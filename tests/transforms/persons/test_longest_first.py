"""Who is seen longest: labels with their rows, spans and seconds, whatever the order of the faces."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from transforms.persons.screen_time import longest_first, moments, share

MOMENTS = moments(np.arange(10), np.arange(10.0), 10)


def seen(labels, frames):
    found = longest_first(np.array(labels, np.int64), np.array(frames, np.int64), MOMENTS)
    return [(one.label, one.rows.tolist(), one.spans, one.seconds) for one in found]


def test_nobody():
    assert seen([], []) == seen([-1, -1], [0, 3]) == []


def test_the_longest_is_first_and_among_equals_the_smaller_label():
    assert seen([2, 0, -1, 1, 1, 2], [4, 8, 1, 5, 6, 4]) == [
        (1, [3, 4], [(4.5, 6.5)], 2),
        (0, [1], [(7.5, 8.5)], 1),
        (2, [0, 5], [(3.5, 4.5)], 1),
    ]


@given(st.lists(st.tuples(st.integers(-1, 3), st.integers(0, 9)), max_size=20), st.randoms())
def test_the_order_of_faces_makes_no_difference_but_to_their_rows(faces, random):
    orders = [faces, random.sample(faces, len(faces))]
    first, again = (seen([label for label, _ in one], [frame for _, frame in one]) for one in orders)
    assert [one[0] for one in first] == [one[0] for one in again]
    assert [one[2:] for one in first] == [one[2:] for one in again]
    assert {one[0] for one in first} == {label for label, _ in faces} - {-1}


def test_a_share_of_no_time_is_none():
    assert (share(1, 4), share(1, 0)) == (0.25, 0)
