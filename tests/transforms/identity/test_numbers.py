"""Identities keep their numbers, and what became of them is told."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.identity.numbers import Change, changes, keep_numbers


def array(*numbers):
    return np.array(numbers, np.int64)


@pytest.mark.parametrize(
    ("found", "before", "next_number", "numbers", "told"),
    [
        ([0, 0, 1, 1], [-1, -1, -1, -1], 0, [0, 1], [("new", None, 0, 2), ("new", None, 1, 2)]),
        ([0, 0, 1, 1], [1, 1, 0, 0], 2, [1, 0], []),
        ([0, 0, 0, 0, 0], [4, 4, 7, 7, 7], 9, [7], [("merged", 4, 7, 2)]),
        ([0, 0, 0, 0], [4, 4, 2, 2], 9, [2], [("merged", 4, 2, 2)]),  # as many of both: the smaller number
        ([0, 0, 0, 1, 1], [3, 3, 3, 3, 3], 9, [3, 9], [("split", 3, 9, 2)]),
        ([0, 0, 1, 1], [3, 3, 3, 3], 9, [3, 9], [("split", 3, 9, 2)]),  # as many in both: the earlier identity
        ([0, 0, 1, 1, 1], [0, 0, 1, 1, 0], 2, [0, 1], [("split", 0, 1, 1)]),
        ([-1, -1, 0, 0], [5, 5, 6, 6], 9, [6], [("gone", 5, None, 2)]),
        ([-1, 0, 0, 1], [5, 5, 6, -1], 9, [5, 9], [("merged", 6, 5, 1), ("new", None, 9, 1)]),
        ([0, 0, 1], [-1, 8, 8], 9, [8, 9], [("split", 8, 9, 1)]),
        ([], [], 3, [], []),
    ],
)
def test_numbers_and_changes(found, before, next_number, numbers, told):
    made = keep_numbers(array(*found), array(*before), next_number)
    assert made.tolist() == numbers
    now = np.where(array(*found) < 0, -1, np.append(made, -1)[array(*found)])
    assert [(one.kind, one.before, one.after, one.faces) for one in changes(now, array(*before))] == told


def compact(labels):
    """0..K-1 by first row, -1 stays, as clustering gives them."""
    names = {}
    return array(*(-1 if label < 0 else names.setdefault(label, len(names)) for label in labels))


LABELS = st.integers(0, 40).flatmap(
    lambda n: st.tuples(*[st.lists(st.integers(-1, 6), min_size=n, max_size=n)] * 2, st.integers(0, 3))
)


@given(LABELS)
def test_numbers_are_distinct_and_new_ones_were_never_used(case):
    found, before, spare = compact(case[0]), array(*case[1]), case[2]
    following = int(before.max(initial=-1)) + 1 + spare
    numbers = keep_numbers(found, before, following)
    assert len(set(numbers.tolist())) == len(numbers) == len(set(found[found >= 0].tolist()))
    old = numbers[numbers < following]
    assert set(old.tolist()) <= set(before.tolist())
    assert sorted(numbers[numbers >= following].tolist()) == list(range(following, following + len(numbers) - len(old)))
    for identity, number in enumerate(numbers.tolist()):
        own = before[(found == identity) & (before >= 0)]
        if number < following:  # it has faces of that number, and whatever it has more of went where there are more yet
            most = {n: int((own == n).sum()) for n in set(own.tolist())}
            for other, count in most.items():
                holder = numbers.tolist().index(other) if other in numbers else None
                assert count <= most[number] or (before[found == holder] == other).sum() >= count
        elif len(own):  # all its numbers went to others with as many of their faces, or more
            for n in set(own.tolist()):
                holder = numbers.tolist().index(n)
                assert (before[found == holder] == n).sum() >= (own == n).sum()


@given(LABELS)
def test_the_same_partition_keeps_all_numbers(case):
    found = compact(case[0])
    numbers = keep_numbers(found, np.where(found < 0, -1, found * 3 + 1), 99)
    assert numbers.tolist() == [3 * n + 1 for n in range(len(numbers))]


@given(LABELS)
def test_every_face_that_changed_its_number_is_told_of_once(case):
    now, before = array(*case[0]), array(*case[1])
    told = list(changes(now, before))
    assert sum(one.faces for one in told if one.kind in ("merged", "split")) == int(
        ((now >= 0) & (before >= 0) & (now != before)).sum()
    )
    there, had = set(now.tolist()) - {-1}, set(before.tolist()) - {-1}
    for one in told:
        assert one == Change(one.kind, one.before, one.after, one.faces)
        assert (one.before is None) == (one.kind == "new")
        assert (one.after is None) == (one.kind == "gone")
        assert one.faces > 0
        if one.kind in ("merged", "gone"):
            assert one.before in had
            assert one.kind == "gone" or one.before not in there
    assert {one.before for one in told if one.kind == "split"} <= there
    assert {one.before for one in told if one.kind in ("merged", "gone")} >= had - there
