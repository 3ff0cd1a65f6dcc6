"""The columns of a list of pairs are found by their usual names, or are those that were named."""

import pytest

from transforms.evaluation.pair_columns import PairColumns
from transforms.fetch.lists.columns import check_columns


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
def test_columns_are_told_by_their_names(names, chosen):
    columns = PairColumns()
    assert columns.chosen(names) == chosen
    assert columns.used(names) == frozenset(chosen)
    assert columns.item(names) == chosen[0]


def test_a_column_that_is_named_is_taken():
    columns = PairColumns(first_column="there", second_column="here", same_column="verdict")
    assert columns.chosen(["a", "b", "same", "here", "there", "verdict"]) == ("there", "here", "verdict")
    required = PairColumns(same_column="b").required(["a", "b", "c"])
    assert required == [("first", "a"), ("second", "c"), ("same", "b")]


@pytest.mark.parametrize(
    ("columns", "names", "words"),
    [
        (PairColumns(), [], "columns are none; none is known to hold an item: name it with --first-column NAME"),
        (
            PairColumns(),
            ["a", "b", "c"],
            "are a, b, c; none is known to hold whether both are the same person: .*--same",
        ),
        (PairColumns(), ["a", "b"], "hold whether both are the same person"),
        (PairColumns(), ["x", "y", "z", "same"], "hold an item"),
        (PairColumns(second_column="nobody"), ["a", "b", "same"], "none is called 'nobody': .*--second-column"),
        (PairColumns(), ["a", "a", "same"], "two columns of one name"),
    ],
)
def test_columns_that_are_not_there(columns, names, words):
    with pytest.raises(ValueError, match=words):
        check_columns(columns, names)
