"""Which of a list's rows repeat an earlier one."""

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from transforms.fetch.lists.repeats import HashList, matched, repeated


@given(st.lists(st.one_of(st.none(), st.sampled_from("abcdefgh"))))
def test_repeated_finds_what_a_set_finds(texts):
    hashes = HashList()
    for text in texts:
        hashes.append(text)
    seen, expected = set(), []
    for text in texts:
        expected.append(text is not None and text in seen)
        seen.add(text)
    assert repeated(hashes.take()).tolist() == expected


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2))))
def test_hashes_that_share_a_half_are_told_apart(pairs):
    array = np.array(pairs, dtype=np.uint64).reshape(-1, 2)
    expected = [pair != (0, 0) and pair in pairs[:i] for i, pair in enumerate(pairs)]
    assert repeated(array).tolist() == expected


@given(*[st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)))] * 2)
def test_as_many_rows_are_matched_as_both_sides_have(known, listed):
    both = Counter(known) & Counter(listed)

    def first(rows):
        left = both.copy()
        found = []
        for row in rows:
            found.append(left[row] > 0)
            left[row] -= 1
        return found

    here, there = matched(*(np.array(rows, np.uint64).reshape(-1, 2) for rows in (known, listed)))
    assert (here.tolist(), there.tolist()) == (first(known), first(listed))
