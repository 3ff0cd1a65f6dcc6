"""Faces that show nobody are found by how alike their look-alikes are, and the link that is found leaves them apart."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.face_vectors import KINDS, draw_faces, draw_people
from transforms.identity.calibration import calibrate, link_of
from transforms.identity.nobodies import count_above, find_nobodies
from transforms.identity.pair_counts import BINS, EDGES, count_pairs
from transforms.identity.two_kinds import TwoKinds, fit

TOLD = TwoKinds(floor=0.1, above=200, share=0.04, middle=0.02, spread=0.05, a=60, b=10)


def counts_of(*faces):
    """Counts (n,BINS) of faces with so many others at a similarity each."""
    counts = np.zeros((len(faces), BINS), np.int32)
    for row, (others, similarity) in enumerate(faces):
        counts[row, np.searchsorted(EDGES, similarity) - 1] = others
    return counts


PEOPLE = [(9, 0.7), (9, 0.72), (9, 0.68), (5, 0.7), (12, 0.71)] * 4
CASES = {
    "no face": ([], []),
    "no look-alikes": ([(0, 0.7), (2, 0.7), (2, 0.4)], []),
    "people alone": (PEOPLE, []),
    "two that are alike, of nobody": ([*PEOPLE, (40, 0.4), (40, 0.41)], [20, 21]),
    "a face of somebody, with a few": ([*PEOPLE, (3, 0.6)], []),
    "too many to be an exception": ([*PEOPLE, *[(40, 0.4)] * 4], []),
}


@pytest.mark.parametrize(("faces", "expected"), CASES.values(), ids=CASES)
def test_nobodies(faces, expected):
    assert np.flatnonzero(find_nobodies(counts_of(*faces), TOLD)).tolist() == expected


def test_counts_above_a_similarity():
    counts = counts_of((4, 0.5), (6, 0.7)).sum(axis=0).astype(float)
    np.testing.assert_allclose(count_above(counts, [-1, 0.49, 0.6, 0.71, 1]), [10, 10, 6, 0, 0], atol=1e-9)


def with_nobodies(share):
    """Unit vectors (N,D) of 100 people with ten faces each, a share of which shows nobody, and which (N,) those are."""
    random = np.random.default_rng(3)
    kind = replace(KINDS["ArcFace"], blank=share)
    person = np.repeat(np.arange(100), 10)
    return draw_faces(kind, draw_people(kind, 100, random), person, random)


@pytest.mark.parametrize("rule", ["groups", "links"])
def test_the_link_leaves_them_apart(rule):
    units, nobody = with_nobodies(0.03)
    without = calibrate(units[~nobody], rule=rule)
    found = calibrate(units, rule=rule)
    assert found.nobodies == pytest.approx(nobody.mean(), abs=0.003)
    assert found.kinds.same_mean == pytest.approx(without.kinds.same_mean, abs=0.02)
    assert without.link - 0.03 < found.link < without.link + 0.05
    counted = count_pairs(units)
    fooled = fit(counted.counts.mean(axis=0), EDGES, counted.faces)
    assert link_of(fooled, rule) < without.link - 0.05, "these faces would not be taken for a person"


def test_without_them_nothing_is_left_out():
    assert calibrate(with_nobodies(0)[0]).nobodies == 0
