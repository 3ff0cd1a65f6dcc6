"""Faces of a film that tests make up: people as directions, faces scattered round them, in frames and shots."""

import numpy as np

from transforms.identity.knn import unit
from transforms.persons.appearances import Appearances


def faces_of(
    vectors, frames=None, clothes=None, boxes=None, times=None, shots=None, ids=None, per_second: float = 1.0
) -> Appearances:
    """Appearances of these face vectors (N,D).

    If nothing is said each face has a frame and a place in it of its own, no clothes and no known shot.
    """
    vectors = np.asarray(vectors, np.float64)
    count = len(vectors)
    frames = np.arange(count) if frames is None else np.asarray(frames)
    return Appearances(
        face_id=tuple(ids or (f"v-n{frame:06d}-f{row:06d}" for row, frame in enumerate(frames.tolist()))),
        frame=frames.astype(np.int64),
        time=frames / per_second if times is None else np.asarray(times, np.float64),
        shot=np.full(count, -1, np.int64) if shots is None else np.asarray(shots, np.int64),
        box=np.array([(n, 0, n + 1, 1) for n in range(count)] if boxes is None else boxes, np.float32).reshape(-1, 4),
        faces=unit(vectors.reshape(count, -1)) if count else np.zeros((0, 4), np.float32),
        clothes=unit(np.zeros((count, 1)) if clothes is None else np.asarray(clothes, np.float64)),
    )


def people(rng, who, dimension: int = 32, scatter: float = 0.1) -> np.ndarray:
    """A vector (N,dimension) for each face, round a direction of the person `who` (N,) it belongs to."""
    who = np.asarray(who, np.int64)
    centres = rng.normal(size=(int(who.max(initial=0)) + 1, dimension)) / dimension**0.5
    return centres[who] + scatter * rng.normal(size=(len(who), dimension)) / dimension**0.5


def same_partition(one, other) -> bool:
    """Whether two labellings (N,) group the rows alike."""
    pairs = set(zip(list(one), list(other), strict=True))
    return len(pairs) == len(set(one)) == len(set(other))
