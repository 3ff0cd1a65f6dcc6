"""What pictures show: who is two people, who is one, and which pictures prove nothing."""

import numpy as np
import pytest

from tests.transforms.identity.evidence_made import ints
from transforms.identity.evidence import found_twice, no_evidence, pictures_show
from transforms.identity.evidence_settings import EvidenceSettings
from transforms.identity.knn import NO_EDGES, edges_of

NOBODY = ints(), ints()


def boxes(*lefts):
    """Boxes of 100 pixels that begin at these x."""
    left = np.array(lefts, np.float32)
    return np.stack([left, np.zeros_like(left), left + 100, np.full_like(left, 100)], axis=1)


def copies(*pairs):
    first, second = ints(*sum(pairs, ())).reshape(-1, 2).T
    return edges_of(first, second, np.full(len(first), 0.995, np.float32))


def seen(evidence):
    """The pairs of people, called by their first rows, that are two."""
    scenes, alike = evidence.scenes(), evidence.alike
    pairs = [(a, b) for a in set(alike.tolist()) for b in set(alike.tolist()) if a < b]
    return {pair for pair in pairs if scenes.pairs_within(np.where(np.isin(alike, pair), 0, -1))}


def test_no_faces_and_no_evidence():
    assert seen(no_evidence(3)) == set()
    assert pictures_show(ints(), boxes(), NO_EDGES, EvidenceSettings(), NOBODY).alike.tolist() == []
    assert len(found_twice(ints(0, 0), None, 0.5)) == 0


@pytest.mark.parametrize(
    ("image", "lefts", "copied", "alike", "apart"),
    [
        ([0, 0, 1], [0, 300, 0], [], [0, 1, 2], {(0, 1)}),
        ([0, 0, 0], [0, 300, 600], [], [0, 1, 2], {(0, 1), (0, 2), (1, 2)}),
        ([0, 0, 0], [0, 20, 600], [], [0, 0, 2], {(0, 2)}),  # found twice: IoU .67
        ([0, 0, 0], [0, 34, 600], [], [0, 1, 2], {(0, 1), (0, 2), (1, 2)}),  # IoU .49
        ([0, 0, 1, 1], [0, 300, 0, 300], [(0, 2), (1, 3)], [0, 1, 0, 1], {(0, 1)}),
        ([0, 0, 0], [0, 300, 600], [(0, 1)], [0, 0, 2], set()),  # a mirror or a collage
        ([0, 0, 1, 1], [0, 20, 0, 300], [(0, 1)], [0, 0, 2, 3], {(2, 3)}),  # twice, and so no mirror
        ([0, 0, -1, -1], [0, 300, 0, 300], [], [0, 1, 2, 3], {(0, 1)}),
    ],
)
def test_faces_of_pictures(image, lefts, copied, alike, apart):
    found = pictures_show(ints(*image), boxes(*lefts), copies(*copied), EvidenceSettings(), NOBODY)
    assert found.alike.tolist() == alike
    assert seen(found) == apart


def test_what_the_user_keeps_apart_is_no_copy():
    image, box = ints(0, 1, 2), boxes(0, 0, 0)
    found = pictures_show(image, box, copies((0, 1), (1, 2)), EvidenceSettings(), (ints(0), ints(2)))
    assert found.alike.tolist() == [0, 0, 2]
    assert seen(found) == {(0, 2)}  # the copy of a face that is kept apart is so too
