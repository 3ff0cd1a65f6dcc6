"""Vectors of generated people, whose similarities are near those of face models."""

import numpy as np


def people(sizes, noise=0.6, mean=0.0, seed=0, dimension=256):
    """Unit vectors (N,D) float32 of people with so many pictures each, in any order, and whose they are (N,).

    Two people have a cosine near mean^2 / (mean^2 + 1 + noise^2), two pictures of one that of (mean^2 + 1) for it.
    """
    random = np.random.default_rng(seed)
    person = random.permutation(np.repeat(np.arange(len(sizes)), sizes))
    spread = np.arange(1.0, dimension) ** -0.4
    spread /= np.sqrt((spread**2).sum())
    own = random.normal(size=(len(sizes), dimension - 1)) * spread
    faces = own[person] + noise * random.normal(size=(len(person), dimension - 1)) * spread
    vectors = np.hstack([np.full((len(person), 1), mean), faces])
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), person
