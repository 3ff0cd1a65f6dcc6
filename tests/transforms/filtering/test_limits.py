import numpy as np
import pytest
from pydantic import ValidationError

from transforms.filtering.filter_settings import FilterSettings
from transforms.filtering.limits import BY_MODELS, BY_STATISTICS, Limits, by_models, by_statistics, check, reason_of_own
from transforms.filtering.shot_filter import FILTERS
from transforms.tables.reasons import Rejected, reason

RED = "tests.transforms.filtering.own_filters:RED"
NAN = "tests.transforms.filtering.own_filters:NAN"
DARK, BARS = Limits("dark", "dark_shot", 30, None), Limits("letterbox", "letterboxed", None, 0.1)


def configured(**blocks):
    return FilterSettings.model_validate(blocks)


def names(settings):
    return [one.name for one in by_statistics(settings)], [one.name for one in by_models(settings)]


@pytest.mark.parametrize(
    ("blocks", "expected"),
    [
        ({}, ([], [])),
        ({"dark": {}, "cartoon": {"model": "mine"}}, ([], [])),
        ({"dark": {"least": 0}}, (["dark"], [])),
        ({"letterbox": {"most": 0}, "dark": {"least": 3}}, (["dark", "letterbox"], [])),
        ({"own": [{"filter": NAN, "most": 1}, {"filter": RED, "least": 0}]}, ([NAN, RED], [])),
        ({"aesthetics": {"least": 4}, "brisque": {"most": 60}, "cartoon": {"most": 0}},
         ([], ["brisque", "cartoon", "aesthetics"])),
    ],
)  # fmt: skip
def test_filters_with_a_limit_are_on(blocks, expected):
    assert names(configured(**blocks)) == expected


def test_every_filter_has_its_place_its_block_and_its_reason():
    assert list(BY_STATISTICS) == list(FILTERS)
    for name, code in (BY_STATISTICS | BY_MODELS).items():
        assert reason(code).state == "dropped"
        assert name in FilterSettings.model_fields


@pytest.mark.parametrize(
    ("score", "least", "most", "keeps"),
    [
        (5, None, None, True),
        (5, 5, 5, True),
        (5, 5.1, None, False),
        (5, None, 4.9, False),
        (np.nan, 0, None, False),
        (np.nan, None, 0, False),
        (np.inf, 0, None, False),
        (-np.inf, None, 0, False),
        (1e39, 0, None, False),  # no number of the table
    ],
)
def test_limits_may_be_met_and_need_a_number(score, least, most, keeps):
    assert Limits("x", "filtered", least, most).keeps(score) is keeps


@pytest.mark.parametrize(
    ("scores", "code", "detail"),
    [
        ({"dark": 30, "letterbox": 0.1}, None, ""),
        ({"dark": 29.5, "letterbox": 0.1}, "dark_shot", "dark 29.5, less than 30; letterbox 0.1"),
        ({"dark": 44, "letterbox": 0.25}, "letterboxed", "letterbox 0.25, more than 0.1; dark 44"),
        ({"dark": 2, "letterbox": 0.25}, "dark_shot", "dark 2, less than 30; letterbox 0.25, more than 0.1"),
        ({"dark": np.nan, "letterbox": 0}, "dark_shot", "dark gives no finite number: nan; letterbox 0"),
    ],
)
def test_the_first_that_is_broken_is_the_reason_and_all_scores_are_told(scores, code, detail):
    if code is None:
        check([DARK, BARS], scores)
        return
    with pytest.raises(Rejected) as why:
        check([DARK, BARS], scores)
    assert (why.value.code, why.value.detail) == (code, detail)


@pytest.mark.parametrize(
    ("place", "code"),
    [("mine.rules:RED", "own_red"), ("mine:Größe", "own_gr__e"), ("mine:" + "a" * 99, "own_" + "a" * 60)],
)
def test_one_s_own_has_a_reason_of_its_own(place, code):
    assert reason_of_own(place) == code
    assert reason(code).state == "dropped"


@pytest.mark.parametrize(
    ("blocks", "sentence"),
    [
        ({"drak": {"least": 3}}, "Extra inputs are not permitted"),
        ({"dark": {"most": 3}}, "Extra inputs are not permitted"),
        ({"dark": {"least": 256}}, "less than or equal to 255"),
        ({"own": [{"filter": RED}]}, "has no limit: give least, most or both."),
        ({"own": [{"filter": "tests.transforms.filtering.own_filters:REED", "most": 1}]}, "did you mean 'RED'?"),
        ({"own": [{"filter": RED, "most": 1}, {"filter": RED, "least": 0}]}, "twice: give it both limits at once."),
        ({"own": [{"filter": RED, "most": float("nan")}]}, "finite number"),
        ({"frames_per_second": 0}, "greater than 0"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(blocks, sentence):
    with pytest.raises(ValidationError) as error:
        configured(**blocks)
    assert sentence in str(error.value)
