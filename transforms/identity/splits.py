"""Testing and training identities: which qualify, and which are drawn."""

import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from transforms.identity.knn import I64
from transforms.identity.settings import SplitSettings

Mask = npt.NDArray[np.bool_]
_FACE_POINTS = slice(0, 5)  # COCO: nose, eyes, ears
_BODY_POINTS = slice(10, 17)  # COCO: right wrist, hips, knees, ankles; the left wrist (9) is not among webbody's


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """A named set of identities, ascending."""

    name: str
    identities: I64


def qualifies(keypoints: npt.NDArray[Any], min_visibility: float) -> Mask:
    """Whether each body (N,) shows the body but not the whole face: keypoints (N,17,3) x, y, visibility, COCO order.

    True where any of keypoints 10-16 is visible and not all of keypoints 0-4 are.
    """
    visible = keypoints[:, :, 2] >= np.float32(min_visibility)
    shows_body: Mask = np.logical_or.reduce(visible[:, _BODY_POINTS], axis=1)
    whole_face: Mask = np.logical_and.reduce(visible[:, _FACE_POINTS], axis=1)
    return shows_body & ~whole_face


def images_per_identity(identity: I64, image: I64, count: int) -> I64:
    """The number of distinct images of each identity 0..count-1 (count,); identity and image (N,) of each row."""
    pairs = np.unique(np.stack([identity, image], axis=1), axis=0)
    return np.bincount(pairs[:, 0], minlength=count).astype(np.int64)


def draw_splits(images: I64, qualifying: I64, settings: SplitSettings) -> list[Split]:
    """The testing set and the training sets, from the images (K,) and qualifying images (K,) of each identity.

    Identities strictly between both pairs of limits are candidates for testing; some of them are drawn. Of the others
    those with most images are the pool (equals by number), and each training set is drawn from it by itself. A number
    without an image is that of an identity that was removed, and is in no set.
    """
    candidates = np.flatnonzero(
        (qualifying > settings.qualifying_above)
        & (qualifying < settings.qualifying_below)
        & (images > settings.images_above)
        & (images < settings.images_below)
    )
    testing = _draw(candidates, min(settings.testing_identities, len(candidates)), settings.seed, settings.testing)
    rest = np.setdiff1d(np.flatnonzero(images), testing.identities)
    pool = rest[np.argsort(-images[rest], kind="stable")][: _share(settings.pool_share, len(rest))]
    subsets = settings.subsets.items()
    return [testing] + [_draw(pool, _share(share, len(pool)), settings.seed, name) for name, share in subsets]


def split_names(settings: SplitSettings) -> list[str]:
    """The names of the splits, the testing set first, the faces that are nobody's last."""
    return [settings.testing, *settings.subsets, *([settings.unassigned] if settings.unassigned else [])]


def _share(share: float, count: int) -> int:
    return int(share * count + 1e-9)  # 0.29 * 100 is 28.999...


def _draw(identities: npt.NDArray[np.integer], count: int, seed: int, name: str) -> Split:
    """Each name has random numbers of its own, so that another set beside it changes nothing."""
    random = np.random.default_rng([seed, zlib.crc32(name.encode())])
    return Split(name, np.sort(random.choice(np.sort(identities), count, replace=False)).astype(np.int64))
