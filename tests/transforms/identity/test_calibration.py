"""Links found without labels are right for planted people, monotone, the same in any order, and doubted in words."""

import dataclasses

import numpy as np
import pytest

from tests.transforms.identity.people import people
from transforms.identity.calibration import FEWEST, TooLittleEvidence, calibrate, link_of
from transforms.identity.knn import find_edges, one_group, unit
from transforms.identity.two_kinds import TwoKinds

KINDS = TwoKinds(floor=0.1, above=200, share=0.04, middle=0.02, spread=0.1, a=60, b=10)
TENS = people([10] * 50)


NO_EVIDENCE = [
    (np.zeros((0, 4), np.float32), "0 faces are too few"),
    (np.eye(4, dtype=np.float32)[:3], f"3 faces are too few to find a link; at least {FEWEST}"),
    (np.tile(np.eye(4, dtype=np.float32)[:1], (100, 1)), "all vectors are the same"),
    (np.full((100, 4), np.nan, np.float32), "not all vectors are finite"),
    (np.zeros((100, 4), np.float32), "of length 1"),
]


@pytest.mark.parametrize(("units", "words"), NO_EVIDENCE)
def test_too_little_is_a_sentence(units, words):
    with pytest.raises(TooLittleEvidence, match=words):
        calibrate(units)


@pytest.mark.parametrize("rule", ["groups", "links"])
@pytest.mark.parametrize("mean", [0.0, 2.0])
def test_planted_people_are_told_apart(rule, mean):
    """With and without a mean vector, which all similarities are nearer to 1 with."""
    units, person = people([10] * 50, mean=mean)
    found = calibrate(units, rule=rule)
    edges = find_edges(units, one_group(len(units)), 0, found.link, 4096)
    right = person[edges.first] == person[edges.second]
    assert right.mean() > (0.99 if rule == "links" else 0.97)
    assert right.sum() > (0.9 if mean == 0 else 0.8) * 50 * 45
    assert found.interval[0] <= found.link <= found.interval[1]
    assert found.edge <= found.link <= found.merge <= 1
    assert found.kinds.same == pytest.approx(9, rel=0.1)
    assert found.doubts == ()


def test_single_links_are_stricter_than_groups():
    assert link_of(KINDS, "links") > link_of(KINDS, "groups")


def test_the_order_of_the_rows_changes_nothing():
    units, _ = TENS
    order = np.random.default_rng(3).permutation(len(units))
    one, other = calibrate(units), calibrate(units[order])
    assert other.link == pytest.approx(one.link, abs=2e-3)
    assert other.interval == pytest.approx(one.interval, abs=4e-3)


@pytest.mark.parametrize("rule", ["groups", "links"])
def test_more_faces_of_others_ask_for_a_stricter_link(rule):
    """More different people, and the same pictures of each person beside them."""
    links = [
        link_of(dataclasses.replace(KINDS, above=above, share=8 / above), rule) for above in (50, 200, 2_000, 20_000)
    ]
    assert links == sorted(links)
    assert links[-1] > links[0]


def test_fewer_wrong_links_ask_for_a_stricter_link():
    links = [link_of(KINDS, "groups", wrong) for wrong in (10, 1, 0.1, 0.01, 0.001)]
    assert links == sorted(links)
    assert float(KINDS.different_above(links[-1])) <= 0.001
    assert links[0] == link_of(KINDS, "groups")  # nothing forces it down


def test_where_everyone_is_alone_the_link_rests_on_different_people():
    units, _ = people([1] * 400)
    found = calibrate(units)
    similarity = units @ units.T - 2 * np.eye(len(units))
    assert (similarity >= found.link).sum() / len(units) < 1
    assert (found.merge, found.duplicate) == (1, 1) or found.kinds.same < 0.2
    alone = calibrate(units, wrong_links=0.001)
    assert alone.link > found.link


def test_known_pairs_are_counted():
    units, person = TENS
    first, second = np.triu_indices(len(units), 1)
    same = person[first] == person[second]
    pairs = np.stack([first, second], axis=1)
    found = calibrate(units, same=pairs[same], different=pairs[~same])
    assert (found.same.pairs, found.different.pairs) == (50 * 45, len(first) - 50 * 45)
    assert found.same.linked > 0.9 * found.same.pairs
    assert found.different.linked < 0.001 * found.different.pairs
    assert found.doubts == ()
    assert calibrate(units, different=pairs[same]).link == found.link  # pairs that are wrong do no harm


def test_vectors_that_tell_nobody_apart_are_doubted():
    units, _ = people([4] * 50, noise=3.0)
    assert calibrate(units).doubts


def test_a_link_that_loses_most_pairs_is_not_to_be_relied_on():
    random = np.random.default_rng(0)
    person = np.repeat(np.arange(6), 150)
    units = unit(random.normal(size=(6, 24))[person] + 1.2 * random.normal(size=(900, 24)))
    found = calibrate(units, rule="links")
    assert found.lost > 0.5
    assert not found.certain
    assert any("Most pairs of one person" in one for one in found.doubts)


def test_few_people_leave_the_link_uncertain():
    units, _ = people([1] * 25 + [2] * 5, noise=0.9, mean=2.0)
    found = calibrate(units)
    assert not found.certain
    assert any("The link is uncertain" in one for one in found.doubts)
