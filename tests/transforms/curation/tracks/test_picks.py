"""The first so many picks of all parts, whatever the parts."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from transforms.curation.tracks import picks
from transforms.curation.tracks.picks import First, Picks, first, picks_of

PAIRS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 5)))


def made(pairs):
    lots = np.array([lot for lot, _ in pairs], np.uint64)
    return picks_of(lots, np.array([rank for _, rank in pairs], np.float64))


def plainly(pairs, most):
    """Each lot at its lowest rank, by rank and lot."""
    best = {}
    for lot, rank in pairs:
        best[lot] = min(rank, best.get(lot, rank))
    return sorted((rank, lot) for lot, rank in best.items())[:most]


def test_nothing_is_picked_of_nothing():
    assert len(first([], 3)) == len(first([made([])], None)) == 0


@given(PAIRS, st.integers(0, 20) | st.none(), st.integers(1, 4))
def test_parts_make_no_difference(pairs, most, parts):
    found = first([made(pairs[part::parts]) for part in range(parts)], most)
    assert list(zip(found.ranks.tolist(), found.lots.tolist(), strict=True)) == plainly(pairs, most)


@given(st.lists(PAIRS, max_size=6), st.integers(1, 10))
def test_the_combiner_gives_the_same_however_little_it_keeps(parts, most):
    function = First(most)
    kept, picks._SPARE = picks._SPARE, 0  # so that it throws away what it can at once
    try:
        halves = [function.create_accumulator(), function.create_accumulator()]
        for number, part in enumerate(parts):
            halves[number % 2] = function.add_input(halves[number % 2], made(part))
        assert all(sum(map(len, half)) <= 2 * most for half in halves)
        found = function.extract_output(function.merge_accumulators(halves))
    finally:
        picks._SPARE = kept
    assert list(zip(found.ranks.tolist(), found.lots.tolist(), strict=True)) == plainly(
        [pair for part in parts for pair in part], most
    )


def test_the_pass_that_took_a_track_stays_with_it():
    both = Picks(np.array([1, 2], np.uint64), np.array([0.0, 1.0]), np.array([3, 4], np.int8))
    assert first([both], 5).passes.tolist() == [3, 4]
