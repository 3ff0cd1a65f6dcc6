import pytest

from transforms.tables.attempt import Superseded, begin_attempt, check_attempt


def test_only_the_last_attempt_passes(folder):
    first = begin_attempt(folder)
    check_attempt(folder, first)
    second = begin_attempt(folder)
    assert first != second
    check_attempt(folder, second)
    with pytest.raises(Superseded, match="started again"):
        check_attempt(folder, first)
