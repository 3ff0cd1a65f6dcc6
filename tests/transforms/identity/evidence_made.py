"""Faces in pictures, made for the tests of clustering: unit vectors, their edges, who is seen together."""

import numpy as np

from transforms.identity.apart import Scenes
from transforms.identity.evidence import Evidence
from transforms.identity.knn import find_edges, one_group, unit


def ints(*values):
    return np.array(values, np.int64)


def partition(labels):
    """The groups as a set of sets of rows; noise left out."""
    return {frozenset(np.flatnonzero(labels == label).tolist()) for label in set(labels.tolist()) if label >= 0}


def people(seed, rows, dimension=4, noise=0.35):
    """Unit vectors (N,D) around a few people, and the person (N,) of each."""
    random = np.random.default_rng(seed)
    person = random.integers(0, max(1, rows // 5), rows)
    centres = random.normal(size=(person.max(initial=0) + 1, dimension))
    return unit(centres[person] + noise * random.normal(size=(rows, dimension))), person


def all_edges(units, least, block=16):
    return find_edges(units, one_group(len(units)), 0, least, block)


def joined_one_by_one(units, scenes, cut):
    """Average linkage as it is defined, the two nearest first: the clusters, and the least lead of two over the next.

    Where that lead is within rounding, going on with the next two is as right.
    """
    sums = 1 - units.astype(np.float64) @ units.T.astype(np.float64)
    for number in set(scenes.scene.tolist()):
        together = scenes.row[scenes.scene == number]
        sums[np.ix_(together, together)] = np.inf
    np.fill_diagonal(sums, np.inf)
    label, sizes, lead = np.arange(len(units)), np.ones(len(units)), np.inf
    while True:
        mean = sums / np.outer(sizes, sizes)
        one, other = np.unravel_index(mean.argmin(), mean.shape)
        lead = min(lead, abs(mean[one, other] - (1 - cut)))
        if mean[one, other] > 1 - cut:
            return partition(label), lead
        lead = min(lead, np.min(np.delete(mean[[one, other]], [one, other], axis=1), initial=np.inf) - mean[one, other])
        sums[one] += sums[other]
        sums[:, one] = sums[one]
        sums[other] = sums[:, other] = np.inf
        label[label == other] = one
        sizes[one] += sizes[other]


def pictured(seed, rows, faces=3):
    """Evidence of pictures with about so many faces each, some faces of two pictures alike."""
    random = np.random.default_rng([seed, 1])
    picture = random.integers(0, max(1, rows // faces), rows)
    alike = np.arange(rows)
    for _ in range(rows // 8):
        one, other = np.sort(random.integers(0, rows, 2))
        alike[alike == alike[other]] = alike[one]
    _, first, inverse = np.unique(alike, return_index=True, return_inverse=True)
    return Evidence(first[inverse], picture, ints(), ints())


def scenes_of(picture):
    rows = np.arange(len(picture))
    return Scenes(rows, np.asarray(picture, np.int64), rows)


def shuffled(evidence, order):
    """The same evidence with rows in another order: row i of it is row order[i] of the first."""
    place = np.argsort(order)
    alike = evidence.alike[order]
    _, first, inverse = np.unique(alike, return_index=True, return_inverse=True)
    return Evidence(first[inverse], evidence.picture[order], place[evidence.first], place[evidence.second])
