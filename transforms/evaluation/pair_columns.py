"""Which columns of a list of pairs hold the two items and what is known of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

_SAME = ("same", "is_same", "issame", "same_person", "match", "genuine", "label")
_ENDS = (("1", "2"), ("a", "b"), ("first", "second"), ("left", "right"))  # of the names of the columns of two items
_SHOWN = 20  # names in a message
_NONE = ("", "", "")


@dataclass(slots=True)
class PairColumns:
    """The columns of both items and of same or different; None: guessed from the names that there are.

    `check` is given the names of a list's columns, and from then on `chosen` has the three that are read.
    """

    first: str | None = None
    second: str | None = None
    same: str | None = None
    chosen: tuple[str, str, str] = field(default=_NONE, init=False)

    def check(self, names: list[str]) -> frozenset[str]:
        """Choose among these columns; ValueError if one is not there, or none can be guessed."""
        self.chosen = self._choose(names)
        wanted = {"first": self.first, "second": self.second, "same": self.same}
        for (option, given), name in zip(wanted.items(), self.chosen, strict=True):
            if name not in names:
                shown = ", ".join(repr(one)[1:-1][:60] for one in names[:_SHOWN]) or "none"
                what = f"no column {given!r}" if given else "no column that is known to hold " + _MEANING[option]
                raise ValueError(f"it has {what}, its columns are {shown}; name it with --{option} COLUMN.")
        if len(set(self.chosen)) < len(self.chosen) or any(names.count(name) > 1 for name in self.chosen):
            raise ValueError(f"{', '.join(self.chosen)} must be three columns, each there once; name or rename them.")
        return frozenset(self.chosen)

    def required(self, names: list[str]) -> list[tuple[str, str]]:
        """The columns that must be among those of these names; one without a name, if they cannot be told."""
        return list(zip(_MEANING, self._choose(names), strict=True))

    def item(self, names: list[str]) -> str:
        """The column of the first item."""
        return self._choose(names)[0]

    def used(self, names: list[str]) -> frozenset[str]:
        """The columns that are read."""
        return frozenset(self._choose(names))

    def _choose(self, names: Sequence[str]) -> tuple[str, str, str]:
        """The columns that were named, and for the others those that look like it; empty where none does."""
        folded = {name.casefold(): name for name in reversed(names)}
        same = self.same or next((folded[name] for name in _SAME if name in folded), "")
        rest = [name for name in names if name != same]
        first, second = _items(rest)
        return self.first or first, self.second or second, same


_MEANING = {"first": "an item", "second": "the other item", "same": "whether both are the same person"}


def _items(names: list[str]) -> tuple[str, str]:
    """The first two columns whose names differ in what says that they are two; if there are only two columns, they."""
    if len(names) == 2:
        return names[0], names[1]
    for name in names:
        for one, other in _ENDS:
            if name.casefold().endswith(one):
                partner = (name[: -len(one)] + other).casefold()
                found = next((rest for rest in names if rest.casefold() == partner), None)
                if found:
                    return name, found
    return "", ""
