"""What stages on whole tables tell of their steps."""

import pytest

from transforms.flow.table_steps import STEPS, Step, advance, begin, forget, planned

STAGE = "told-in-a-test"


@pytest.fixture(autouse=True)
def nothing_told():
    forget([STAGE])
    yield
    forget([STAGE])


def test_pieces_are_counted_as_they_are_planned_and_done():
    assert list(planned(STAGE, "videos drawn", ["a", "b", "c"], len)) == ["a", "b", "c"]
    assert STEPS[STAGE] == Step("videos drawn", 0, 3)
    advance(STAGE)
    advance(STAGE, 2)
    assert STEPS[STAGE] == Step("videos drawn", 3, 3)
    begin(STAGE, "writing")
    assert STEPS[STAGE] == Step("writing")


def test_nothing_is_told_of_a_step_that_began_elsewhere():
    advance(STAGE)
    assert STAGE not in STEPS


def test_of_no_pieces_there_is_a_step_too():
    assert list(planned(STAGE, "videos drawn", [])) == []
    assert STEPS[STAGE] == Step("videos drawn", 0, 0)
