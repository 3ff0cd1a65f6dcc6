"""Reading labels: a list of items and who each of them shows, CSV, TSV or parquet."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.fetch.lists.columns import shown_names
from transforms.fetch.lists.files import format_of, list_files, nothing_at
from transforms.fetch.lists.read import read_records
from transforms.fetch.lists.record import BadRow, cell_text
from transforms.tables.reasons import Rejected

I64 = npt.NDArray[np.int64]

FORMATS = ("csv", "tsv", "parquet")
# the most exact of the usual names first
ITEM_COLUMNS = (
    "item", "face_id", "frame_id", "image_id", "video_id", "file", "filename", "file_name", "path", "url", "image",
    "video", "id",
)  # fmt: skip
IDENTITY_COLUMNS = ("identity", "identity_id", "person", "person_id", "subject", "subject_id", "name", "label", "class")
SEVERAL = "|"  # stands between the identities of an item that shows several
_ROWS_AT_A_TIME = 65_536


@dataclass(frozen=True, slots=True)
class LabelColumns:
    """The columns of labels by name; None: the first of the usual names that is there, whatever its letter case."""

    item_column: str | None = None
    identity_column: str | None = None

    def item(self, names: list[str]) -> str:
        """The column that says which item a row is."""
        return self.item_column or _usual(ITEM_COLUMNS, names)

    def identity(self, names: list[str]) -> str:
        """The column that says who it shows."""
        return self.identity_column or _usual(IDENTITY_COLUMNS, names)

    def required(self, names: list[str]) -> list[tuple[str, str]]:
        """The columns (setting, name) that labels must have."""
        return [("item", self.item(names)), ("identity", self.identity(names))]

    def used(self, names: list[str]) -> frozenset[str]:
        """Both."""
        return frozenset(name for _, name in self.required(names))

    def lacking(self, key: str, name: str, names: list[str]) -> str:
        """What to say where a required column is not there."""
        usual = {"item": self.item_column is None, "identity": self.identity_column is None}[key]
        what = f"none is called {name!r} or as usual" if usual else f"none is called {name!r}"
        return f"the columns are {shown_names(names)}; {what}: say which has the {key} with --{key}-column NAME."


def _usual(usual: tuple[str, ...], names: list[str]) -> str:
    folded = {name.casefold(): name for name in reversed(names)}
    return next((folded[name] for name in usual if name in folded), usual[0])


@dataclass(frozen=True, slots=True)
class LabelSettings:
    """How labels are read, as the readers of lists ask for it."""

    format: str
    columns: LabelColumns
    quoting: str = "auto"


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """Items of one identity: their names (N,), each once, and whose they are (N,), places in `identities` (K,).

    And how many there were besides: rows in all, of those that cannot be read, of those without an item; items, of
    those without an identity, of those with several.
    """

    names: pa.Array
    identity: I64
    identities: pa.Array
    rows: int
    unreadable_rows: int
    rows_without_item: int
    items: int
    without_identity: int
    several_identities: int


def read_labels(path: str, columns: LabelColumns) -> Labels:
    """The labels in a file, or in the files of a folder or pattern; ValueError, a sentence, if they cannot be read.

    An item in several rows has one identity if all that name one name the same. `a|b` is two.
    """
    files = list_files(path)
    if not files:
        raise ValueError(nothing_at(path))
    counts = {"rows": 0, "unreadable_rows": 0, "rows_without_item": 0}
    settings = LabelSettings(_format(files), columns)
    parts = list(_tables(path, settings, counts))
    name = _column(parts, 0).dictionary_encode()
    identity = _column(parts, 1).dictionary_encode()
    return _labels(name, identity, counts)


def _format(files: list[str]) -> str:
    with suppress(ValueError):
        if (kind := format_of(files)) in FORMATS:
            return kind
    raise ValueError(
        "labels are CSV, TSV or parquet, and the name says which: .csv, .tsv or .parquet, and .gz behind it if packed."
    )


def _column(parts: list[tuple[pa.Array, pa.Array]], side: int) -> pa.Array:
    return pa.concat_arrays([pa.array([], pa.large_string()), *(part[side] for part in parts)])


def _tables(path: str, settings: LabelSettings, counts: dict[str, int]) -> Iterator[tuple[pa.Array, pa.Array]]:
    """Items and identities of rows, some at a time."""
    items: list[str] = []
    identities: list[str | None] = []
    for item, identity in _cells(path, settings, counts):
        items.append(item)
        identities.append(identity)
        if len(items) == _ROWS_AT_A_TIME:
            yield pa.array(items, pa.large_string()), pa.array(identities, pa.large_string())
            items, identities = [], []
    yield pa.array(items, pa.large_string()), pa.array(identities, pa.large_string())


def _cells(path: str, settings: LabelSettings, counts: dict[str, int]) -> Iterator[tuple[str, str | None]]:
    item_column = identity_column = None
    for record in read_records(path, settings):
        counts["rows"] += 1
        if isinstance(record, BadRow):
            counts["unreadable_rows"] += 1
            continue
        if item_column is None:
            names = list(record)
            item_column, identity_column = settings.columns.item(names), settings.columns.identity(names)
        try:
            item, identity = cell_text(record, item_column), cell_text(record, identity_column)
        except Rejected:
            counts["unreadable_rows"] += 1
            continue
        if item is None:
            counts["rows_without_item"] += 1
        else:
            yield item, identity


def _labels(name: pa.DictionaryArray, identity: pa.DictionaryArray, counts: dict[str, int]) -> Labels:
    items, people = len(name.dictionary), max(len(identity.dictionary), 1)
    row_item = name.indices.to_numpy().astype(np.int64)
    row_identity = identity.indices.fill_null(-1).to_numpy().astype(np.int64)
    labelled = row_identity >= 0
    both = np.unique(row_item[labelled] * people + row_identity[labelled])
    item, who = both // people, both % people
    each = np.where(pc.match_substring(identity.dictionary, SEVERAL).to_numpy(zero_copy_only=False), 2, 1)
    number = np.bincount(item, weights=each[who], minlength=items).astype(np.int64)
    one = number[item] == 1
    return Labels(
        names=name.dictionary.take(pa.array(item[one])),
        identity=who[one],
        identities=identity.dictionary,
        items=items,
        without_identity=int((number == 0).sum()),
        several_identities=int((number > 1).sum()),
        **counts,
    )
