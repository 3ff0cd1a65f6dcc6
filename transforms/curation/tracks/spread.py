"""Tracks of a class that are far from each other: a random start, improved by swaps."""

import numpy as np
import numpy.typing as npt

from transforms.curation.tracks.lots import U64, in_chance_order
from transforms.curation.tracks.similarity import BLOCK, TOLERANCE, best
from transforms.identity.knn import F32, pair_similarity

I64 = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

TURNS = 5  # of all tracks outside, at most, as in TrackVerse


def spread(units: F32, lots: U64, most: int, max_swaps: int | None) -> tuple[I64, int]:
    """The places of `most` of N tracks that are far from each other, by lot, and how many swaps have made them so.

    units (N,D) of length 1. The start are the tracks with the lowest lots. Then those outside come, in another order of
    chance in every turn: one is swapped in if it is nearer to none that stays than the closest two are to each other.
    Of those two the one goes that has the nearer next neighbour. So the smallest distance never falls. It ends after
    `max_swaps`, after a turn without a swap, or after five turns.
    """
    order = np.argsort(lots, kind="stable")
    if len(order) <= most or most < 2:
        return order[:most], 0
    inside = _Inside(units, lots, order[:most])
    outside = order[most:]
    swaps = 0
    for turn in range(TURNS):
        before = swaps
        outside = outside[in_chance_order(lots[outside], turn)]
        for start in range(0, len(outside), BLOCK):
            left = None if max_swaps is None else max_swaps - swaps
            swaps += inside.improve(outside[start : start + BLOCK], left)
        if swaps in (before, max_swaps):
            break
    return inside.places[np.argsort(lots[inside.places], kind="stable")], swaps


class _Inside:
    """The tracks inside, each with the highest cosine that it has with another one, and which that is."""

    def __init__(self, units: F32, lots: U64, places: I64) -> None:
        self.places = places.copy()
        self._units, self._lots = units, lots
        self._cosine = np.full(len(places), -1.0)
        self._nearest = np.full(len(places), -1, np.int64)
        for one in range(len(places)):
            self._look(one)

    def improve(self, block: I64, left: int | None) -> int:
        """Swap in what is better; `block` (places) has then what went in their stead. Returns how many swaps."""
        swaps = start = 0
        similar = self._units[block] @ self._units[self.places].T
        while start < len(block) and (left is None or swaps < left):
            closest = int(self._cosine.argmax())
            goes = self._worse_of(closest, int(self._nearest[closest]))
            highest = self._cosine[closest]
            stay = np.delete(self.places, goes)
            similar[:, goes] = -1  # it does not count against what would come in its stead
            maybe = np.flatnonzero(similar[start:].max(axis=1) < highest + TOLERANCE) + start
            found = next((one for one in maybe.tolist() if best(self._units, int(block[one]), stay)[0] < highest), None)
            if found is None:
                break
            self._swap(goes, block, found)
            similar[:, goes] = self._units[block] @ self._units[self.places[goes]]
            swaps, start = swaps + 1, found + 1
        return swaps

    def _worse_of(self, one: int, other: int) -> int:
        """Of the closest two, the one whose next neighbour is nearer; of equal ones the one with the higher lot."""
        seconds = [self._second(one, other), self._second(other, one)]
        lots = self._lots[self.places[[one, other]]].tolist()
        return max((seconds[0], lots[0], one), (seconds[1], lots[1], other))[2]

    def _second(self, one: int, without: int) -> float:
        others = np.delete(self.places, [one, without])
        return best(self._units, int(self.places[one]), others)[0]

    def _swap(self, goes: int, block: I64, found: int) -> None:
        self.places[goes], block[found] = block[found], self.places[goes]
        for one in np.flatnonzero(self._nearest == goes):
            if one != goes:
                self._look(int(one))
        self._look(goes)
        others = np.delete(np.arange(len(self.places)), goes)
        cosines = self._with(goes, others)
        nearer = cosines > self._cosine[others]
        self._cosine[others[nearer]] = cosines[nearer]
        self._nearest[others[nearer]] = goes

    def _with(self, one: int, others: I64) -> npt.NDArray[np.float64]:
        first = np.full(len(others), self.places[one])
        return pair_similarity(self._units, first, self.places[others]).astype(np.float64)

    def _look(self, one: int) -> None:
        others = np.delete(np.arange(len(self.places)), one)
        self._cosine[one], place = best(self._units, int(self.places[one]), self.places[others])
        self._nearest[one] = others[place]
