"""The columns of a list of pairs are found by their usual names, or are those that were named."""

import pytest

from transforms.evaluation.pair_columns import PairColumns


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (["a", "b", "same"], ("a", "b", "same")),
        (["same", "x", "y"], ("x", "y", "same")),
        (["Label", "left.jpg", "right.jpg"], ("left.jpg", "right.jpg", "Label")),
        (["id", "image1", "score", "image2", "is_same"], ("image1", "image2", "is_same")),
        (["fold", "Item_A", "item_b", "match"], ("Item_A", "item_b", "match")),
        (["n", "first", "second", "label", "same"], ("first", "second", "same")),
        (["url2", "url1", "x", "same"], ("url1", "url2", "same")),
    ],
)
def test_columns_are_guessed(names, chosen):
    columns = PairColumns()
    assert columns.check(names) == frozenset(chosen)
    assert columns.chosen == chosen


def test_a_column_that_is_named_is_taken():
    columns = PairColumns(first="there", second="here", same="verdict")
    columns.check(["a", "b", "same", "here", "there", "verdict"])
    assert columns.chosen == ("there", "here", "verdict")
    assert PairColumns(same="b").required(["a", "b", "c"]) == [("first", "a"), ("second", "c"), ("same", "b")]


@pytest.mark.parametrize(
    ("columns", "names", "words"),
    [
        (PairColumns(), [], "no column that is known to hold an item, its columns are none; name it with --first"),
        (PairColumns(), ["a", "b", "c"], "hold whether both"),
        (PairColumns(), ["a", "b"], "hold whether both are the same person, its columns are a, b; name it with --same"),
        (PairColumns(), ["x", "y", "z", "same"], "hold an item"),
        (PairColumns(second="nobody"), ["a", "b", "same"], "no column 'nobody', .*--second"),
        (PairColumns(first="a", second="a"), ["a", "b", "same"], "a, a, same must be three columns"),
        (PairColumns(), ["a", "a", "same"], "a, a, same must be three columns"),
    ],
)
def test_columns_that_are_not_there(columns, names, words):
    with pytest.raises(ValueError, match=words):
        columns.check(names)
