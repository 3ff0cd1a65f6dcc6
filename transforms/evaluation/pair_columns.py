"""Which columns of a list of pairs hold the two items and what is known of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from transforms.fetch.lists.columns import shown_names

_SAME = ("same", "is_same", "issame", "same_person", "match", "genuine", "label")
_ENDS = (("1", "2"), ("a", "b"), ("first", "second"), ("left", "right"))  # of the names of the columns of two items
_MEANING = {"first": "an item", "second": "the other item", "same": "whether both are the same person"}
_UNKNOWN = ""  # no column is called so


@dataclass(frozen=True, slots=True)
class PairColumns:
    """The columns of both items and of same or different by name; None: told from the names that there are.

    The column of same or different is the first of the usual ones. The items are then in the only two other columns,
    or in the first two whose names differ in nothing but 1 and 2, a and b, first and second, or left and right.
    """

    first_column: str | None = None
    second_column: str | None = None
    same_column: str | None = None

    def chosen(self, names: Sequence[str]) -> tuple[str, str, str]:
        """The columns of the items and of same or different among these; empty where it cannot be told."""
        folded = {name.casefold(): name for name in reversed(names)}
        same = self.same_column or next((folded[name] for name in _SAME if name in folded), _UNKNOWN)
        first, second = _items([name for name in names if name != same])
        return self.first_column or first, self.second_column or second, same

    def required(self, names: list[str]) -> list[tuple[str, str]]:
        """The columns (setting, name) that pairs must have."""
        return list(zip(_MEANING, self.chosen(names), strict=True))

    def used(self, names: list[str]) -> frozenset[str]:
        """All three."""
        return frozenset(self.chosen(names))

    def item(self, names: list[str]) -> str:
        """The column of the first item."""
        return self.chosen(names)[0]

    def lacking(self, key: str, name: str, names: list[str]) -> str:
        """What to say where a required column is not there."""
        what = f"none is called {name!r}" if name else f"none is known to hold {_MEANING[key]}"
        return f"the columns are {shown_names(names)}; {what}: name it with --{key}-column NAME."


def _items(names: list[str]) -> tuple[str, str]:
    if len(names) == 2:
        return names[0], names[1]
    for name in names:
        for one, other in _ENDS:
            partner = (name[: -len(one)] + other).casefold()
            found = next((rest for rest in names if rest.casefold() == partner), None)
            if found and name.casefold().endswith(one):
                return name, found
    return _UNKNOWN, _UNKNOWN
