"""What must stay apart: the faces of one scene are different people, be it a photograph or a pair that a user names."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from transforms.identity.knn import I64


@dataclass(frozen=True, slots=True, eq=False)
class Scenes:
    """Which faces are seen together: face row[m] in scene scene[m], both (M,), for faces called by row numbers.

    alike (N,): faces with the same number are one person, in a scene too; other faces of a scene are different people.
    """

    row: I64
    scene: I64
    alike: I64

    def seen(self, label: I64) -> tuple[I64, I64]:
        """The labels (L,) that stand in a scene with another label, and the scene (L,); label (N,) of faces, -1: none.

        Each is there once, by scene and label.
        """
        there = label[self.row] >= 0
        pairs = np.unique(np.stack([self.scene[there], label[self.row][there]], axis=1), axis=0)
        _, place, counts = np.unique(pairs[:, 0], return_inverse=True, return_counts=True)
        scene, labels = pairs[counts[place] > 1].T
        return labels, scene

    def pairs_within(self, label: I64) -> int:
        """How many pairs of different people, a face of a scene each, have one label; label (N,), -1: none."""
        there = label[self.row] >= 0
        rows = self.row[there]
        people = np.unique(np.stack([self.scene[there], label[rows], self.alike[rows]], axis=1), axis=0)
        _, counts = np.unique(people[:, :2], axis=0, return_counts=True)
        return int((counts * (counts - 1) // 2).sum())


def no_scenes(rows: int) -> Scenes:
    """That nothing must stay apart among N faces."""
    none = np.zeros(0, np.int64)
    return Scenes(none, none, np.arange(rows, dtype=np.int64))


class SeenTogether:
    """Which groups must stay apart, while some of them are joined: those that have a scene in common."""

    def __init__(self, group: I64, scene: I64) -> None:
        """Groups (L,) and the scenes (L,) in which they are."""
        self._scenes: dict[int, set[int]] = {}
        self._groups: dict[int, set[int]] = {}
        for one, number in zip(group.tolist(), scene.tolist(), strict=True):
            self._scenes.setdefault(one, set()).add(number)
            self._groups.setdefault(number, set()).add(one)

    def forbids(self, one: int, other: int) -> bool:
        """Whether the two must stay apart."""
        mine, yours = self._scenes.get(one), self._scenes.get(other)
        return mine is not None and yours is not None and not mine.isdisjoint(yours)

    def apart_from(self, one: int) -> set[int]:
        """The groups that must stay apart from this one."""
        found: set[int] = set()
        for number in self._scenes.get(one, ()):
            found |= self._groups[number]
        return found - {one}

    def forbidden(self, ones: Iterable[int], others: Iterable[int]) -> np.ndarray:
        """Whether each pair (P,) must stay apart."""
        return np.array([self.forbids(one, other) for one, other in zip(ones, others, strict=True)], bool)

    def join(self, into: int, gone: int) -> None:
        """Let `into` be in all the scenes of `gone` too, and `gone` in none."""
        scenes = self._scenes.pop(gone, set())
        for number in scenes:
            self._groups[number].discard(gone)
            self._groups[number].add(into)
        if scenes:
            self._scenes.setdefault(into, set()).update(scenes)
