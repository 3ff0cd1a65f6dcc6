"""The best tracks of a class under constraints, which are relaxed pass by pass until enough tracks are found."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from transforms.curation.tracks.columns import Columns
from transforms.curation.tracks.picks import I8
from transforms.curation.tracks.places import place_iou
from transforms.curation.tracks.settings import CurationSettings
from transforms.curation.tracks.similarity import BLOCK, Taken, best, cosine_at
from transforms.identity.knn import unit

I64 = npt.NDArray[np.int64]

FACTORS = (1.0, 0.8, 0.8**2, 0.8**3, 0.0)  # what is left of the constraints in each pass, as in TrackVerse


@dataclass(frozen=True, slots=True)
class Limits:
    """The constraints of a pass; `cosine` above 1, `iou` of 1 and `motion` of 0 let everything through."""

    distance: float
    iou: float
    motion: float

    @property
    def cosine(self) -> float:
        """Above this two tracks are too near."""
        return cosine_at(self.distance)


def limits_of(settings: CurationSettings) -> list[Limits]:
    """The constraints of each pass; one pass where there are none."""
    given = settings.min_nn_dist > 0 or settings.max_spt_iou < 1 or settings.min_motion > 0
    return [
        Limits(settings.min_nn_dist * factor, _laxer(settings.max_spt_iou, factor), settings.min_motion * factor)
        for factor in FACTORS[: settings.passes if given else 1]
    ]


def _laxer(iou: float, factor: float) -> float:
    return iou if factor == 1 else 1 - (1 - iou) * factor


def best_of_class(columns: Columns, settings: CurationSettings) -> tuple[I64, I8]:
    """The places of the tracks that are taken, in the order in which they are, and the pass that took each.

    They come by falling score, equal ones by lot. One is taken if it keeps the pass's constraints with each that is
    taken already. Until there are `num_samples_per_class`, those left have another try in the next pass.
    """
    most = settings.num_samples_per_class or len(columns)
    waiting = np.lexsort((columns.lots, -columns.scores))
    if not (settings.needs_features or settings.needs_paths or settings.needs_motion):
        return waiting[:most], np.zeros(min(most, len(columns)), np.int8)
    choice = _Choice(columns, settings)
    passes: list[int] = []
    for number, limits in enumerate(limits_of(settings)):
        left = most - len(choice.taken)
        if left > 0:
            choice.go_through(waiting, limits, left)
            passes += [number] * (len(choice.taken) - len(passes))
            waiting = waiting[~np.isin(waiting, choice.taken)]
    return np.array(choice.taken, np.int64), np.array(passes, np.int8)


class _Choice:
    """What is taken of a class, and what is to be known of it to judge the next track."""

    def __init__(self, columns: Columns, settings: CurationSettings) -> None:
        self.taken: list[int] = []
        self._columns, self._buffer = columns, settings.iou_tbuff
        self._units = None if columns.features is None else unit(columns.features)
        self._near = None if self._units is None else Taken(self._units)
        self._paths = None if columns.paths is None else columns.paths.each()
        self._of_video: dict[int, list[int]] = {}

    def go_through(self, waiting: I64, limits: Limits, left: int) -> None:
        """Take what keeps the constraints, `left` tracks at most."""
        for start in range(0, len(waiting), BLOCK):
            new: list[int] = []
            for one in self._apart(waiting[start : start + BLOCK], limits):
                if self._fits(one, new, limits):
                    new.append(one)
                    self._of_video.setdefault(int(self._columns.videos[one]), []).append(one)
                    if len(new) == left:
                        break
            self.taken += new
            left -= len(new)
            if self._near is not None:
                self._near.add(new)
            if not left:
                return

    def _apart(self, block: I64, limits: Limits) -> Iterator[int]:
        """Those of a block that move enough and are not near to what was taken before it."""
        if self._columns.motion is not None:
            block = block[self._columns.motion[block] >= np.float32(limits.motion)]
        if self._near is not None:
            block = block[~self._near.near(block, limits.cosine)]
        yield from block.tolist()

    def _fits(self, one: int, new: list[int], limits: Limits) -> bool:
        """Whether it is far enough from those taken in its own block, and from all of its video in place."""
        if self._units is not None and best(self._units, one, np.array(new, np.int64))[0] > limits.cosine:
            return False
        if self._paths is None or limits.iou >= 1:
            return True
        same_video = self._of_video.get(int(self._columns.videos[one]), [])
        return all(place_iou(self._paths[one], self._paths[other], self._buffer) <= limits.iou for other in same_video)
