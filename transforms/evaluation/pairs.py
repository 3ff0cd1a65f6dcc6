"""Pairs of items that are known to show one person or two, out of CSV, TSV, parquet or the form of LFW's pairs.txt."""

import re
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from transforms.evaluation.pair_columns import PairColumns
from transforms.evaluation.verification import I64, Bools
from transforms.fetch.lists.files import list_files, nothing_at
from transforms.fetch.lists.read import read_records
from transforms.fetch.lists.record import BadRow, Record, cell_text
from transforms.fetch.lists.text import PARQUET, first_bytes, open_text, physical_lines
from transforms.tables.files import open_binary
from transforms.tables.reasons import Rejected

_KNOWN = dict.fromkeys(("1", "1.0", "true", "yes", "same"), True) | dict.fromkeys(
    ("0", "0.0", "-1", "-1.0", "false", "no", "different"), False
)
_LFW_HEAD = re.compile(r"\ufeff?\s*[0-9]+(\s+[0-9]+)?\s*")  # of sets and pairs in each of them
_HEAD = 4096  # characters of the first line that are looked at
_Pair = tuple[str, str, bool]


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """N pairs of K items. names (K,): the items, none twice; first, second (N,): places in them.

    same (N,): whether both are one person; bad_rows: how many rows of the file say no pair.
    """

    names: pa.Array
    first: I64
    second: I64
    same: Bools
    bad_rows: int

    def __len__(self) -> int:
        return len(self.same)


@dataclass(frozen=True, slots=True)
class _PairSettings:
    """How pairs are read, as the readers of lists ask for it."""

    format: str
    columns: PairColumns
    quoting: str = "auto"


def read_pairs(path: str, columns: PairColumns) -> Pairs:
    """The pairs in a file, or in the files of a folder or pattern; ValueError, a sentence, if they cannot be read.

    They are CSV, TSV or parquet, whatever they are called. A file whose first line is only a number or two is in the
    form of LFW's pairs.txt: `name n m` are two pictures of one person, `name n other m` of two persons, and the items
    are called `name_000n.jpg`.
    """
    files = list_files(path)
    if not files:
        raise ValueError(nothing_at(path))
    head = _head(files[0])
    if head and _LFW_HEAD.fullmatch(head):
        with open_text(files[0]) as text:
            return _gathered(_of_lfw(line for _, line in physical_lines(text)))
    kind = "parquet" if head is None else "tsv" if "\t" in head else "csv"
    return _gathered(_of_records(read_records(path, _PairSettings(kind, columns)), columns))


def _head(path: str) -> str | None:
    """The first line of a file, as much of it as is looked at; None for parquet."""
    with open_binary(path) as file:
        if first_bytes(file).startswith(PARQUET):
            return None
    with open_text(path) as text:
        return text.readline(_HEAD)


def _gathered(pairs: Iterable[_Pair | None]) -> Pairs:
    """All pairs as arrays: a name is in memory once, however many pairs it is in."""
    place: dict[str, int] = {}
    first, second, known = array("q"), array("q"), bytearray()
    bad_rows = 0
    for pair in pairs:
        if pair is None:
            bad_rows += 1
            continue
        first.append(place.setdefault(pair[0], len(place)))
        second.append(place.setdefault(pair[1], len(place)))
        known.append(pair[2])
    names = pa.array(place, pa.large_string())
    return Pairs(names, _numbers(first), _numbers(second), np.frombuffer(bytes(known), np.bool_), bad_rows)


def _numbers(values: "array[int]") -> I64:
    return np.frombuffer(values.tobytes(), np.int64)


def _of_records(records: Iterator[Record | BadRow], columns: PairColumns) -> Iterator[_Pair | None]:
    """The pair of each record; None for one that says none."""
    chosen: tuple[str, str, str] | None = None
    for record in records:
        if isinstance(record, BadRow):
            yield None
            continue
        chosen = chosen or columns.chosen(list(record))
        yield _pair(record, chosen)


def _pair(record: Record, columns: tuple[str, str, str]) -> _Pair | None:
    try:
        first, second, known = (
            cell_text(record, columns[0]),
            cell_text(record, columns[1]),
            cell_text(record, columns[2]),
        )
    except Rejected:
        return None
    same = _KNOWN.get((known or "").casefold())
    return None if first is None or second is None or same is None else (first, second, same)


def _of_lfw(lines: Iterator[str | None]) -> Iterator[_Pair | None]:
    """The pairs of LFW's form, without its first line."""
    next(lines, None)
    for line in lines:
        words = [] if line is None else line.split()
        if line is None or words:
            yield _lfw_pair(words)


def _lfw_pair(words: list[str]) -> _Pair | None:
    numbers = words[1::2] if len(words) == 4 else words[1:]
    if len(words) not in (3, 4) or not all(number.isdecimal() and len(number) <= 9 for number in numbers):
        return None
    other = words[2] if len(words) == 4 else words[0]
    return _lfw_item(words[0], numbers[0]), _lfw_item(other, numbers[1]), len(words) == 3


def _lfw_item(name: str, number: str) -> str:
    return f"{name}_{int(number):04d}.jpg"
