"""What must stay apart: the faces of one scene are different people, be it a photograph or a pair that a user names."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from transforms.identity.knn import I64

Mask = npt.NDArray[np.bool_]


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
        _, people = self._people(label)
        return int((people * (people - 1) // 2).sum())

    def broken(self, label: I64) -> Mask:
        """Whether each face (N,) has a label that two people of a scene have; label (N,), -1: none."""
        labels, people = self._people(label)
        return np.isin(label, labels[people > 1])

    def _people(self, label: I64) -> tuple[I64, I64]:
        """The label (L,) of each scene and label, and how many people (L,) have it there."""
        rows = self.row[label[self.row] >= 0]
        scene = self.scene[label[self.row] >= 0]
        people = np.unique(np.stack([scene, label[rows], self.alike[rows]], axis=1), axis=0)
        each, counts = np.unique(people[:, :2], axis=0, return_counts=True)
        return each[:, 1], counts.astype(np.int64)


def no_scenes(rows: int) -> Scenes:
    """That nothing must stay apart among N faces."""
    none = np.zeros(0, np.int64)
    return Scenes(none, none, np.arange(rows, dtype=np.int64))


def share_a_scene(
    ones: npt.NDArray[np.integer], others: npt.NDArray[np.integer], of_ones: tuple[I64, I64], of_others: tuple[I64, I64]
) -> Mask:
    """Whether each pair (P,) has a scene in common; of_ones and of_others: names (L,) and the scene (L,) of each."""
    if not len(of_ones[0]):
        return np.zeros(len(ones), bool)
    order = np.argsort(of_ones[0], kind="stable")
    name, scene = of_ones[0][order], of_ones[1][order]
    low, high = (np.searchsorted(name, ones, side=side) for side in ("left", "right"))
    counts = (high - low) * np.isin(others, of_others[0])
    place = np.repeat(np.arange(len(ones)), counts)
    within = np.arange(len(place)) - np.repeat(np.cumsum(counts) - counts, counts)
    asked = np.stack([scene[np.repeat(low, counts) + within], others[place]], axis=1)
    there = np.stack([of_others[1], of_others[0]], axis=1)
    _, key = np.unique(np.concatenate([asked, there]), axis=0, return_inverse=True)
    found = np.zeros(len(ones), bool)
    found[place[np.isin(key[: len(asked)], key[len(asked) :])]] = True
    return found


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

    def held(self) -> list[int]:
        """The groups that must stay apart from another."""
        return sorted(set().union(*(groups for groups in self._groups.values() if len(groups) > 1)))

    def join(self, into: int, gone: int) -> None:
        """Let `into` be in all the scenes of `gone` too, and `gone` in none."""
        scenes = self._scenes.pop(gone, set())
        for number in scenes:
            self._groups[number].discard(gone)
            self._groups[number].add(into)
        if scenes:
            self._scenes.setdefault(into, set()).update(scenes)
