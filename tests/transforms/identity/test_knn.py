"""The search for edges against brute force."""

import builtins
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.identity import knn
from transforms.identity.knn import find_edges, one_group, pair_similarity, unit


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
    for block, small in ((1, 1 << 16), (3, 0), (25, 100), (1000, 0)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(knn, "_SMALL", small)
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


def test_missing_faiss_is_one_sentence_with_the_extra(monkeypatch):
    real = builtins.__import__

    def without_faiss(name, *args, **kwargs):
        if name == "faiss":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_faiss)
    with pytest.raises(ImportError, match=r"manyfaces\[cpu\]"):
        find_edges(unit(np.eye(3)), one_group(3), 1, 0.5, 10)


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


class RoughSearch:
    """A nearest-neighbour search whose similarities are off by as much as float32 may be, in another way every time."""

    METRIC_INNER_PRODUCT = 0
    random = np.random.default_rng(7)

    def knn(self, queries, base, k, metric):
        similarity = queries @ base.T + self.random.uniform(-4e-6, 4e-6, (len(queries), len(base)))
        order = np.argsort(-similarity, axis=1)[:, :k]
        return np.take_along_axis(similarity, order, axis=1).astype(np.float32), order


def test_rounding_of_the_search_decides_nothing(monkeypatch):
    random = np.random.default_rng(8)
    vectors = np.repeat(random.normal(size=(3, 8)), 40, axis=0) + 1e-7 * random.normal(size=(120, 8))
    units = unit(vectors)
    monkeypatch.setattr(knn, "_faiss", RoughSearch)
    assert as_dict(find_edges(units, one_group(120), 4, 0.5, 7)) == brute_force(units, one_group(120), 4, 0.5)
