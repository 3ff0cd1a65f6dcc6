"""Which detection is which track: costs between them, and the cheapest pairs."""

import numpy as np

from model_handlers.interface import Array


def overlaps(boxes: Array, others: Array) -> Array:
    """Intersection over union (N,M) of boxes (N,4) and others (M,4) x1,y1,x2,y2; 0 where neither has an area."""
    lows = np.maximum(boxes[:, None, :2], others[:, :2])
    sides = np.maximum(np.minimum(boxes[:, None, 2:], others[:, 2:]) - lows, 0)
    shared = sides[..., 0] * sides[..., 1]
    union = _areas(boxes)[:, None] + _areas(others) - shared
    return np.asarray(shared / np.maximum(union, np.finfo(np.float64).tiny))


def pair_overlaps(boxes: Array, others: Array) -> Array:
    """Intersection over union (N,) of each box (N,4) with its partner (N,4); 0 where neither has an area."""
    both = np.stack([boxes, others]).astype(np.float64)
    areas = np.maximum(both[..., 2:] - both[..., :2], 0).prod(axis=2)
    sides = np.minimum(*both[..., 2:]) - np.maximum(*both[..., :2])
    shared = np.maximum(sides, 0).prod(axis=1)
    union = areas.sum(axis=0) - shared
    return np.asarray(np.divide(shared, union, out=np.zeros(len(boxes)), where=union > 0))


def cosine_costs(features: Array, others: Array) -> Array:
    """1 - cosine (N,M) of vectors of unit length (N,D) and (M,D): 0 the same, 1 nothing in common; never below 0."""
    return np.asarray(np.maximum(1 - features @ others.T, 0))


def score_fused_costs(overlap: Array, scores: Array) -> Array:
    """1 - IoU x score (N,M), of overlaps (N,M) and the scores (M,) of the detections (ByteTrack's fused score)."""
    return 1 - overlap * scores


def cheapest_pairs(costs: Array, limit: float) -> tuple[Array, Array]:
    """The rows (K,) and columns (K,) of costs (N,M) that belong together, rows ascending.

    Each row and column is in one pair at most, each pair costs less than `limit`, and the sum of what the pairs stay
    below it is the largest. That is the linear assignment with a cost limit of the reference (lapjv's `cost_limit`).
    """
    if not costs.size:
        return _NONE, _NONE
    from scipy.optimize import linear_sum_assignment  # when it is needed: it takes a process half a second

    rows, columns = linear_sum_assignment(np.minimum(costs, limit))
    good = costs[rows, columns] < limit
    return rows[good], columns[good]


_NONE = np.zeros(0, dtype=np.int64)


def _areas(boxes: Array) -> Array:
    sides = boxes[:, 2:] - boxes[:, :2]
    return np.asarray(sides[:, 0] * sides[:, 1])
