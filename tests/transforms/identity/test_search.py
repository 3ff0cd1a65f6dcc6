"""Which groups are searched how, and what the measured recall is."""

import numpy as np
import pyarrow as pa
import pytest

from transforms.identity import cells, search
from transforms.identity.columns import SearchColumns
from transforms.identity.knn import NO_EDGES, concatenate, find_edges, unit
from transforms.identity.search import prepare, recall_of, search_block
from transforms.identity.settings import EdgeSettings


def columns(bounds, seed=0):
    random = np.random.default_rng(seed)
    rows = bounds[-1]
    person = random.permutation(np.arange(rows) // 6)
    vectors = random.normal(size=(rows, 32))[person] + 0.6 * random.normal(size=(rows, 32))
    return SearchColumns(pa.array([f"{i:06d}" for i in range(rows)]), unit(vectors), np.array(bounds, np.int64))


def settings(**changed):
    return EdgeSettings(**{"k": 5, "min_similarity": 0.5, "search": "approximate", **changed})


@pytest.fixture(autouse=True)
def small_limits(monkeypatch):
    monkeypatch.setattr(search, "EXACT_FACES", 2000)
    monkeypatch.setattr(search, "CELLS_PAY_FROM", 500)
    monkeypatch.setattr(cells, "CELLS_LOOKED_AT", 3)


def same(one, other):
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in ("first", "second", "similarity"))


def test_no_faces():
    ready = prepare(columns([0]), settings())
    assert ready.cells == ()
    assert len(search_block(ready, 0, 0)) == 0
    assert recall_of(ready, NO_EDGES, 0, 0).wanted == 0


@pytest.mark.parametrize(
    ("how", "bounds", "approximate"),
    [
        ("exact", [0, 3000], []),
        ("auto", [0, 2000], []),
        ("auto", [0, 2001], [0]),
        ("approximate", [0, 500], []),
        ("approximate", [0, 501], [0]),
        ("approximate", [0, 100, 1000, 1400, 2400], [100, 1400]),
    ],
)
def test_only_large_groups_are_approximate(how, bounds, approximate):
    faces = columns(bounds)
    ready = prepare(faces, settings(search=how))
    assert [one.low for one in ready.cells] == approximate
    exact = find_edges(faces.units, faces.bounds, 5, 0.5, 4096)
    one = search_block(ready, 0, bounds[-1])
    recall = recall_of(ready, one, 0, bounds[-1])
    assert same(one, exact) == (not approximate)
    assert (recall.wanted > 0) == bool(approximate)
    block = 170
    parts = [search_block(ready, at, at + block) for at in range(0, bounds[-1], block)]
    assert same(concatenate(parts), one)


def test_recall_is_about_that_of_all_faces():
    faces = columns([0, 4000], seed=1)
    ready = prepare(faces, settings())
    found = search_block(ready, 0, 4000)
    wanted = search._names(find_edges(faces.units, faces.bounds, 5, 0.5, 4096))
    true = np.isin(wanted, search._names(found)).mean()
    recall = recall_of(ready, found, 0, 4000)
    assert recall.wanted > 1000
    assert 0.5 < true < 0.999  # three cells are too few on purpose
    assert abs(recall.found / recall.wanted - true) < 0.03
    nothing = recall_of(ready, NO_EDGES, 0, 4000)
    assert (nothing.found, nothing.wanted) == (0, recall.wanted)
    parts = [recall_of(ready, search_block(ready, at, at + 150), at, at + 150) for at in range(0, 4000, 150)]
    assert sum(part.wanted for part in parts) >= recall.wanted  # an edge may be sampled in two blocks
    assert sum(part.found for part in parts) <= sum(part.wanted for part in parts)
