"""Lots: chance that an id and a seed decide."""

import numpy as np

from transforms.curation.tracks.lots import first_of_each, in_chance_order, lots, ranks_among

IDS = [f"v{number % 7}-t{number}" for number in range(1000)]


def test_no_ids_have_no_lots():
    assert lots([], 0).tolist() == []


def test_lots_follow_from_id_and_seed_alone():
    whole = lots(IDS, 5)
    assert lots(IDS[::-1], 5)[::-1].tolist() == whole.tolist()
    assert len(set(whole.tolist())) == len(IDS)
    assert not np.isin(lots(IDS, 6), whole).any()


def test_lots_have_not_changed():
    assert lots(["v1-s0-t0", "ä"], 1).tolist() == [15164898818499686841, 1131920145398732038]


def test_lots_are_spread_evenly():
    shares = np.histogram(lots(IDS, 0).astype(float) / 2**64, bins=10, range=(0, 1))[0]
    assert shares.min() > 60
    assert shares.max() < 140


def test_every_turn_has_an_order_of_its_own():
    some = lots(IDS, 0)
    turns = [in_chance_order(some, turn).tolist() for turn in range(3)]
    assert all(sorted(turn) == list(range(len(IDS))) for turn in turns)
    assert len({tuple(turn) for turn in turns}) == 3
    backwards = in_chance_order(some[::-1], 1)
    assert some[::-1][backwards].tolist() == some[turns[1]].tolist()


def test_ranks_of_what_is_not_there_are_below_zero():
    ascending = np.array([2, 5, 2**64 - 1], np.uint64)
    wanted = np.array([5, 0, 2, 3, 2**64 - 1, 2**64 - 2], np.uint64)
    assert ranks_among(wanted, ascending).tolist() == [1, -1, 0, -1, 2, -1]
    assert ranks_among(wanted, ascending[:0]).tolist() == [-1] * 6


def test_the_first_of_each_stays_in_order():
    assert first_of_each(np.array([3, 1, 3, 2, 1], np.uint64)).tolist() == [0, 1, 3]
