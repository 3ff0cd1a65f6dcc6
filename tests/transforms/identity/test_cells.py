"""Neighbours in cells: never a wrong one, nearly all, and the same ones wherever and however they are searched."""

import numpy as np
import pytest

from transforms.identity import cells, knn
from transforms.identity.cells import cell_edges, find_cells, nearest_centres
from transforms.identity.knn import block_edges, find_edges, neighbour_rows, one_group, unit


def people(count, faces, dimension=64, seed=0, noise=0.7):
    random = np.random.default_rng(seed)
    person = random.permutation(np.repeat(np.arange(count), faces))
    centres = random.normal(size=(count, dimension))
    return unit(centres[person] + noise * random.normal(size=(len(person), dimension)))


def names(edges):
    return {(int(a), int(b)): s for a, b, s in zip(edges.first, edges.second, edges.similarity, strict=True)}


@pytest.mark.parametrize("rows", [1, 2, 70])
def test_few_rows(rows):
    units = people(rows, 1)
    found = find_cells(units, 0, rows, np.arange(rows))
    assert sorted(found.members.tolist()) == list(range(rows))
    assert names(cell_edges(units, found, 0, rows, 3, -1)) == names(find_edges(units, one_group(rows), 3, -1, 10))


@pytest.mark.parametrize("k", [0, 4])
def test_edges_are_exact_ones_and_nearly_all(k):
    units = people(600, 10)
    found = find_cells(units, 0, 6000, neighbour_rows(units, one_group(6000), k))
    exact = names(find_edges(units, one_group(6000), 0, 0.4, 4096))
    wanted = exact if k == 0 else names(find_edges(units, one_group(6000), k, 0.4, 4096))
    here = names(cell_edges(units, found, 0, 6000, k, 0.4))
    assert all(exact[pair] == similarity for pair, similarity in here.items())
    assert len(wanted.keys() & here.keys()) > 0.97 * len(wanted)


def test_blocks_change_nothing(monkeypatch):
    units = people(200, 10, seed=1)
    found = find_cells(units, 0, 2000, np.arange(2000))
    one = cell_edges(units, found, 0, 2000, 5, 0.3)
    for block, queries in ((2000, 7), (333, 65_536), (64, 50)):
        monkeypatch.setattr(cells, "_QUERIES", queries)
        other = knn.concatenate(
            [cell_edges(units, found, at, min(at + block, 2000), 5, 0.3) for at in range(0, 2000, block)]
        )
        assert names(other) == names(one)
        assert len(other) == len(one)


def test_another_machine_finds_the_same_cells(monkeypatch):
    units = np.repeat(people(150, 10, seed=2), [2, 1] * 750, axis=0)  # with copies: ties
    one = find_cells(units, 0, len(units), np.arange(len(units)))
    real, random = knn._products, np.random.default_rng(0)

    def rough(*arguments):
        for similarity, rows in real(*arguments):
            off = 0.9 * knn.tolerance(64) * random.uniform(-1, 1, similarity.shape)
            yield (similarity + off).astype(np.float32), rows

    monkeypatch.setattr(knn, "_products", rough)
    monkeypatch.setattr(cells, "_QUERIES_OF_CENTRES", 100)
    other = find_cells(units, 0, len(units), np.arange(len(units)))
    assert np.array_equal(one.centres, other.centres)
    assert np.array_equal(one.members, other.members)
    assert np.array_equal(one.starts, other.starts)


def test_cells_hold_their_own_group_only():
    units = people(100, 6, seed=3)
    bounds = np.array([0, 200, 600])
    found = find_cells(units, 200, 600, np.arange(600))
    assert sorted(found.members.tolist()) == list(range(200, 600))
    edges = cell_edges(units, found, 200, 600, 3, 0.2)
    exact = block_edges(units, bounds, 200, 600, 0, 0.2)
    assert edges.first.min() >= 200
    assert names(edges).keys() <= names(exact).keys()


@pytest.mark.parametrize("k", [0, 3])
def test_copies_of_one_picture_and_vectors_without_direction(k):
    units = unit(np.repeat([[1.0, 2, 3], [0, 0, 0], [-1, 0, 1]], [400, 100, 1], axis=0))
    found = find_cells(units, 0, 501, neighbour_rows(units, one_group(501), k))
    edges = cell_edges(units, found, 300, 501, k, 0.9)
    assert names(edges).keys() <= names(find_edges(units, one_group(501), k, 0.9, 5000)).keys()
    assert len(edges) >= 100 * 3


def test_the_nearest_centres_are_those_of_all():
    units, centres = people(500, 4, seed=4), people(100, 2, seed=5)
    place, centre = nearest_centres(units, np.arange(700, 2000), centres, 3)
    assert place.tolist() == np.repeat(np.arange(1300), 3).tolist()
    best = np.argsort(-(units[700:].astype(np.float64) @ centres.T), axis=1)[:, :3]
    assert np.array_equal(centre.reshape(-1, 3), best)


def test_too_many_pairs_are_one_sentence(monkeypatch):
    monkeypatch.setattr(cells, "MOST_PAIRS", 1000)
    units = unit(np.ones((200, 8)))
    found = find_cells(units, 0, 200, np.arange(200))
    with pytest.raises(ValueError, match=r"edges\.k 0 wants them all"):
        cell_edges(units, found, 0, 200, 0, 0.9)
