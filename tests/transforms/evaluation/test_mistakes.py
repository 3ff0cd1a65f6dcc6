"""Mistakes are all that is wrong, once, and each kind begins with the worst."""

from itertools import combinations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from transforms.evaluation.labelled_faces import Counts, LabelledFaces
from transforms.evaluation.mistakes import LOST, MERGED, SPLIT, Mistake, mistakes


def of(pairs):
    """Faces of (person, identity)."""
    person, identity = (np.array([pair[side] for pair in pairs], np.int64) for side in (0, 1))
    return LabelledFaces(pa.nulls(len(pairs)), person, pa.array([]), identity, identity, Counts(*[0] * 13))


def test_no_faces():
    assert mistakes(of([])) == []


def test_no_mistake():
    assert mistakes(of([(0, 5), (0, 5), (1, 6)])) == []


def test_each_kind():
    faces = [(0, 5)] * 3 + [(1, 5)] * 2 + [(0, 9)] * 4 + [(2, 9), (3, -1), (3, -1), (4, -1), (0, -1)]
    assert mistakes(of(faces)) == [
        Mistake(MERGED, 5, 5, ((0, 3), (1, 2)), 6),
        Mistake(MERGED, 9, 5, ((0, 4), (2, 1)), 4),
        Mistake(SPLIT, 0, 7, ((9, 4), (5, 3)), 12),
        Mistake(LOST, 3, 2, (), 1),
        Mistake(LOST, 4, 1, (), 0),
    ]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(-1, 5)), max_size=40))
def test_wrong_pairs_are_all_pairs_that_are_wrong(pairs):
    found = mistakes(of(pairs))
    kept = [pair for pair in pairs if pair[1] >= 0]
    wrong = {kind: sum(one.wrong_pairs for one in found if one.kind == kind) for kind in (MERGED, SPLIT)}
    assert wrong[MERGED] == sum(a[0] != b[0] and a[1] == b[1] for a, b in combinations(kept, 2))
    assert wrong[SPLIT] == sum(a[0] == b[0] and a[1] != b[1] for a, b in combinations(kept, 2))
    lost = {one.group: one.faces for one in found if one.kind == LOST}
    people = {person for person, _ in pairs} - {person for person, _ in kept}
    assert lost == {person: sum(pair[0] == person for pair in pairs) for person in people}
    for kind in (MERGED, SPLIT):
        of_kind = [one for one in found if one.kind == kind]
        assert of_kind == sorted(of_kind, key=lambda one: (-one.wrong_pairs, one.group))
        assert all(sum(count for _, count in one.parts) == one.faces for one in of_kind)
