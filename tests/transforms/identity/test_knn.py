"""The search for edges against brute force."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.identity import knn, shortlist
from transforms.identity.knn import block_edges, find_edges, one_group, pair_similarity, tolerance, unit
from transforms.identity.shortlist import Shortlist


def brute_force(units, bounds, k, floor):
    """The edges as a dict, from the whole matrix."""
    found = {}
    for low, high in itertools.pairwise(bounds):
        for row in range(low, high):
            others = np.array([other for other in range(low, high) if other != row], int)
            similarity = pair_similarity(units, np.full(len(others), row), others)
            order = np.lexsort((others, -similarity))[: k or None]
            for place in order[similarity[order] >= np.float32(floor)]:
                found[min(row, others[place]), max(row, others[place])] = similarity[place]
    return found


def as_dict(edges):
    return {(int(a), int(b)): s for a, b, s in zip(edges.first, edges.second, edges.similarity, strict=True)}


@st.composite
def vectors_and_bounds(draw):
    rows = draw(st.integers(0, 40))
    seed = draw(st.integers(0, 1000))
    dimension = draw(st.sampled_from([2, 3, 16]))
    random = np.random.default_rng(seed)
    vectors = random.normal(size=(rows, dimension))
    if draw(st.booleans()) and rows:  # equal vectors: ties at every rank
        vectors = vectors[random.integers(0, max(1, rows // 8), rows)]
    vectors[random.random(rows) < draw(st.sampled_from([0, 0.3]))] = 0  # as near to all as to one another
    cuts = draw(st.lists(st.integers(0, rows), max_size=3))
    return unit(vectors), np.array(sorted({0, rows, *cuts}), np.int64)


@pytest.mark.parametrize("rows", [0, 1])
@pytest.mark.parametrize("k", [0, 3])
def test_no_pairs_no_edges(rows, k):
    assert len(find_edges(unit(np.ones((rows, 4))), one_group(rows), k, -0.9, 10)) == 0


@given(vectors_and_bounds(), st.sampled_from([0, 1, 2, 5, 100]), st.sampled_from([-0.9, 0.0, 0.5, 0.999]))
@settings(max_examples=150, deadline=None)
def test_edges_are_those_of_brute_force_whatever_the_block(data, k, floor):
    units, bounds = data
    expected = brute_force(units, bounds, k, floor)
    for block, queries, others in ((1, 1024, 8192), (3, 2, 1), (25, 10, 7), (1000, 3, 4)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(knn, "_QUERIES", queries)
            patch.setattr(knn, "_OTHERS", others)
            edges = find_edges(units, bounds, k, floor, block)
        assert as_dict(edges) == expected
        assert len(edges) == len(expected)
        assert np.all(edges.first < edges.second)
        assert np.all(np.diff(edges.first.astype(int) * 10**6 + edges.second) > 0)


def test_many_equal_vectors_beyond_the_spare_neighbours():
    vectors = np.r_[np.tile([[1.0, 0.2]], (60, 1)), np.tile([[0.3, 1.0]], (60, 1))]
    units = unit(vectors)
    assert as_dict(find_edges(units, one_group(120), 4, 0.5, 7)) == brute_force(units, one_group(120).tolist(), 4, 0.5)


def test_block_size_changes_no_bit_on_ordinary_vectors():
    units = unit(np.random.default_rng(5).normal(size=(700, 128)).astype(np.float16))
    one = find_edges(units, one_group(700), 10, -0.5, 700)
    for block in (1, 19, 64, 333):
        other = find_edges(units, one_group(700), 10, -0.5, block)
        assert np.array_equal(one.first, other.first)
        assert np.array_equal(one.second, other.second)
        assert np.array_equal(one.similarity, other.similarity)


@pytest.mark.parametrize("bad", [0.0, np.nan, np.inf])
def test_vectors_without_direction_become_zero(bad):
    units = unit(np.array([[bad, bad], [3.0, 4.0]]))
    assert np.allclose(units, [[0, 0], [0.6, 0.8]])


@pytest.mark.parametrize("block", [1, 100, 700])
def test_all_neighbours_of_ordinary_vectors(block):
    units = unit(np.random.default_rng(6).normal(size=(700, 16)).astype(np.float16))
    first, second = np.triu_indices(700, 1)
    similarity = pair_similarity(units, first, second)
    edges = find_edges(units, one_group(700), 0, 0.3, block)
    wanted = similarity >= np.float32(0.3)
    assert np.array_equal(edges.first, first[wanted])
    assert np.array_equal(edges.second, second[wanted])
    assert np.array_equal(edges.similarity, similarity[wanted])


@pytest.mark.parametrize(("k", "floor"), [(0, 0.99999), (4, 0.5), (4, 0.99999), (200, -1)])
def test_rounding_of_the_products_decides_nothing(monkeypatch, k, floor):
    random = np.random.default_rng(8)
    vectors = np.repeat(random.normal(size=(3, 8)), 40, axis=0) + 1e-7 * random.normal(size=(120, 8))
    units = unit(vectors)
    real = knn._products

    def rough(*arguments):
        """Cosines that are off by as much as float32 may be, in another way every time."""
        for similarity, rows in real(*arguments):
            off = 0.9 * tolerance(8) * random.uniform(-1, 1, similarity.shape)
            yield (similarity + off).astype(np.float32), rows

    monkeypatch.setattr(knn, "_products", rough)
    assert as_dict(find_edges(units, one_group(120), k, floor, 7)) == brute_force(units, [0, 120], k, floor)


@pytest.mark.parametrize("dimension", [1, 128, 512, 2048])
def test_float32_is_never_off_by_more_than_the_tolerance(dimension):
    random = np.random.default_rng(dimension)
    near = np.abs(random.normal(size=(1, dimension))) + 0.01 * random.normal(size=(300, dimension))
    units = unit(near)  # all terms have one sign: partial sums are as large as they can be
    exact = units.astype(np.float64) @ units.astype(np.float64).T
    added_in_order = np.cumsum(units[:50, None] * units[None, :50], axis=2, dtype=np.float32)[:, :, -1]
    assert np.abs(units @ units.T - exact).max() <= tolerance(dimension)
    assert np.abs(added_in_order - exact[:50, :50]).max() <= tolerance(dimension)


def test_copies_of_one_picture_are_compared_with_few_of_them(monkeypatch):
    units = unit(np.repeat(np.random.default_rng(9).normal(size=(3, 16)), [5000, 1, 2], axis=0))
    offered = []
    real = Shortlist.offer
    monkeypatch.setattr(Shortlist, "offer", lambda *a: offered.append(a[1].shape) or real(*a))
    edges = find_edges(units, one_group(5003), 3, 0.9, 4096)
    assert max(columns for _, columns in offered) == 4 + 1 + 2
    assert edges.first[np.bincount(edges.first, minlength=4)[edges.first] > 3].max() < 4
    assert len(edges) == 3 * (5000 - 4) + 6 + 1  # the first three of them, of each of the others; all pairs of four


def test_too_many_pairs_are_one_sentence(monkeypatch):
    for module in (knn, shortlist):
        monkeypatch.setattr(module, "MOST_PAIRS", 1000)
    monkeypatch.setattr(knn, "_QUERIES", 10)
    units = unit(np.ones((200, 8)))
    assert len(find_edges(units[:40], one_group(40), 0, 0.9, 40)) == 780
    for rows in (60, 200):  # too many in all, and too many at once
        with pytest.raises(ValueError, match=r"edges\.k 0 wants them all; set edges\.k"):
            block_edges(units[:rows], one_group(rows), 0, rows, 0, 0.9)
    assert len(find_edges(units, one_group(200), 64, 0.9, 200)) > 1000
