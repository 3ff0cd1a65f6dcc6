"""Cells are found once, come back as they were, and go when they are not needed."""

from dataclasses import fields

import numpy as np
import pytest

from transforms.identity.cells import Cells, find_cells
from transforms.identity.kept_cells import FOLDER, forget_cells, kept_cells
from transforms.identity.knn import unit


def found(seed):
    units = unit(np.random.default_rng(seed).normal(size=(300, 8)))
    return tuple(find_cells(units, low, low + 100, np.arange(300)) for low in (0, 150))


def same(one, other):
    pairs = zip(one, other, strict=True)
    return all(np.array_equal(getattr(a, f.name), getattr(b, f.name)) for a, b in pairs for f in fields(Cells))


def not_again():
    raise AssertionError("they are there")


@pytest.mark.parametrize("cells", [(), found(0)])
def test_what_is_kept_comes_back(tmp_path, cells):
    run = str(tmp_path)
    assert kept_cells(run, "a", lambda: cells) is cells
    assert same(kept_cells(run, "a", not_again), cells)


def test_those_of_other_vectors_are_found_anew(tmp_path):
    run, first, second = str(tmp_path), found(0), found(1)
    kept_cells(run, "a", lambda: first)
    assert kept_cells(run, "b", lambda: second) is second
    assert same(kept_cells(run, "b", not_again), second)


def test_nothing_is_left_of_what_is_forgotten(tmp_path):
    run = str(tmp_path)
    forget_cells(run)
    kept_cells(run, "a", lambda: found(0))
    forget_cells(run)
    assert not list(tmp_path.glob(f"{FOLDER}/*"))
