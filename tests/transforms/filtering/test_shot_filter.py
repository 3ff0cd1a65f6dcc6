import numpy as np
import pytest

from transforms.filtering.shot_filter import FILTERS, ShotFilter, load_filter, mean, measured, score

OWN = "tests.transforms.filtering.own_filters"
PIXELS = np.full((200, 300, 3), (9, 0, 0), np.uint8)
PIXELS.flags.writeable = False


@pytest.mark.parametrize(
    ("values", "expected"), [([], np.nan), ([np.nan], np.nan), ([1, 2], 1.5), ([1, np.nan, 2, np.inf], 1.5)]
)
def test_the_mean_is_of_what_is_finite(values, expected):
    assert mean([np.array(value) for value in values]) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize("name", FILTERS)
def test_filters_that_come_along_measure_and_score(name):
    found = [measured(name, PIXELS)] * 3
    assert isinstance(score(name, found), float)


def test_one_s_own_is_found_by_its_place():
    assert isinstance(load_filter(f"{OWN}:RED"), ShotFilter)
    assert score(f"{OWN}:RED", [measured(f"{OWN}:RED", PIXELS)]) == 9


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("drak", "there is no filter 'drak'; did you mean 'dark'?"),
        ("elsewhere.filters:RED", "there is no module 'elsewhere'"),
        (f"{OWN}:REED", "did you mean 'RED'?"),
        (f"{OWN}:no_filter", "this is a function and no ShotFilter."),
    ],
)
def test_what_is_no_filter_is_a_sentence(name, sentence):
    with pytest.raises(ValueError) as error:  # noqa: PT011 the sentence is looked at below
        load_filter(name)
    assert sentence in str(error.value)


@pytest.mark.parametrize(
    ("name", "kind", "sentence"),
    [
        ("FAILS", RuntimeError, "own_filters:FAILS': ZeroDivisionError: "),
        ("WORDS", ValueError, "bytes of <U3 of a frame; it may be numbers"),
        ("WHOLE_FRAMES", ValueError, "measures 180000 bytes of uint8 of a frame"),
        ("CHANGES", RuntimeError, "ValueError: assignment destination is read-only"),
    ],
)
def test_a_filter_that_fails_is_named(name, kind, sentence):
    with pytest.raises(kind) as error:
        measured(f"{OWN}:{name}", PIXELS)
    assert sentence in str(error.value)


@pytest.mark.parametrize(("name", "sentence"), [("FAILS_IN_THE_END", "IndexError"), ("NO_SCORE", "TypeError")])
def test_a_score_that_fails_is_named(name, sentence):
    with pytest.raises(RuntimeError, match=rf"own_filters:{name}': {sentence}: "):
        score(f"{OWN}:{name}", [np.array(1.0)])
