"""What is left of faces while rules drop some: counts of identities, images and faces after every step."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from transforms.identity.apart import Mask, Scenes
from transforms.identity.knn import I64


@dataclass(frozen=True, slots=True)
class StageCount:
    """What is left after a step: identities, images (an image counts once for each identity in it) and faces.

    n_dropped: faces that the step's own rule dropped; n_small: those that went since their identity was then too small.
    n_seen_together: pairs of faces of one picture that are in one identity, None where pictures are no evidence.
    precision, at_least: what `estimate` says of pairs of faces, where it can be told.
    """

    stage: str
    n_subjects: int
    n_images: int
    n_faces: int = 0
    n_dropped: int = 0
    n_small: int = 0
    n_seen_together: int | None = None
    precision: float | None = None
    at_least: float | None = None


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

    identity, image, reason (N,) as in cleaning; scenes: None where pictures are no evidence.
    """

    identity: I64
    image: I64
    reason: npt.NDArray[np.str_]
    min_images: int
    scenes: Scenes | None
    stages: list[StageCount] = field(default_factory=list)
    _dropped: int = 0

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
        self.stages.append(StageCount(stage, subjects, seen, faces, self._dropped, small, together))
        self._dropped = 0
