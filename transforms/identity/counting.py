"""What is left of faces while rules drop some: counts of identities, images and faces after every step."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from transforms.identity.apart import Mask, Scenes
from transforms.identity.knn import I64
from transforms.identity.precision import Precision


@dataclass(frozen=True, slots=True)
class StageCount:
    """What is left after a step: identities, images (an image counts once for each identity in it) and faces.

    n_dropped: faces that the step's own rule dropped; n_small: those that went since their identity was then too small.
    n_seen_together: pairs of faces of one picture that are in one identity, None where pictures are no evidence.
    n_pairs: pairs of faces in one identity; precision: the share of them that is estimated to be right, at_least and
    at_most: its limits (`precision.Precision`), None where it cannot be told. by_pictures, by_pictures_at_least: what
    `estimate` says of that share, before pictures are used.
    """

    stage: str
    n_subjects: int
    n_images: int
    n_faces: int = 0
    n_dropped: int = 0
    n_small: int = 0
    n_seen_together: int | None = None
    n_pairs: int = 0
    precision: float | None = None
    at_least: float | None = None
    at_most: float | None = None
    by_pictures: float | None = None
    by_pictures_at_least: float | None = None


def image_counts(identity: I64, image: I64) -> I64:
    """For every row number (N,) the number of distinct images of the identity called by it."""
    kept = identity >= 0
    pairs = np.unique(np.stack([identity[kept], image[kept]], axis=1), axis=0)
    return np.bincount(pairs[:, 0], minlength=len(identity)).astype(np.int64)


def too_small(identity: I64, image: I64, min_images: int) -> Mask:
    """Whether each face's identity has fewer distinct images than the minimum."""
    return image_counts(identity, image)[identity] < min_images if len(identity) else np.zeros(0, bool)


@dataclass(slots=True, eq=False)
class Progress:
    """What is left while the rules are applied, why the rest went, and the counts after each step.

    identity, image, reason (N,) as in cleaning; scenes: None where pictures are no evidence; estimate: what tells how
    many pairs of faces in one identity (N,) are right.
    """

    identity: I64
    image: I64
    reason: npt.NDArray[np.str_]
    min_images: int
    scenes: Scenes | None
    estimate: Callable[[I64], Precision | None] = lambda identity: None
    stages: list[StageCount] = field(default_factory=list)
    _dropped: int = 0
    _last: tuple[I64, Precision | None] = (np.zeros(0, np.int64), None)

    def drop(self, mask: Mask, code: str) -> None:
        """Drop these faces (N,) for this reason, if they are still there."""
        mask = mask & (self.identity >= 0)
        self.reason[mask] = code
        self.identity[mask] = -1
        self._dropped += int(mask.sum())

    def close(self, stage: str) -> None:
        """After every rule: identities with too few images go, and what is left is counted."""
        own, self._dropped = self._dropped, 0
        self.drop(too_small(self.identity, self.image, self.min_images), "small_identity")
        small, self._dropped = self._dropped, own
        self.count(stage, small)

    def count(self, stage: str, small: int = 0) -> None:
        """Count what is left after a step."""
        images = image_counts(self.identity, self.image)
        together = None if self.scenes is None else self.scenes.pairs_within(self.identity)
        faces = int((self.identity >= 0).sum())
        subjects, seen = int(np.count_nonzero(images)), int(images.sum())
        sizes = np.bincount(self.identity[self.identity >= 0]).astype(np.int64)
        pairs = int((sizes * (sizes - 1) // 2).sum())
        told = self._precision()
        share = (None, None, None) if told is None else (told.value, told.low, told.high)
        self.stages.append(StageCount(stage, subjects, seen, faces, self._dropped, small, together, pairs, *share))
        self._dropped = 0

    def _precision(self) -> Precision | None:
        """The estimate, which a step that changes nothing does not need to make again."""
        if not np.array_equal(self.identity, self._last[0]):
            self._last = self.identity.copy(), self.estimate(self.identity)
        return self._last[1]
