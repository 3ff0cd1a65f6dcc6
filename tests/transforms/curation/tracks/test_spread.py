"""Tracks that are far from each other: swaps only ever help."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.curation.tracks.lots import in_chance_order, lots
from transforms.curation.tracks.spread import spread
from transforms.identity.knn import pair_similarity, unit


def vectors(count, dimension=3, seed=0, copies=1):
    random = np.random.default_rng(seed)
    return unit(np.repeat(random.normal(size=(count, dimension)), copies, axis=0)[:count])


def closest(units, places):
    """The highest cosine of two of them, exactly."""
    if len(places) < 2:
        return -1.0
    pairs = [(a, b) for number, a in enumerate(places) for b in places[:number]]
    return float(pair_similarity(units, *map(np.array, zip(*pairs, strict=True))).max())


def drawn(count, seed=0):
    return lots([str(number) for number in range(count)], seed)


def test_of_nothing_nothing_is_taken():
    assert spread(np.zeros((0, 3), np.float32), drawn(0), 4, None)[0].tolist() == []


@pytest.mark.parametrize(("count", "most"), [(3, 3), (3, 9), (9, 1)])
def test_where_there_is_nothing_to_choose_the_lowest_lots_are_taken(count, most):
    places, swaps = spread(vectors(count), drawn(count), most, None)
    assert (places.tolist(), swaps) == (np.argsort(drawn(count))[:most].tolist(), 0)


CASES = st.tuples(st.integers(0, 60), st.integers(1, 12), st.integers(0, 2**32 - 1), st.integers(1, 3))


@given(CASES, st.none() | st.integers(0, 5))
def test_the_smallest_distance_never_falls(case, max_swaps):
    count, most, seed, copies = case
    units, own = vectors(count, seed=seed, copies=copies), drawn(count, seed)
    start = np.argsort(own)[:most]
    places, swaps = spread(units, own, most, max_swaps)
    assert len(set(places.tolist())) == len(places) == min(count, most)
    assert closest(units, places.tolist()) <= closest(units, start.tolist())
    assert max_swaps is None or swaps <= max_swaps
    assert len(set(start.tolist()) - set(places.tolist())) <= swaps


@given(CASES)
def test_the_order_of_the_tracks_makes_no_difference(case):
    count, most, seed, copies = case
    units, own = vectors(count, seed=seed, copies=copies), drawn(count, seed)
    order = np.random.default_rng(seed).permutation(count)
    assert (
        own[order][spread(units[order], own[order], most, None)[0]].tolist()
        == own[spread(units, own, most, None)[0]].tolist()
    )


def plainly(units, own, most, turns=5):
    """The rule, with all distances computed anew at every step."""
    order = np.argsort(own)
    inside, outside = order[:most].tolist(), order[most:]
    for turn in range(turns):
        outside = outside[in_chance_order(own[outside], turn)]
        swapped = False
        for place, one in enumerate(outside.tolist()):
            similar = np.array(
                [[float(pair_similarity(units, np.array([a]), np.array([b]))[0]) for b in inside] for a in inside]
            )
            np.fill_diagonal(similar, -2)
            first = int(similar.max(axis=1).argmax())
            second = int(similar[first].argmax())
            nexts = []
            for a, b in ((first, second), (second, first)):
                others = np.delete(similar[a], [a, b])
                nexts.append((others.max() if len(others) else -1, own[inside[a]], a))
            goes = max(nexts)[2]
            stay = [a for number, a in enumerate(inside) if number != goes]
            if pair_similarity(units, np.full(len(stay), one), np.array(stay)).max() < similar[first, second]:
                inside[goes], outside[place] = one, inside[goes]
                swapped = True
        if not swapped:
            break
    return sorted(inside, key=lambda one: own[one])


@given(st.integers(3, 30), st.integers(2, 6), st.integers(0, 2**32 - 1))
def test_it_does_what_the_rule_says(count, most, seed):
    units, own = vectors(count, seed=seed), drawn(count, seed)
    if count > most:
        assert spread(units, own, most, None)[0].tolist() == plainly(units, own, most)


def test_blocks_make_no_difference(monkeypatch):
    units, own = vectors(500, 8), drawn(500)
    whole, swaps = spread(units, own, 20, None)
    assert swaps > 20
    monkeypatch.setattr("transforms.curation.tracks.spread.BLOCK", 7)
    assert spread(units, own, 20, None)[0].tolist() == whole.tolist()
