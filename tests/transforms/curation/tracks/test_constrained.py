"""The best tracks of a class under constraints, beside a plain walk through all pairs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.curation.tracks import constrained
from transforms.curation.tracks.columns import Columns
from transforms.curation.tracks.constrained import best_of_class, limits_of
from transforms.curation.tracks.lots import lots
from transforms.curation.tracks.places import Paths, place_iou
from transforms.curation.tracks.settings import CurationSettings
from transforms.identity.knn import pair_similarity, unit


def columns(count, seed=0, dimension=3, videos=3):
    random = np.random.default_rng(seed)
    corner = random.integers(0, 30, (count * 2, 2))
    boxes = np.concatenate([corner, corner + 30], axis=1).astype(np.float32)
    times = (random.integers(0, 5, (count, 1)) + np.array([0, 1.0])).ravel()
    return Columns(
        lots([str(number) for number in range(count)], seed),
        random.integers(0, videos, count).astype(np.uint64),
        (random.integers(0, 5, count) / 5).astype(np.float32),
        random.random(count, np.float32),
        random.normal(size=(count, dimension)).astype(np.float32),
        Paths(times, boxes, np.full(count, 2)),
    )


def settings(most, **given):
    return CurationSettings(criterion="class_balanced", num_samples_per_class=most, **given)


def plainly(own, wanted):
    """Every track beside every one that is taken, pass by pass."""
    units, paths = unit(own.features), own.paths.each()
    order = sorted(range(len(own)), key=lambda one: (-own.scores[one], own.lots[one]))
    taken, passes = [], []
    for number, limits in enumerate(limits_of(wanted)):
        for one in order:
            if len(taken) < wanted.num_samples_per_class and one not in taken:
                moves = not wanted.needs_motion or own.motion[one] >= np.float32(limits.motion)
                apart = not wanted.needs_features or all(
                    pair_similarity(units, np.array([one]), np.array([other]))[0] <= limits.cosine for other in taken
                )
                elsewhere = not wanted.needs_paths or all(
                    place_iou(paths[one], paths[other], wanted.iou_tbuff) <= limits.iou
                    for other in taken
                    if own.videos[one] == own.videos[other]
                )
                if moves and apart and elsewhere:
                    taken.append(one)
                    passes.append(number)
    return taken, passes


def without_what_is_not_read(own, wanted):
    return Columns(
        own.lots,
        own.videos,
        own.scores,
        own.motion if wanted.needs_motion else None,
        own.features if wanted.needs_features else None,
        own.paths if wanted.needs_paths else None,
    )


CONSTRAINTS = st.fixed_dictionaries(
    {},
    optional={
        "min_nn_dist": st.sampled_from([0.0, 0.3, 0.8, 1.5]),
        "max_spt_iou": st.sampled_from([0.0, 0.2, 0.6, 1.0]),
        "iou_tbuff": st.sampled_from([0.0, 1.0, float("inf")]),
        "min_motion": st.sampled_from([0.0, 0.5, 0.9, 2.0]),
        "passes": st.integers(1, 5),
    },
)


@given(st.integers(0, 40), st.integers(1, 15), CONSTRAINTS, st.integers(0, 2**32 - 1))
def test_it_takes_what_a_plain_walk_takes(count, most, given_, seed):
    own, wanted = columns(count, seed), settings(most, **given_)
    places, passes = best_of_class(without_what_is_not_read(own, wanted), wanted)
    assert (places.tolist(), passes.tolist()) == plainly(own, wanted)
    if wanted.passes == 5:
        assert len(places) == min(count, most)  # the last pass has no constraints


@given(st.integers(1, 40), CONSTRAINTS, st.integers(0, 2**32 - 1))
def test_every_two_keep_the_constraints_of_the_later_ones_pass(count, given_, seed):
    own, wanted = columns(count, seed), settings(10, **given_)
    places, passes = best_of_class(without_what_is_not_read(own, wanted), wanted)
    limits, units, paths = limits_of(wanted), unit(own.features), own.paths.each()
    for number, (one, pass_) in enumerate(zip(places.tolist(), passes.tolist(), strict=True)):
        limit = limits[pass_]
        if wanted.needs_motion:
            assert own.motion[one] >= np.float32(limit.motion)
        for other in places[:number].tolist():
            if wanted.needs_features and limit.distance:
                assert np.linalg.norm(units[one].astype(float) - units[other]) >= limit.distance - 1e-6
            if wanted.needs_paths and own.videos[one] == own.videos[other]:
                assert place_iou(paths[one], paths[other], wanted.iou_tbuff) <= limit.iou


def test_blocks_make_no_difference(monkeypatch):
    own, wanted = columns(300), settings(60, min_nn_dist=0.2, max_spt_iou=0.4, min_motion=0.3)
    whole = best_of_class(own, wanted)
    monkeypatch.setattr(constrained, "BLOCK", 7)
    again = best_of_class(own, wanted)
    assert [one.tolist() for one in again] == [one.tolist() for one in whole]


def test_without_constraints_there_is_one_pass():
    assert len(limits_of(settings(5))) == 1


def test_the_passes_are_those_of_trackverse():
    found = limits_of(settings(5, min_nn_dist=1.0, max_spt_iou=0.5, min_motion=2.0))
    assert [one.distance for one in found] == pytest.approx([1, 0.8, 0.64, 0.512, 0])
    assert [one.motion for one in found] == pytest.approx([2, 1.6, 1.28, 1.024, 0])
    assert [one.iou for one in found] == pytest.approx([0.5, 0.6, 0.68, 0.744, 1])


def test_copies_are_not_taken_twice_before_the_last_pass():
    own = columns(6)
    same = Columns(own.lots, own.videos, own.scores, features=np.tile(own.features[:1], (6, 1)))
    _, passes = best_of_class(same, settings(3, min_nn_dist=0.1))
    assert passes.tolist() == [0, 4, 4]
