"""What pictures show: who is two people, who is one, and which pictures prove nothing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transforms.identity.evidence_made import all_edges, ints
from transforms.identity.evidence import no_evidence, pictures_show, within_pictures
from transforms.identity.evidence_settings import EvidenceSettings
from transforms.tracking.association import overlaps, pair_overlaps

NOBODY = ints(), ints()
LINK, COPY = (float(np.cos(np.radians(degrees))) for degrees in (15, 5))


def boxes(*lefts):
    """Boxes of 100 pixels that begin at these x."""
    left = np.array(lefts, np.float32)
    return np.stack([left, np.zeros_like(left), left + 100, np.full_like(left, 100)], axis=1)


def shown(image, lefts, degrees, apart=NOBODY, **chosen):
    """What pictures show of faces at these angles, with a link at 15 degrees, and a copy at 5."""
    angles = np.radians(degrees)
    units = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32).reshape(-1, 2)
    told = EvidenceSettings(copy_similarity=COPY, **chosen)
    return pictures_show(ints(*image), boxes(*lefts), units, all_edges(units, LINK), told, LINK, apart)


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
