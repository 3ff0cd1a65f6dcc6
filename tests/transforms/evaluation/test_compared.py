"""Pairs are compared by the vectors of their items; every pair is compared or counted under one reason."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.embedded_faces import write_pictures
from transforms.evaluation.compared import MEANINGS, compare
from transforms.evaluation.pairs import Pairs

VECTORS = {"p": (3, 4, 0), "q": (0, 0, 2), "r": (1, 1, 1), "s": (-2, -2, -2), "t": (0, 0, 0)}


def pairs_of(rows, bad_rows=0):
    names = list(dict.fromkeys(name for row in rows for name in row[:2]))
    ends = [np.array([names.index(row[end]) for row in rows], np.int64) for end in (0, 1)]
    return Pairs(pa.array(names, pa.large_string()), *ends, np.array([bool(row[2]) for row in rows], bool), bad_rows)


def compared(run, rows, bad_rows=0):
    found = compare(run, pairs_of(rows, bad_rows))
    names = found.names.to_pylist()
    kept = [
        (names[one], names[other], same)
        for one, other, same in zip(found.first.tolist(), found.second.tolist(), found.same.tolist(), strict=True)
    ]
    return kept, found.similarity, {reason: count for reason, count in found.left_out.items() if count}


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> str:
    return write_pictures(str(tmp_path_factory.mktemp("run")), VECTORS, no_face=["u"], no_vector=["v"])


def test_no_pairs(run):
    assert compared(run, [])[0::2] == ([], {})
    assert compared(run, [], bad_rows=3)[2] == {"bad_row": 3}


def test_similarities(run):
    kept, similarity, left_out = compared(run, [("p", "q", 0), ("q.jpg", "r", 1), ("r", "s", 0), ("p", "r-f0", 1)])
    assert kept == [("p", "q", False), ("q.jpg", "r", True), ("r", "s", False), ("p", "r-f0", True)]
    np.testing.assert_allclose(similarity, [0, 3**-0.5, -1, 1.4 / 3**0.5], atol=1e-6)
    assert left_out == {}


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([("p", "nobody", 1)], "not_in_run"),
        ([("u", "p", 1)], "no_face"),
        ([("p", "v", 1)], "no_vector"),
        ([("t", "p", 1)], "unusable_vector"),
        ([("p", "p", 1)], "one_face"),
        ([("p", "p-f0", 0)], "one_face"),
        ([("t", "nobody", 1)], "not_in_run"),  # the first of two reasons
        ([("v", "u", 1)], "no_face"),
    ],
)
def test_a_pair_that_is_left_out_has_one_reason(run, rows, reason):
    assert compared(run, [*rows, ("p", "q", 0)])[0::2] == ([("p", "q", False)], {reason: 1})
    assert reason in MEANINGS


def test_a_pair_that_is_listed_again_counts_once(run):
    rows = [("p", "q", 0), ("q", "p", 0), ("p.jpg", "q-f0", 0), ("p", "r", 1)]
    assert compared(run, rows)[0::2] == ([("p", "q", False), ("p", "r", True)], {"repeated": 2})


def test_a_pair_that_is_listed_as_both_kinds_does_not_count(run):
    rows = [("p", "q", 0), ("p", "r", 1), ("q", "p", 1), ("p", "q", 0)]
    assert compared(run, rows)[0::2] == ([("p", "r", True)], {"contradictory": 3})


NAMES = st.sampled_from([*VECTORS, "u", "v", "nobody", "p.jpg", "q-f0"])


@given(st.lists(st.tuples(NAMES, NAMES, st.booleans()), max_size=25), st.randoms())
def test_every_pair_is_compared_or_counted_whatever_their_order(run, rows, random):
    kept, similarity, left_out = compared(run, rows)
    assert len(kept) + sum(left_out.values()) == len(rows)
    random.shuffle(rows)
    again = compared(run, [(other, one, same) for one, other, same in rows])
    assert again[2] == left_out
    np.testing.assert_array_equal(np.sort(again[1]), np.sort(similarity))
