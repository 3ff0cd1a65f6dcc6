"""Whether two tracks of a video show the same place: their spatio-temporal IoU, with a buffer of time between them."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from transforms.tables.flat_lists import entries
from transforms.tracking.association import pair_overlaps
from transforms.tracking.box_path import boxes_at

Numbers = npt.NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Paths:
    """Where N tracks are: times (M,) seconds and boxes (M,4), one track behind the other, counts (N,) rows of each."""

    times: Numbers
    boxes: Numbers
    counts: Numbers

    def take(self, places: Numbers) -> "Paths":
        """Those of some tracks, in this order."""
        rows = entries(self.counts, places)
        return Paths(self.times[rows], self.boxes[rows], self.counts[places])

    def each(self) -> list[tuple[Numbers, Numbers]]:
        """The times and boxes of every track, as views."""
        cuts = np.cumsum(self.counts)[:-1]
        return list(zip(np.split(self.times, cuts), np.split(self.boxes, cuts), strict=True))


def join_paths(parts: list[Paths]) -> Paths:
    """Those of all parts, one behind the other."""
    return Paths(
        np.concatenate([part.times for part in parts]),
        np.concatenate([part.boxes for part in parts]),
        np.concatenate([part.counts for part in parts]),
    )


def place_iou(one: tuple[Numbers, Numbers], other: tuple[Numbers, Numbers], buffer: float) -> float:
    """The mean IoU of two tracks while both are there, 0 to 1; `one` and `other` are times (N,) and boxes (N,4).

    It is taken at every time at which one of them was found, the other's box interpolated. Two that are never there
    together are compared where they are nearest in time: by the last box of the first and the first box of the second.
    Their IoU is divided by sqrt(gap / buffer) where the gap is longer than the buffer (seconds; inf: never). With a
    buffer of 0 such tracks have nothing in common. Symmetric.
    """
    if not len(one[0]) or not len(other[0]):
        return 0.0
    begin, end = max(one[0][0], other[0][0]), min(one[0][-1], other[0][-1])
    if begin > end:
        gap = float(begin - end)
        earlier, later = (one, other) if one[0][-1] < other[0][0] else (other, one)
        iou = pair_overlaps(earlier[1][-1:], later[1][:1])[0]
        fading = max(1.0, math.sqrt(gap / buffer)) if buffer > 0 else math.inf
        return float(iou / fading)
    times = np.union1d(one[0], other[0])
    times = times[(times >= begin) & (times <= end)]
    return float(pair_overlaps(boxes_at(*one, times), boxes_at(*other, times)).mean())
