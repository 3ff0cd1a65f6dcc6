"""Merging: each cluster once a pass, the largest first, its means following; never two that are seen at once."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transforms.persons.film_faces import faces_of, people
from transforms.persons import merging
from transforms.persons.merging import merge
from transforms.persons.settings import MergingSettings

NEVER = {"face_distance": 0, "clothing_distance": 0}


def at(*degrees):
    """Directions so many degrees round; a chord of 10 degrees is 0.174 long, one of 11 degrees 0.192."""
    angles = np.radians(degrees)
    return np.column_stack([np.cos(angles), np.sin(angles)])


def merged(vectors, clusters, frames=None, clothes=None, **how):
    found = faces_of(vectors, frames, clothes)
    how = {"face_distance": 0.18, "clothing_distance": 0, "clothing_face_distance": 2, **how}
    return merge(found, np.array(clusters, np.int64), found.frame, MergingSettings(**how)).tolist()


def slowly(found, clusters, frame, how):
    """One pass, every mean computed anew from the faces whenever it is asked for."""
    rows = {int(c): list(np.flatnonzero(clusters == c)) for c in np.unique(clusters)}

    def mean(units, some):
        some = [row for row in some if units[row].any()]
        return units[some].astype(np.float64).mean(axis=0) if some else np.full(units.shape[1], np.inf)

    def near(one, other):
        with np.errstate(invalid="ignore"):
            faces = np.linalg.norm(mean(found.faces, rows[one]) - mean(found.faces, rows[other]))
            clothes = np.linalg.norm(mean(found.clothes, rows[one]) - mean(found.clothes, rows[other]))
        return faces < how.face_distance or (clothes < how.clothing_distance and faces < how.clothing_face_distance)

    order = sorted(rows, key=lambda c: (-len(rows[c]), rows[c][0]))
    for place, taker in enumerate(order):
        for other in order[place + 1 :]:
            there = taker in rows and other in rows and near(taker, other)
            if there and not set(frame[rows[taker]]) & set(frame[rows[other]]):
                rows[taker] += rows.pop(other)
    labels = np.empty(len(clusters), np.int64)
    for number, (_, some) in enumerate(sorted((min(some), some) for some in rows.values())):
        labels[some] = number
    return labels


def test_no_faces():
    assert merge(faces_of([]), np.zeros(0, np.int64), np.zeros(0, np.int64), MergingSettings()).tolist() == []


@pytest.mark.parametrize(
    ("degrees", "clusters", "how", "expected"),
    [
        ((0,), [0], {}, [0]),
        ((0, 10), [0, 1], {}, [0, 0]),
        ((0, 11), [0, 1], {}, [0, 1]),
        ((0, 11), [0, 1], {"face_distance": 0.2}, [0, 0]),
        ((0, 10), [0, 1], NEVER, [0, 1]),
        ((0, 0), [0, 1], NEVER, [0, 1]),
        ((0, 10), [0, 1], {"passes": 0}, [0, 1]),
        # the mean follows: at 5 degrees it is near to 14
        ((0, 10, 14), [0, 1, 2], {}, [0, 0, 0]),
        # 14 is passed before 1 and 2 at 10 are taken in (the larger clusters come first): a second pass finds it
        ((0, 0, 0, 14, 14, 10), [0, 0, 0, 1, 1, 2], {}, [0, 0, 0, 1, 1, 0]),
        ((0, 0, 10, 10, 13), [0, 0, 1, 1, 2], {}, [0, 0, 0, 0, 0]),
        # what was taken in takes in nothing itself: 19 is near to 10 alone
        ((0, 10, 19), [0, 1, 2], {}, [0, 0, 1]),
        # the largest takes first: 10 goes to the three at 19, and then 0 is too far
        ((0, 10, 19, 19, 19), [0, 1, 2, 2, 2], {}, [0, 1, 1, 1, 1]),
    ],
)
def test_faces(degrees, clusters, how, expected):
    assert merged(at(*degrees), clusters, **how) == expected


def test_what_a_pass_went_by_the_next_one_finds():
    degrees, clusters = (0, 0, 0, 12, 12, 9), [0, 0, 0, 1, 1, 2]
    assert merged(at(*degrees), clusters) == [0, 0, 0, 1, 1, 0]
    assert merged(at(*degrees), clusters, passes=2) == [0, 0, 0, 0, 0, 0]
    assert merged(at(*degrees), clusters, passes=100) == [0, 0, 0, 0, 0, 0]


def test_two_that_are_seen_at_once_are_two():
    assert merged(at(0, 0), [0, 1], frames=[3, 3]) == [0, 1]
    assert merged(at(0, 0, 5), [0, 1, 2], frames=[3, 3, 4]) == [0, 1, 0]
    # the cluster that 0 took in is seen together with 2
    assert merged(at(0, 0, 1, 1), [0, 0, 1, 2], frames=[1, 2, 3, 3]) == [0, 0, 0, 1]


def test_clothes_alone_are_enough_but_must_be_there():
    far = at(0, 90)
    assert merged(far, [0, 1], clothes=at(0, 5), clothing_distance=0.12) == [0, 0]
    assert merged(far, [0, 1], clothes=at(0, 8), clothing_distance=0.12) == [0, 1]
    assert merged(far, [0, 1], clothes=at(0, 0)) == [0, 1]
    assert merged(far, [0, 1], clothes=[[0, 0], [0, 0]], clothing_distance=0.12) == [0, 1]
    # the mean of clothes is that of those that were seen
    assert merged(at(0, 0, 90), [0, 0, 1], clothes=[[0, 0], [1, 0], [1, 0]], clothing_distance=0.12) == [0, 0, 0]
    assert merged(at(0, 9, 90), [0, 1, 2], clothes=[[0, 0], [1, 0], [1, 0]], clothing_distance=0.12) == [0, 0, 0]


def test_alike_clothes_do_not_join_faces_that_are_too_far_apart():
    uniforms = {"clothes": at(0, 0), "clothing_distance": 0.12, "clothing_face_distance": 0.5}
    assert merged(at(0, 28), [0, 1], **uniforms) == [0, 0]  # 0.484 apart
    assert merged(at(0, 29), [0, 1], **uniforms) == [0, 1]  # 0.501


@given(
    st.integers(1, 60),
    st.integers(0, 10_000),
    st.sampled_from([0, 0.3, 0.6, 1]),
    st.sampled_from([0, 0.2, 0.5]),
    st.sampled_from([0.8, 2]),
)
@settings(max_examples=150, deadline=None)
def test_a_pass_is_what_a_slow_one_does(count, seed, face, clothing, most):
    rng = np.random.default_rng(seed)
    frames = rng.integers(0, 80, count)
    clusters = np.unique(rng.integers(0, count, count), return_inverse=True)[1]
    clothes = people(rng, clusters % 5, 4, 0.5) * rng.integers(0, 2, (count, 1))
    found = faces_of(people(rng, clusters % 7, 5, 0.8), frames, clothes)
    how = MergingSettings(face_distance=face, clothing_distance=clothing, clothing_face_distance=most)
    first = [int(np.flatnonzero(clusters == c)[0]) for c in range(clusters.max() + 1)]
    numbered = np.argsort(np.argsort(first))[clusters]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(merging, "_TAKERS_AT_A_TIME", 4)
        assert merge(found, numbered, frames, how).tolist() == slowly(found, numbered, frames, how).tolist()
