"""What has been picked so far, and the first so many of it: the last step of every criterion."""

from collections.abc import Iterable
from dataclasses import dataclass

import apache_beam as beam
import numpy as np
import numpy.typing as npt

from transforms.curation.tracks.lots import U64, first_of_each

F64 = npt.NDArray[np.float64]
I8 = npt.NDArray[np.int8]

_SPARE = 1 << 16  # picks that wait before the first so many of them are looked for


@dataclass(frozen=True, slots=True, eq=False)
class Picks:
    """Tracks that were picked: their lots (N,), their ranks (N,), lower first, and the passes (N,) that took them."""

    lots: U64
    ranks: F64
    passes: I8

    def __len__(self) -> int:
        return len(self.lots)


NONE = Picks(np.zeros(0, np.uint64), np.zeros(0, np.float64), np.zeros(0, np.int8))


def picks_of(lots: U64, ranks: npt.NDArray[np.generic] | None = None, passes: I8 | None = None) -> Picks:
    """Picks of these lots; without ranks they are equal, and without passes the first has taken them all."""
    zeros = np.zeros(len(lots), np.int8)
    return Picks(
        lots,
        (zeros if ranks is None else ranks).astype(np.float64),
        (zeros if passes is None else passes).astype(np.int8),
    )


def first(parts: Iterable[Picks], most: int | None) -> Picks:
    """The first `most` of all parts together (all of them if None), by rank and then by lot; each lot once."""
    some = [part for part in parts if len(part)]
    if not some:
        return NONE
    lots = np.concatenate([part.lots for part in some])
    ranks = np.concatenate([part.ranks for part in some])
    passes = np.concatenate([part.passes for part in some])
    order = np.lexsort((passes, lots, ranks))
    order = order[first_of_each(lots[order])][:most]
    return Picks(lots[order], ranks[order], passes[order])


class First(beam.CombineFn):
    """Picks -> the first so many of them all; in memory are 17 bytes a pick, of about three times as many.

    An element is the picks of many tracks.
    """

    def __init__(self, most: int | None) -> None:
        super().__init__()
        self._most = most

    def create_accumulator(self) -> list[Picks]:
        """Nothing yet."""
        return []

    def add_input(self, waiting: list[Picks], some: Picks) -> list[Picks]:
        """With these, or the first so many where many wait."""
        return self._kept([*waiting, some])

    def merge_accumulators(self, several: Iterable[list[Picks]]) -> list[Picks]:
        """Those of all."""
        merged: list[Picks] = []
        for waiting in several:
            merged = self._kept([*merged, *waiting])
        return merged

    def extract_output(self, waiting: list[Picks]) -> Picks:
        """The first so many."""
        return first(waiting, self._most)

    def _kept(self, waiting: list[Picks]) -> list[Picks]:
        if self._most is not None and sum(map(len, waiting)) > 2 * self._most + _SPARE:
            return [first(waiting, self._most)]
        return waiting
