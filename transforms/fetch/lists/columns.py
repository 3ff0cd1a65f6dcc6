"""The columns of a list: their names, whether those that are needed are there, and what to say if they are not."""

import difflib
import json
import shlex
from collections import Counter
from collections.abc import Container
from typing import Protocol

import yaml

from transforms.fetch.lists.record import readable

_LIKE_URL = ("url", "link", "uri", "href", "src", "path", "file")
_SHOWN = 20  # names in a message


class ListColumns(Protocol):
    """The settings of columns, of images or videos."""

    def required(self, names: list[str]) -> list[tuple[str, str]]:
        """The columns (setting, name) that a list with these columns must have."""

    def used(self, names: list[str]) -> frozenset[str]:
        """Those of these columns that are used and not only passed on."""

    def item(self, names: list[str]) -> str:
        """The column that says which item a row is."""

    def lacking(self, key: str, name: str, names: list[str]) -> str:
        """What to say where a required column (setting, name) is not there."""


def usual_column(configured: str | None, usual: tuple[str, ...], names: Container[str]) -> str | None:
    """The configured column; where that is the first of the usual ones, the first of them that is there."""
    if configured != usual[0]:
        return configured
    return next((name for name in usual if name in names), None)


def column_names(cells: list[str]) -> list[str]:
    """The names in a header: without blanks around them, and those without a name by their number."""
    names = [readable(cell).strip().strip("\ufeff") for cell in cells]
    return [name or f"column_{place}" for place, name in enumerate(names, 1)]


def check_item(columns: ListColumns, names: list[str]) -> None:
    """ValueError if none of the columns says which item a row is."""
    for key, name in columns.required(names):
        if key == "url" and name not in names:
            raise ValueError(columns.lacking(key, name, names))


def check_columns(columns: ListColumns, names: list[str]) -> None:
    """ValueError if a column that is needed is not there, or one that is used is there twice."""
    for key, name in columns.required(names):
        if name not in names:
            raise ValueError(columns.lacking(key, name, names))
    used = columns.used(names)
    twice = [name for name, count in Counter(names).items() if count > 1 and name in used]
    if twice:
        raise ValueError(f"The list has two columns of one name ({', '.join(twice)}); rename one.")


def told_apart(names: list[str]) -> list[str]:
    """The names, with `_2`, `_3` and so on behind those that were there before."""
    seen: set[str] = set()
    apart = []
    for name in names:
        new, number = name, 2
        while new in seen:
            new, number = f"{name}_{number}", number + 1
        seen.add(new)
        apart.append(new)
    return apart


def shown_names(names: list[str]) -> str:
    """The names of a list's columns as a message has them."""
    shown = ", ".join(repr(one)[1:-1][:60] for one in names[:_SHOWN]) + (" and others" if len(names) > _SHOWN else "")
    return shown or "none"


def lacking_in_manifest(key: str, name: str, names: list[str]) -> str:
    """What to say where a manifest lacks a column."""
    said = f"manifest.columns.{key}: the manifest has no column {name!r}; it has {shown_names(names)}."
    if any("://" in one for one in names):
        return f"{said} Its first line looks like an item: put a line with the names of the columns before it."
    guess = nearest_column(key, name, names)
    if guess is None:
        return f"{said} Say which it is with --set manifest.columns.{key}=NAME."
    return f"{said} If {guess!r} is meant, give --set {set_column(key, guess)}"


def set_column(key: str, name: str) -> str:
    """What to give to `--set`, quoted for the shell, so that the column of this name is taken."""
    value = name if yaml.safe_load(json.dumps(name)) == _as_yaml(name) else json.dumps(name, ensure_ascii=False)
    return shlex.quote(f"manifest.columns.{key}={value}")


def _as_yaml(text: str) -> object:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return None


def nearest_column(key: str, name: str, names: list[str]) -> str | None:
    """The column that is probably meant: the same but for case, else one with the word in it, else a like one."""
    folded = {one.casefold(): one for one in reversed(names)}
    words = [name.casefold(), *(_LIKE_URL if key == "url" else ())]
    if words[0] in folded:
        return folded[words[0]]
    for word in words:
        holding = [one for one in folded if word in one]
        if holding:
            return folded[min(holding, key=len)]
    close = difflib.get_close_matches(words[0], folded, n=1, cutoff=0.6)
    return folded[close[0]] if close else None
