"""Numbering the names of classes."""

import pytest

from transforms.curation.tracks.class_names import numbered, places_among

CASES = [
    ([], [], []),
    (["b", "a", "b"], ["a", "b"], [1, 0, 1]),
    (["a\0", "a", ""], ["", "a", "a\0"], [2, 1, 0]),
]


@pytest.mark.parametrize(("names", "known", "places"), CASES)
def test_equal_names_have_one_number_and_different_ones_do_not(names, known, places):
    found, numbers = numbered(names)
    assert (found, numbers.tolist(), numbers.dtype.kind) == (known, places, "i")


def test_a_name_that_is_not_known_is_an_error():
    with pytest.raises(KeyError):
        places_among(["cow"], ["cat"])
