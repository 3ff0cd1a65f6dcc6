"""Reading a list of any format as a stream of records; a row that cannot be read is a BadRow, not an end."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import chain, islice
from typing import Protocol

from transforms.fetch.lists.columns import ListColumns, check_columns, check_item
from transforms.fetch.lists.delimited import read_delimited
from transforms.fetch.lists.files import format_of, is_media_folder, list_files, nothing_at
from transforms.fetch.lists.image_settings import ManifestSettings
from transforms.fetch.lists.json_records import read_json
from transforms.fetch.lists.media_folder import FOLDER_COLUMNS, media_rows
from transforms.fetch.lists.parquet import read_parquet
from transforms.fetch.lists.record import MAX_RECORD, BadRow, Record
from transforms.fetch.lists.text import PARQUET, Line, first_bytes, open_text, physical_lines
from transforms.fetch.lists.video_settings import VideoManifestSettings
from transforms.tables.files import open_binary

LIST_COLUMNS = ("idx", "label", "url")
_FIRST = 20  # objects of JSON that show which names there are
_DELIMITERS = {"csv": ",", "tsv": "\t"}


class ListSettings(Protocol):
    """What the readers need to know of the settings of a list, of images or videos."""

    @property
    def format(self) -> str:
        """`auto` or a format."""

    @property
    def quoting(self) -> str:
        """`auto`, `quoted` or `plain`."""

    @property
    def columns(self) -> ListColumns:
        """Which columns hold what."""


def read_records(
    path: str, settings: ListSettings, left_out: Counter[str] | None = None, endings: tuple[str, ...] = ()
) -> Iterator[Record | BadRow]:
    """The rows of a list in order, as column name -> value; of several files in the order of their names.

    `left_out` counts by column the cells that are too large to be carried. With `endings` the list may be a folder of
    media: a row is then a file with one of these endings. Blank lines are no rows. ValueError where
    needed columns are not there, for files that cannot be read to their end, and if there are none.
    """
    check = _checker(settings)
    if endings and settings.format == "auto" and is_media_folder(path):
        check(list(FOLDER_COLUMNS))
        yield from media_rows(path, endings)
        return
    files = list_files(path)
    if not files:
        raise ValueError(nothing_at(path))
    kind = settings.format if settings.format != "auto" else format_of(files)
    for file in files:
        where = "" if len(files) == 1 else f"{os.path.basename(file)}, "
        try:
            for record in _read(file, kind, settings, check, Counter() if left_out is None else left_out):
                yield BadRow(where + record) if isinstance(record, BadRow) and where else record
        except ValueError as error:
            raise ValueError(f"{where}{error}") from error


def check_list(path: str, settings: ManifestSettings | VideoManifestSettings) -> None:
    """ValueError if the manifest cannot be read, as far as its first row shows."""
    next(read_records(path, settings, endings=settings.endings), None)


def _checker(settings: ListSettings) -> Callable[[list[str]], frozenset[str]]:
    """What checks the columns of each file, also that all have the same used ones, and returns these."""
    first: list[frozenset[str]] = []

    def check(names: list[str]) -> frozenset[str]:
        check_columns(settings.columns, names)
        used = settings.columns.used(names)
        first.append(used)
        if used != first[0]:
            ours, theirs = (", ".join(sorted(some)) for some in (used, first[0]))
            raise ValueError(f"the used columns are {ours} here and {theirs} in the file before; make them agree.")
        return used

    return check


def _read(
    file: str,
    kind: str,
    settings: ListSettings,
    check: Callable[[list[str]], frozenset[str]],
    left_out: Counter[str],
) -> Iterator[Record | BadRow]:
    if kind == "parquet" or (settings.format == "auto" and _is_parquet(file)):
        with open_binary(file) as table:
            yield from read_parquet(table, check, left_out)
        return
    with open_text(file) as text:
        if kind in _DELIMITERS:
            yield from read_delimited(text, _DELIMITERS[kind], settings.quoting, settings.columns, check)
        elif kind == "jsonl":
            yield from _looked_at(read_json(text), settings.columns)
        else:
            check(["url"] if kind == "text" else list(LIST_COLUMNS))
            yield from _lines(physical_lines(text), _text_line if kind == "text" else _list_line)


def _looked_at(records: Iterator[Record | BadRow], columns: ListColumns) -> Iterator[Record | BadRow]:
    """The records; ValueError if the first of them, which need not all have the same names, lack the item's column."""
    first = list(islice(records, _FIRST))
    names = dict.fromkeys(name for record in first if isinstance(record, dict) for name in record)
    if names:
        check_item(columns, list(names))
    return chain(first, records)


def _is_parquet(path: str) -> bool:
    with open_binary(path) as file:
        return first_bytes(file).startswith(PARQUET)


def _lines(lines: Iterator[Line], read: Callable[[str], Record | str]) -> Iterator[Record | BadRow]:
    for number, line in lines:
        if line is None:
            yield BadRow(f"line {number}: more than {MAX_RECORD} characters")
        elif line.strip():
            found = read(line.strip())
            yield BadRow(f"line {number}: {found}") if isinstance(found, str) else found


def _text_line(line: str) -> Record | str:
    return {"url": line}


def _list_line(line: str) -> Record | str:
    parts = line.split(None, 2)
    if len(parts) < len(LIST_COLUMNS):
        return f"{len(parts)} columns instead of `idx label url`"
    return dict(zip(LIST_COLUMNS, parts, strict=True))
