"""Whether two ways of running a detector find the same; nearly equal scores may change places."""

import numpy as np

from model_handlers.interface import Objects


def check_alike(one: Objects, other: Objects, pixels: float = 0.1, scores: float = 1e-3) -> None:
    """AssertionError unless both have as many, of the same scores, each where the other has one of its class."""
    assert len(one.scores) == len(other.scores) > 3
    np.testing.assert_allclose(one.scores, other.scores, atol=scores)
    far = np.abs(one.boxes[:, None] - other.boxes).max(axis=2)
    far += np.where(one.classes[:, None] == other.classes, 0, np.inf)
    assert far.min(axis=1).max() < pixels
    assert far.min(axis=0).max() < pixels
