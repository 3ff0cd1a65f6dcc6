"""The manifest's own columns, which tables carry as one JSON object a row, as columns beside a table's own."""

import json
from collections.abc import Collection, Iterable
from typing import Any

MAX_COLUMNS = 1000  # more names are data, not columns: each would have a cell in every row
_PREFIX = "source_"
Column = tuple[str | None, str]  # the name in the manifest, None for the whole object; the name beside the table's


def source_columns(sources: Iterable[str | None], taken: Collection[str]) -> list[Column]:
    """The columns of all these objects, in the order in which they first appear.

    A name that is `taken` gets `source_` before it. With more than 1000 names the object is one column, as JSON.
    """
    names: dict[str, str] = {}
    used = set(taken)
    for text in sources:
        for name in json.loads(text) if text else ():
            if name not in names:
                names[name] = _free(name, used)
                used.add(names[name])
        if len(names) > MAX_COLUMNS:
            return [(None, _free("source", taken))]
    return list(names.items())


def _free(name: str, used: Collection[str]) -> str:
    while name in used:
        name = _PREFIX + name
    return name


def source_cells(source: str | None, columns: list[Column]) -> list[Any]:
    """What a row's object has under each column: None, text, numbers; lists and objects as JSON."""
    values = json.loads(source) if source else {}
    return [source if name is None else _flat(values.get(name)) for name, _ in columns]


def _flat(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value
