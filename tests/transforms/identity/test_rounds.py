"""Round by round the same edges are found as at once, and only pairs with a new face are looked at."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.identity import knn
from transforms.identity.columns import SearchColumns
from transforms.identity.knn import concatenate, find_edges, nearest_of_each, unit
from transforms.identity.rounds import Round, blocks_of, plan_rounds
from transforms.identity.search import prepare, search_block
from transforms.identity.settings import EdgeSettings


def edge_settings(**changed):
    return EdgeSettings(**{"k": 3, "min_similarity": 0.2, "block": 5, **changed})


def found_in_rounds(vectors, group, round_of, chosen):
    """The edges of all faces (N,D), sorted by group, which come in rounds (N,); as rows of all."""
    parts = []
    for number in range(int(round_of.max(initial=-1)) + 1):
        rows = np.flatnonzero(round_of <= number)
        own = group[rows]
        bounds = np.append(np.flatnonzero(np.diff(own, prepend=-1)), len(own)).astype(np.int64)
        is_new = round_of[rows] == number if number else None
        faces = SearchColumns(pa.array([str(row) for row in rows]), unit(vectors[rows]), bounds, is_new)
        ready = prepare(faces, chosen)
        for start in range(0, len(rows), chosen.block):
            edges = search_block(ready, start, min(start + chosen.block, len(rows)))
            parts.append(knn.edges_of(rows[edges.first], rows[edges.second], edges.similarity))
    edges = concatenate(parts)
    return nearest_of_each(edges, chosen.k) if chosen.k else edges


@settings(max_examples=80, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    count=st.integers(0, 40),
    k=st.sampled_from([0, 1, 2, 5, 64]),
    rounds=st.integers(1, 4),
    groups=st.integers(1, 3),
    kinds=st.integers(1, 40),
    block=st.integers(1, 50),
)
def test_rounds_find_what_one_search_finds(seed, count, k, rounds, groups, kinds, block):
    """Few kinds of vectors have many copies, so that equally near ones and copies beyond the k-th are there too."""
    random = np.random.default_rng(seed)
    vectors = random.normal(size=(kinds, 4)).astype(np.float16)[random.integers(0, kinds, count)].reshape(-1, 4)
    group = np.sort(random.integers(0, groups, count))
    round_of = random.integers(0, rounds, count)
    _, round_of = np.unique(round_of, return_inverse=True)
    chosen = edge_settings(k=k, block=block)
    bounds = np.append(np.flatnonzero(np.diff(group, prepend=-1)), count).astype(np.int64)
    whole = find_edges(unit(vectors), bounds, k, 0.2, 4096)
    found = found_in_rounds(vectors, group, round_of.reshape(-1), chosen)
    for name in ("first", "second", "similarity"):
        assert np.array_equal(getattr(found, name), getattr(whole, name)), name


@pytest.mark.parametrize(("k", "share"), [(0, 0.25), (8, 0.25)])
def test_only_pairs_with_a_new_face_are_compared(monkeypatch, k, share):
    compared = 0
    plain = knn.nearest

    def counted(queries, units, rows, *more):
        nonlocal compared
        compared += len(queries) * len(rows)
        return plain(queries, units, rows, *more)

    monkeypatch.setattr(knn, "nearest", counted)
    count, new = 4000, 200
    units = unit(np.random.default_rng(0).normal(size=(count, 16)).astype(np.float32))
    is_new = np.zeros(count, bool)
    is_new[np.random.default_rng(1).choice(count, new, replace=False)] = True
    bounds = knn.one_group(count)
    knn.block_edges(units, bounds, 0, count, k, 0.9)
    whole, compared = compared, 0
    knn.block_edges(units, bounds, 0, count, k, 0.9, None, is_new)
    assert compared <= 2 * new * count
    assert compared < share * whole


def planned(*rounds):
    return [[name for name, _ in one.shards] for one in rounds]


def shards(*names, rows=10):
    return tuple((name, rows) for name in names)


def test_new_shards_are_a_new_round():
    first = plan_rounds(shards("0", "1"), [], edge_settings())
    assert planned(*first) == [["0", "1"]]
    assert plan_rounds(shards("0", "1"), first, edge_settings()) == first
    second = plan_rounds(shards("0", "1", "2", "r1"), first, edge_settings(block=7))
    assert planned(*second) == [["0", "1"], ["2", "r1"]]
    assert [one.settings["block"] for one in second] == [5, 7]
    assert plan_rounds((*shards("0", "1"), ("2", 0)), first, edge_settings()) == first
    assert plan_rounds((), [], edge_settings()) == []


@pytest.mark.parametrize(
    ("there", "changed", "anew"),
    [
        (shards("0", "1", "2"), {}, False),
        (shards("0", "2"), {}, True),  # a shard is gone
        ((("0", 9), ("1", 10), ("2", 10)), {}, True),  # rows are gone, as after a removal
        (shards("0", "1", "2"), {"min_similarity": 0.1}, True),
        (shards("0", "1", "2"), {"min_similarity": 0.3}, False),
        (shards("0", "1", "2"), {"k": 4}, True),
        (shards("0", "1", "2"), {"within_label": True}, True),
        (shards("0", "1", "2", rows=70_000), {}, True),  # approximate from here on
        (shards("0", "1", "2", rows=70_000), {"search": "exact"}, True),  # other rows
    ],
)
def test_what_no_longer_fits_is_searched_anew(there, changed, anew):
    done = plan_rounds(shards("0", "1"), [], edge_settings())
    found = plan_rounds(there, done, edge_settings(**changed))
    names = [name for name, _ in there]
    assert planned(*found) == ([names] if anew else [["0", "1"], ["2"]])


def test_beyond_the_exact_search_there_are_no_rounds():
    many = shards("0", "1", rows=90_000)
    for how, rounds in (("auto", 1), ("approximate", 1), ("exact", 2)):
        chosen = edge_settings(search=how, block=1 << 20)
        done = [Round(many, chosen.model_dump(mode="json"))]
        assert len(plan_rounds((*many, ("2", 30_000)), done, chosen)) == rounds


def test_blocks_have_names_of_their_own_and_depend_on_earlier_rounds():
    done = [Round(shards("0"), edge_settings().model_dump(mode="json"))]
    rounds = plan_rounds(shards("0", "1"), done, edge_settings(block=8))
    blocks = list(blocks_of(rounds))
    assert [(one.name, one.start, one.stop) for one in blocks] == [
        ("00000", 0, 5), ("00001", 5, 10), ("001-00000", 0, 8), ("001-00001", 8, 16), ("001-00002", 16, 20),
    ]  # fmt: skip
    assert blocks[:2] == list(blocks_of(done))
    assert len({one.input for one in blocks}) == 2
