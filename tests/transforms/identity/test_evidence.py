"""What pictures show: who is two people, who is one, and which pictures prove nothing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transforms.identity.evidence_made import all_edges, ints
from transforms.identity import evidence
from transforms.identity.evidence import no_evidence, pictures_show, similar, within_pictures
from transforms.identity.evidence_settings import EvidenceSettings
from transforms.identity.knn import edges_of
from transforms.tracking.association import overlaps, pair_overlaps

NOBODY = ints(), ints()
LINK, COPY = (float(np.cos(np.radians(degrees))) for degrees in (15, 5))


def boxes(*lefts):
    """Boxes of 100 pixels that begin at these x."""
    left = np.array(lefts, np.float32)
    return np.stack([left, np.zeros_like(left), left + 100, np.full_like(left, 100)], axis=1)


def shown(image, lefts, degrees, apart=NOBODY, tracks=(), **chosen):
    """What pictures show of faces at these angles, with a link at 15 degrees, and a copy at 5."""
    angles = np.radians(degrees)
    units = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32).reshape(-1, 2)
    told = EvidenceSettings(**{"pictures": True, "copy_similarity": COPY, **chosen})
    ends = np.array(tracks, np.int64).reshape(-1, 2)
    followed = edges_of(*ends.T, similar(units, ends))
    return pictures_show(ints(*image), boxes(*lefts), units, all_edges(units, LINK), told, LINK, apart, followed)


def seen(evidence):
    """The pairs of people, called by their first rows, that are two."""
    scenes, alike = evidence.scenes(), evidence.alike
    pairs = [(a, b) for a in set(alike.tolist()) for b in set(alike.tolist()) if a < b]
    return {pair for pair in pairs if scenes.pairs_within(np.where(np.isin(alike, pair), 0, -1))}


def test_no_faces_and_no_evidence():
    assert seen(no_evidence(3)) == set()
    assert shown([], [], []).alike.tolist() == []
    assert within_pictures(ints(0, 1, -1, -1)).tolist() == []


@pytest.mark.parametrize(
    ("image", "lefts", "degrees", "alike", "apart"),
    [
        ([0, 0, 1], [0, 300, 0], [0, 90, 180], [0, 1, 2], {(0, 1)}),
        ([0, 0, 0], [0, 300, 600], [0, 90, 180], [0, 1, 2], {(0, 1), (0, 2), (1, 2)}),
        ([0, 0, 0], [0, 20, 600], [0, 90, 180], [0, 0, 2], {(0, 2)}),  # found twice: IoU .67
        ([0, 0, 0], [0, 34, 600], [0, 90, 180], [0, 1, 2], {(0, 1), (0, 2), (1, 2)}),  # IoU .49
        ([0, 0, 1, 1], [0, 300, 0, 300], [0, 90, 1, 91], [0, 1, 0, 1], {(0, 1)}),  # the photograph again
        ([0, 0, 0], [0, 300, 600], [0, 10, 90], [0, 1, 2], set()),  # somebody twice: a mirror or a collage
        ([0, 0, 0], [0, 300, 600], [0, 1, 90], [0, 1, 2], set()),  # a copy within a picture is no other picture's
        ([0, 0, 1, 1], [0, 20, 0, 300], [0, 10, 0, 90], [0, 0, 0, 3], {(0, 3)}),  # found twice, and so no mirror
        ([-1, -1, 0, 0], [0, 300, 0, 300], [0, 90, 180, 270], [0, 1, 2, 3], {(2, 3)}),
    ],
)
def test_faces_of_pictures(image, lefts, degrees, alike, apart):
    found = shown(image, lefts, degrees)
    assert found.alike.tolist() == alike
    assert seen(found) == apart


@pytest.mark.parametrize(("limit", "apart"), [(None, set()), (0.999, {(0, 1)}), (1, {(0, 1)})])
def test_how_similar_somebody_is_who_is_seen_twice_can_be_set(limit, apart):
    assert seen(shown([0, 0], [0, 300], [0, 10], repeat_similarity=limit)) == apart


def test_what_the_user_keeps_apart_is_no_copy():
    found = shown([0, 1, 2], [0, 0, 0], [0, 2, 4], apart=(ints(0), ints(2)))
    assert found.alike.tolist() == [0, 0, 2]
    assert seen(found) == {(0, 2)}  # the copy of a face that is kept apart is so too


@pytest.mark.parametrize(
    ("image", "degrees", "tracks", "alike"),
    [
        ([0, 1], [0, 40], [(0, 1)], [0, 0]),  # a track joins faces that no link would
        ([0, 0, 1], [0, 90, 45], [(0, 2), (1, 2)], [0, 1, 0]),  # two of a frame: the first of two equally weak goes
        ([0, 0, 1], [0, 90, 80], [(0, 2), (1, 2)], [0, 1, 1]),  # and of others the weaker
        (
            [0, 0, 1, 2],
            [0, 90, 45, 46],
            [(0, 2), (2, 3), (1, 3)],
            [0, 1, 1, 1],
        ),  # 45 to the one, 44 to the other
    ],
)
def test_what_contradicts_itself_loses_its_weakest(image, degrees, tracks, alike):
    found = shown(image, [300 * row for row in range(len(image))], degrees, tracks=tracks)
    assert found.alike.tolist() == alike
    assert (0, 1) in seen(found) or image[:2] != [0, 0]


def test_tracks_alone_keep_nobody_apart():
    found = shown([0, 0, 1], [0, 300, 0], [0, 90, 40], tracks=[(0, 2)], pictures=False, copy_similarity=None)
    assert found.alike.tolist() == [0, 1, 0]
    assert seen(found) == set()


@given(st.integers(2, 24), st.integers(0, 10_000))
@settings(deadline=None)
def test_two_of_a_picture_are_never_one_whatever_is_followed(rows, seed):
    random = np.random.default_rng(seed)
    image, degrees = random.integers(0, 6, rows), random.uniform(0, 360, rows)
    tracks = random.integers(0, rows, (rows, 2))
    tracks = tracks[image[tracks[:, 0]] != image[tracks[:, 1]]]
    order = random.permutation(rows)
    place = np.argsort(order)
    found = shown(image, np.arange(rows) * 300, degrees, tracks=tracks.tolist(), repeat_similarity=1)
    again = shown(image[order], order * 300, degrees[order], tracks=place[tracks].tolist(), repeat_similarity=1)
    pairs = np.stack([image, found.alike], axis=1)
    assert len(np.unique(pairs, axis=0)) == rows
    assert {frozenset(order[np.flatnonzero(again.alike == one)].tolist()) for one in again.alike} == {
        frozenset(np.flatnonzero(found.alike == one).tolist()) for one in found.alike
    }


def test_a_crowd_proves_nothing(monkeypatch):
    monkeypatch.setattr(evidence, "MOST_OF_A_PICTURE", 2)
    assert seen(shown([0, 0, 0, 1, 1], [0, 300, 600, 0, 300], [0, 90, 180, 240, 300])) == {(3, 4)}


@given(st.integers(0, 10_000))
@settings(deadline=None)
def test_overlaps_of_pairs_are_those_of_the_matrix(seed):
    low, side = np.random.default_rng(seed).uniform(0, 100, (2, 20, 2)).astype(np.float32)
    box = np.concatenate([low, low + side], axis=1)
    pairs = within_pictures(np.zeros(20, np.int64))
    assert len(pairs) == 190
    assert np.allclose(
        pair_overlaps(box[pairs[:, 0]], box[pairs[:, 1]]), overlaps(box, box)[pairs[:, 0], pairs[:, 1]], atol=1e-5
    )
