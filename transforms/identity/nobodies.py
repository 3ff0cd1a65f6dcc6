"""Faces that show nobody: blurred, covered or wrongly found ones are like each other, less than one person's pictures.

Without care such faces pass for one more person with a great many pictures, the less alike the more of them there are,
and a link that joins that person joins everybody a little like them.
"""

import numpy as np
import numpy.typing as npt

from transforms.identity.pair_counts import EDGES
from transforms.identity.two_kinds import Floats, TwoKinds

_MIDDLES = (EDGES[1:] + EDGES[:-1]) / 2
# Spreads of different people's similarity above their middle: what is higher is hardly by chance.
_ALIKE = 4.0
_FEWEST = 3  # faces that are alike: with fewer their mean says little
# How far below the usual mean, in spreads of the lower half. On generated vectors with 0 to 2 % of such faces (seeds 11
# and 12) 3 lost least: 2.5 took more faces of people for nobody's, 4.5 overlooked more.
_BELOW = 3.0
_MOST = 0.1  # of the faces: more are no exception, and nothing tells which of the two are the people


def find_nobodies(counts: npt.NDArray[np.int32], kinds: TwoKinds) -> npt.NDArray[np.bool_]:
    """Which faces (n,) show nobody, by how many others are how similar to each, counts (n,BINS).

    Those whose look-alikes are plainly less alike than those of most faces, and nearer to different people's
    similarities than to them.
    """
    least = kinds.middle + _ALIKE * kinds.spread
    above = counts * (least <= _MIDDLES)
    others = above.sum(axis=1)
    enough = np.asarray(others >= _FEWEST)
    if not enough.any():
        return enough
    mean = above @ _MIDDLES / np.maximum(others, 1)
    low, usual = np.quantile(mean[enough], [0.1587, 0.5])
    found = np.asarray(enough & (mean < min(usual - _BELOW * (usual - low), (least + usual) / 2)))
    return found if found.mean() <= _MOST else np.zeros(len(found), bool)


def count_above(counts: Floats, similarity: npt.ArrayLike) -> Floats:
    """How many of counts (BINS,) are above these similarities."""
    at_least = np.append(np.cumsum(counts[::-1])[::-1], 0)
    return np.asarray(np.interp(np.asarray(similarity, np.float64), EDGES, at_least))
