"""The nearest out of tiles, against a sort of everything."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.identity import shortlist
from transforms.identity.shortlist import Shortlist, best_of


def test_nothing_offered():
    found = Shortlist(
        np.array([-1, -1]), 3, 0.5, 1e-6, lambda places, rows: np.zeros(len(places), np.float32)
    ).nearest()
    assert [part.tolist() for part in found] == [[], [], []]


def expected(exact, itself, k, least):
    pairs = [(q, r) for q in range(len(exact)) for r in range(exact.shape[1]) if r != itself[q]]
    pairs = [pair for pair in pairs if exact[pair] >= np.float32(least)]
    ranked = sorted(pairs, key=lambda pair: (pair[0], -exact[pair], pair[1]))
    return {pair for pair in ranked if not k or [p for p in ranked if p[0] == pair[0]].index(pair) < k}


@given(
    st.integers(0, 1000), st.integers(1, 5), st.integers(1, 60), st.sampled_from([0, 1, 3, 20]), st.integers(1, 60),
    st.sampled_from([-1.0, 0.3]), st.sampled_from([3, 1 << 20]), st.booleans(),
)  # fmt: skip
@settings(max_examples=200, deadline=None)
def test_the_k_nearest_whatever_the_tiles(seed, queries, rows, k, tile, least, held, ties):
    random = np.random.default_rng(seed)
    exact = random.uniform(-1, 1, (queries, rows)).astype(np.float32)
    if ties:
        exact = np.round(exact * 2) / np.float32(2)
    itself = random.integers(-1, rows, queries)
    tolerance = 1e-4
    rough = (exact + 0.9 * tolerance * random.uniform(-1, 1, exact.shape)).astype(np.float32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shortlist, "_HELD", held)
        of = Shortlist(itself, k, least, tolerance, lambda places, rows: exact[places, rows])
        if k:
            of._limit = min(of._limit, held)  # candidates are thrown away as often as they can be
        for at in range(0, rows, tile):
            some = np.arange(at, min(at + tile, rows))
            for places in np.array_split(random.permutation(queries), 2):
                of.offer(rough[np.ix_(places, some)], places, some)
        place, row, similarity = of.nearest()
    assert set(zip(place.tolist(), row.tolist(), strict=True)) == expected(exact, itself, k, least)
    assert np.array_equal(similarity, exact[place, row])


def test_a_floor_is_reached_by_k_and_close_to_the_kth():
    random = np.random.default_rng(1)
    similarity = random.normal(size=(20, 4096)).astype(np.float32)
    for k in (1, 9, 80, 4096):
        floor = shortlist._kth_at_least(similarity, k)
        reach = (similarity >= floor[:, None]).sum(axis=1)
        assert (reach >= k).all()
        assert reach.mean() <= 1.2 * k + 1
    assert (shortlist._kth_at_least(similarity[:, :5], 6) == -np.inf).all()


def test_candidates_stay_few_however_many_are_near():
    of = Shortlist(np.array([-1]), 5, -1, 1e-6, lambda places, rows: np.ones(len(places), np.float32))
    for at in range(0, 1 << 21, 1 << 19):  # all as near as one another: only their exact cosines and order tell
        of.offer(np.ones((1, 1 << 19), np.float32), np.array([0]), np.arange(at, at + (1 << 19)))
        assert of._held <= 1 << 20
    assert of.nearest()[1].tolist() == [0, 1, 2, 3, 4]


def test_best_of_keeps_order_among_equals():
    query = np.array([1, 0, 0, 0, 1])
    other = np.array([9, 4, 2, 3, 8])
    similarity = np.array([0.5, 0.7, 0.7, 0.9, 0.5], np.float32)
    assert other[best_of(query, other, similarity, 2)].tolist() == [3, 2, 8, 9]
    assert best_of(query[:0], other[:0], similarity[:0], 2).tolist() == []
