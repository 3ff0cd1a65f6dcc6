from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import apache_beam as beam
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from hypothesis import given
from hypothesis import strategies as st

from transforms.flow.gather import InBundle, behind_shuffle, branches, each, piece_of
from transforms.flow.items import Item


@dataclass(frozen=True)
class Piece:
    item: Item[str]


def pieces(chunk: str, place: int, of: int) -> list[Piece]:
    whole = Item(chunk, (place,), Fraction(1, 7), "row")
    return [Piece(piece_of(whole, number, of, f"{chunk}-{place}-{number}")) for number in range(of)]


def gather(bundles: list[list[Piece]]) -> tuple[list[list[str]], list[list[str]]]:
    """What a runner does: each list is one bundle. The rows of the wholes put together in a bundle, and behind it."""
    inside, torn = [], {}
    dofn = InBundle()
    for bundle in bundles:
        dofn.start_bundle()
        for one in bundle:
            inside += dofn.process(one)
        for tagged in dofn.finish_bundle():
            assert tagged.tag == "torn"
            whole, some = tagged.value.value
            torn.setdefault(whole, []).append(some)
    behind = [behind_shuffle(one) for one in torn.items()]
    return tuple([[piece.item.row for piece in whole] for whole in some] for some in (inside, behind))


def test_nothing_comes_of_nothing():
    assert gather([]) == ([], [])
    assert gather([[]]) == ([], [])


def test_wholes_of_one_bundle_pass_no_shuffle():
    inside, behind = gather([pieces("a", 0, 3) + pieces("a", 1, 1), pieces("b", 0, 2)])
    assert inside == [["a-0-0", "a-0-1", "a-0-2"], ["a-1-0"], ["b-0-0", "b-0-1"]]
    assert behind == []


def test_orders_that_look_alike_stay_apart():
    """Piece 11 of item 1 is not piece 1 of item 11, nor are items of items mixed up."""
    wholes = [Item("a", order, Fraction(1), "row") for order in ((1,), (11,), (1, 1), (1, 1, 1))]
    pieces = [Piece(piece_of(whole, number, 2, f"{whole.order}-{number}")) for number in (1, 0) for whole in wholes]
    inside, behind = gather([pieces])
    assert sorted(inside) == sorted([f"{whole.order}-0", f"{whole.order}-1"] for whole in wholes)
    assert behind == []


@pytest.mark.parametrize("some", [pieces("a", 0, 3)[:2], pieces("a", 0, 2) + pieces("a", 0, 2)[:1]])
def test_lost_and_repeated_parts_are_no_results(some):
    with pytest.raises(RuntimeError, match="of the pieces of a/0 arrived"):
        behind_shuffle(("a/0", [some]))


arrivals = st.lists(st.integers(1, 5), max_size=5).flatmap(
    lambda counts: st.tuples(
        st.just(counts),
        st.permutations([piece for place, of in enumerate(counts) for piece in pieces("a", place, of)]),
        st.lists(st.integers(0, 25), max_size=4).map(sorted),
    )
)


@given(arrivals)
def test_any_order_in_any_bundles_gives_each_whole_once(arrival):
    counts, pieces, cuts = arrival
    edges = [0, *cuts, len(pieces)]
    inside, behind = gather([pieces[start:end] for start, end in pairwise(edges)])
    assert sorted(inside + behind) == [[f"a-{place}-{n}" for n in range(of)] for place, of in enumerate(counts)]


def test_branches_may_branch_again(tmp_path):
    class Fork(beam.PTransform):
        def expand(self, numbers):
            return numbers | "one" >> beam.Map(lambda n: n + 1), numbers | "ten" >> beam.Map(lambda n: n + 10)

    with beam.Pipeline(runner=FnApiRunner()) as pipeline:
        flow = branches(pipeline | beam.Create([0], reshuffle=False))
        for label in ("first", "second"):
            flow = each(flow, label, Fork())
        assert len(flow) == 4
        _ = each(flow, "write", beam.Map(lambda n: (tmp_path / str(n)).touch()))
    assert sorted(int(path.name) for path in tmp_path.iterdir()) == [2, 11, 20]
