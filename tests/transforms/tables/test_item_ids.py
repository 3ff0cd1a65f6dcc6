"""Names of any kind as ids that are safe in paths."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.tables.item_ids import safe_id


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("abc-1.jpg", "abc-1.jpg"),
        ("a/b", "a~2Fb"),
        ("..", "~2E."),
        ("-rf", "~2Drf"),
        ("a~2Fb", "a~7E2Fb"),
        ("é", "~C3~A9"),
        ("a b", "a~20b"),
        ("a\0b", "a~00b"),
    ],
)
def test_safe_ids(name, safe):
    assert safe_id(name) == safe


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200), unique=True))
def test_safe_ids_are_safe_and_different(names):
    ids = [safe_id(name) for name in names]
    assert len(set(ids)) == len(names)
    for made in ids:
        assert len(made) <= 120
        assert set(made) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-~")
        assert made[0] not in ".-"
