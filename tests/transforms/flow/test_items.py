import pickle
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.flow.items import Item, expand, kept, passed, rejected
from transforms.tables.reasons import Rejected


def item(row="row", share=Fraction(1), order=()):
    return Item("00000", order, share, row)


def test_an_item_that_ended_earlier_passes_its_share_on():
    outcome = passed(item(None, Fraction(1, 3), (4,)))
    assert (outcome.verdict, outcome.rows, outcome.share, outcome.order) == (None, (), Fraction(1, 3), (4,))
    assert list(expand(outcome)) == [Item("00000", (4,), Fraction(1, 3), None)]


def test_a_rejected_item_becomes_a_bearer_of_its_share():
    outcome = rejected(item(share=Fraction(1, 2), order=(1,)), "a", Rejected("http_503", "busy"))
    assert outcome.verdict is not None
    assert (outcome.verdict.item_id, outcome.verdict.state) == ("a", "failed")
    assert (outcome.verdict.reason, outcome.verdict.transient, outcome.verdict.detail) == ("http_503", True, "busy")
    assert list(expand(outcome)) == [Item("00000", (1,), Fraction(1, 2), None)]


@pytest.mark.parametrize(
    ("detail", "stored"),
    [
        ("", ""),
        ("two\nlines\tand more", "two lines and more"),
        ("x" * 1000, "x" * 500),
        ("caf\udce9", "caf?"),  # an undecodable byte in a header or a name, which no Arrow string can hold
    ],
)
def test_a_detail_is_one_short_line_that_arrow_can_hold(detail, stored):
    verdict = rejected(item(), "a", Rejected("timeout", detail)).verdict
    assert verdict is not None
    assert verdict.detail == stored


def test_an_unknown_code_is_a_defect_and_not_an_outcome():
    with pytest.raises(ValueError, match="no reason code"):
        rejected(item(), "a", Rejected("no_such_reason"))


def test_each_row_becomes_an_item_in_order():
    outcome = kept(item(share=Fraction(1, 2), order=(7,)), "a", ("x", "y", "z"))
    assert list(expand(outcome)) == [
        Item("00000", (7, 0), Fraction(1, 6), "x"),
        Item("00000", (7, 1), Fraction(1, 6), "y"),
        Item("00000", (7, 2), Fraction(1, 6), "z"),
    ]


# a tree: how many rows an item becomes in each stage, down to the leaves; 0 is a rejected item
trees = st.recursive(st.just([]), lambda children: st.lists(children, max_size=6), max_leaves=40)


def leaves(tree, root):
    outcome = kept(root, "id", tuple(range(len(tree)))) if tree else rejected(root, "id", Rejected("no_face"))
    items = list(expand(outcome))
    return [leaf for child, one in zip(tree, items, strict=True) for leaf in leaves(child, one)] if tree else items


@given(trees)
def test_the_shares_of_any_fan_out_add_up_to_one(tree):
    found = leaves(tree, item())
    assert sum(leaf.share for leaf in found) == 1
    assert all(leaf.share > 0 for leaf in found)
    orders = [leaf.order for leaf in found]
    assert orders == sorted(orders)
    assert len(set(orders)) == len(orders)


def test_items_survive_a_worker_boundary():
    one = item(share=Fraction(1, 997))
    assert pickle.loads(pickle.dumps(one)) == one
